using HaKit.Availability;

namespace HaKit;

/// <summary>Sets the pool's availability objective. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class ObjectiveOptions
{
    /// <summary>Gets or sets the percentage of calls that must be served. Default 99.9; above 0 and below 100.</summary>
    public decimal TargetPercent { get; set; } = 99.9m;

    /// <summary>Gets or sets the period of the objective. Default 30 days; more than 0.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromDays(30);

    internal Slo ToSlo() => new(AvailabilityRatio.From(TargetPercent / 100), Period);

    internal ObjectiveOptions Copy() => (ObjectiveOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (TargetPercent is <= 0 or >= 100)
            yield return $"{path}:TargetPercent is {TargetPercent}: above 0 and below 100 is needed.";
        if (Period <= TimeSpan.Zero)
            yield return $"{path}:Period is {Period}: more than 0 is needed.";
    }
}
