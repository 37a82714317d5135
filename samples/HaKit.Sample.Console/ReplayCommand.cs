using HaKit.Sample.Rehearsals;
using HaKit.Testing;

namespace HaKit.Sample;

/// <summary>A recorded workload, faster than it was, with one server killed and one slowed on the way.</summary>
internal static class ReplayCommand
{
    // What a token takes a usual model, and what its users put up with; all of it is divided by the speed.
    private static readonly TimeSpan Token = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Usage = """
        replay --trace FILE [--speed N] [--minutes M] [--streamed SHARE] [--seed N] [--no-failover] [--json FILE]

          --trace FILE         CSV with the columns TIMESTAMP,ContextTokens,GeneratedTokens, as the Azure LLM inference trace has them
          --speed N            how many times faster than recorded, 1 to 100 (default 20)
          --minutes M          how much of the recording, counted from its first line, 0.1 to 100000 (default: all of it)
          --streamed SHARE     the share of calls that ask for a stream, 0 to 1 (default 0.25); one that is cut and says so is no lost call
          --seed N             of everything random (default 1)
          --no-failover        one attempt for each call, to see what that costs
          --json FILE          writes the figures to a file

        Nothing is replayed if a line is bad; each is reported with its number, and the exit code is 2.
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
        var file = line.Text("--trace");
        var speed = line.Number("--speed", 20, 1, 100);
        var minutes = line.Number("--minutes", 100_000, 0.1, 100_000);
        var streamed = line.Number("--streamed", 0.25, 0, 1);
        var seed = line.Whole("--seed", 1);
        var failover = !line.Flag("--no-failover");
        var json = line.Text("--json");
        line.RefuseTheRest();
        if (file is null)
            throw new UsageException("--trace is needed: the file to replay.");
        var trace = Trace.Read(file, TimeSpan.FromMinutes(minutes));
        var duration = trace[^1].At / speed;
        return await Performance.RunAsync(
            new Plan
            {
                Title = $"replay of {Path.GetFileName(file)} at {speed}×",
                Seed = seed,
                Failover = failover,
                StreamedShare = streamed,
                Duration = duration,
                Arrivals = trace.Select(a => a with { At = a.At / speed }),
                Acts = Act.Replay(duration),
                Usual = FakeFault.Latency(perToken: Token / speed),
                Slowness = 2 * Patience / speed,
                AttemptTimeout = Max(Patience / speed, TimeSpan.FromSeconds(1)),
                Deadline = Max(5 * Patience / speed, TimeSpan.FromSeconds(10)),
            },
            json, output, cancellationToken);
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
