using HaKit.Availability;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes in the mathematics of availability: percentages in place of shares, and numbers that no system has.</summary>
internal static class AvailabilityMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("an availability in percent", () => ThrowsAsync(() => AvailabilityRatio.From(99.9)), "99.9", "availability", "99.9 % is 0.999"),
        new("a decimal availability in percent", () => ThrowsAsync(() => AvailabilityRatio.From(99.95m)), "99.95", "availability", "99.95 % is 0.9995"),
        new("a text that is no availability", () => ThrowsAsync(() => AvailabilityRatio.Parse("99.9")), "'99.9'", "availability", "99.95%"),
        new("a comma in an availability", () => ThrowsAsync(() => AvailabilityRatio.Parse("99,9%")), "'99,9%'", "availability", "99.95%"),
        new("a confidence in percent", () => ThrowsAsync(() => Estimate.ClopperPearson(99, 100, 95)), "95", "confidence", "95 % is 0.95"),
        new("a utilisation in percent", () => ThrowsAsync(() => Capacity.NPlusK(1000, 100, 70, 1)), "70", "utilisation", "70 % is 0.7"),
        new("a common cause in percent", () => ThrowsAsync(() => Planner.EndpointsFor(AvailabilityRatio.From(0.99m), AvailabilityRatio.From(0.999m), beta: 10)), "10", "beta", "10 % is 0.1"),
        new("a coverage in percent", () => ThrowsAsync(() => new FailoverModel { Coverage = 99 }.Availability()), "99", "Coverage", "99 % is 0.99"),
        new("no replica", () => ThrowsAsync(() => Capacity.InstancesFor(0, AvailabilityRatio.From(0.99m), AvailabilityRatio.From(0.999m))), "0", "required", "at least 1"),
        new("more successes than trials", () => ThrowsAsync(() => Estimate.Wilson(100, 99)), "100", "successes", "between 0 and 99"),
    ];

    private static Task<string> ThrowsAsync<T>(Func<T> act) => RefusesAsync(() =>
    {
        act();
        return Task.CompletedTask;
    });
}
