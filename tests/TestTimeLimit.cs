using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Xunit.v3;

[assembly: HaKit.TestSupport.TestTimeLimit]

namespace HaKit.TestSupport;

/// <summary>
/// Gives every test of the assembly a time limit. A test that does not end within it ends the process, with the test's name on the error stream. So a hang is a
/// failure with a name, even if the test blocks its thread and cannot be cancelled. Directory.Build.props compiles this file into every test project.
/// <c>HAKIT_TEST_LIMIT</c> sets the limit in seconds; 0: no limit. Default 600.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class TestTimeLimitAttribute : BeforeAfterTestAttribute
{
    private static readonly ConcurrentDictionary<string, Timer> s_running = new();

    private static TimeSpan Limit { get; } = TimeSpan.FromSeconds(
        double.TryParse(Environment.GetEnvironmentVariable("HAKIT_TEST_LIMIT"), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? seconds : 600);

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (Limit <= TimeSpan.Zero || Debugger.IsAttached)
            return;
        s_running[test.UniqueID] = new Timer(static name => End((string)name!), test.TestDisplayName, Limit, Timeout.InfiniteTimeSpan);
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (s_running.TryRemove(test.UniqueID, out var timer))
            timer.Dispose();
    }

    private static void End(string name)
    {
        Console.Error.WriteLine($"[FAIL] {name} did not end within {Limit.TotalSeconds:0} s (HAKIT_TEST_LIMIT).");
        Console.Error.Flush();
        Environment.FailFast($"The test '{name}' did not end within {Limit.TotalSeconds:0} s.");
    }
}
