using System.Globalization;

namespace HaKit.Testing.Tests;

/// <summary>How many cases the tests with thousands of them try: all of them, or the percentage that HAKIT_EFFORT says, as when they run once for each mutant.</summary>
internal static class Effort
{
    private static readonly int Percent = int.Parse(Environment.GetEnvironmentVariable("HAKIT_EFFORT") ?? "100", CultureInfo.InvariantCulture);

    public static int Of(int cases) => Math.Max(1, cases * Percent / 100);
}
