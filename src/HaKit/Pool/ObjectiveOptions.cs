using System.Globalization;
using HaKit.Availability;

namespace HaKit;

/// <summary>Sets the pool's availability objective. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class ObjectiveOptions
{
    /// <summary>
    /// Gets or sets the percentage of calls that must be served. Default 99.9; above 1 and below 100. (A value such as 0.999 would be a share, not a
    /// percentage.)
    /// </summary>
    public decimal TargetPercent { get; set; } = 99.9m;

    /// <summary>Gets or sets the period of the objective. Default 30 days; more than 0, at most 10 years.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromDays(30);

    internal Slo ToSlo() => new(AvailabilityRatio.From(TargetPercent / 100), Period);

    internal ObjectiveOptions Copy() => (ObjectiveOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (TargetPercent is <= 0 or >= 100)
            yield return $"{path}:TargetPercent is {TargetPercent}: above 1 and below 100 is needed, such as 99.9.";
        else if (TargetPercent <= 1)
            yield return string.Create(CultureInfo.InvariantCulture, $"{path}:TargetPercent is {TargetPercent}, which reads like a share: percent is needed, such as {(TargetPercent == 1 ? 99.9m : TargetPercent * 100):0.####}.");
        if (SettingRange.FindAboveZero($"{path}:{nameof(Period)}", Period) is { } period)
            yield return period;
    }
}
