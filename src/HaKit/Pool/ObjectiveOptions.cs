using HaKit.Availability;

namespace HaKit;

/// <summary>How available the pool is meant to be. Not thread-safe; read when the pool takes it and at each reload.</summary>
public sealed class ObjectiveOptions
{
    /// <summary>Percent of calls to be answered well. Default 99.9; above 0 and below 100.</summary>
    public decimal TargetPercent { get; set; } = 99.9m;

    /// <summary>The period it is held over. Default 30 days.</summary>
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
