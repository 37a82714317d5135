using System.Globalization;

namespace HaKit.Availability.Tests;

/// <summary>
/// Gets the number of cases for tests with thousands of cases: all cases, or the percentage in HAKIT_EFFORT, for runs that are repeated for each mutant.
/// </summary>
internal static class Effort
{
    private static readonly int Percent = int.Parse(Environment.GetEnvironmentVariable("HAKIT_EFFORT") ?? "100", CultureInfo.InvariantCulture);

    public static int Of(int cases) => Math.Max(1, cases * Percent / 100);

    /// <summary>Skips a test whose number of cases cannot be reduced.</summary>
    public static void SkipUnlessFull() => Assert.SkipWhen(Percent < 100, "It takes too long to be run for each mutant.");
}
