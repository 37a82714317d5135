using HaKit.Sample.Rehearsals;
using HaKit.Testing;

namespace HaKit.Sample;

/// <summary>Three servers, one of them in trouble at a time, and calls at random times all the while.</summary>
internal static class DrillCommand
{
    private const string Usage = """
        drill [--duration SECONDS] [--rate CALLS] [--streamed SHARE] [--seed N] [--no-failover] [--json FILE]

          --duration SECONDS   how long it lasts, 2 to 3600 (default 30)
          --rate CALLS         calls a second, at random times, 1 to 500 (default 40)
          --streamed SHARE     the share of calls that ask for a stream, 0 to 1 (default 0.25); one that is cut and says so is no lost call
          --seed N             of everything random (default 1)
          --no-failover        one attempt for each call, to see what that costs
          --json FILE          writes the figures to a file

        Exit code 1 if a call was lost, an answer was not whole, or the books of client and servers disagree.
        """;

    public static async Task<int> RunAsync(IEnumerable<string> args, TextWriter output, CancellationToken cancellationToken)
    {
        var line = new CommandLine(args);
        if (line.Flag("--help") || line.Flag("-h"))
        {
            await output.WriteLineAsync(Usage);
            return 0;
        }
        var duration = TimeSpan.FromSeconds(line.Number("--duration", 30, 2, 3600));
        var rate = line.Number("--rate", 40, 1, 500);
        var streamed = line.Number("--streamed", 0.25, 0, 1);
        var seed = line.Whole("--seed", 1);
        var failover = !line.Flag("--no-failover");
        var json = line.Text("--json");
        line.RefuseTheRest();
        return await Performance.RunAsync(
            new Plan
            {
                Title = "drill",
                Seed = seed,
                Failover = failover,
                StreamedShare = streamed,
                Duration = duration,
                Arrivals = Arrivals.AtRandom(rate, duration, seed),
                Acts = Act.Drill(duration),
                Usual = FakeFault.None,
                Slowness = TimeSpan.FromSeconds(3),
                AttemptTimeout = TimeSpan.FromSeconds(1),
                Deadline = TimeSpan.FromSeconds(10),
            },
            json, output, cancellationToken);
    }
}
