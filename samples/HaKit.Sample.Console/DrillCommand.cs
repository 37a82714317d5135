using System.Globalization;

namespace HaKit.Sample;

/// <summary>Runs the drill: three servers, of which one at a time has a fault, and calls at random times.</summary>
internal static class DrillCommand
{
    private const string Usage = """
        drill [--duration SECONDS] [--rate CALLS] [--seed N] [--no-failover]

          --duration SECONDS   the length of the drill in seconds, 2 to 3600 (default 30)
          --rate CALLS         calls per second, at random times, 1 to 500 (default 40)
          --seed N             the seed of all random numbers (default 1)
          --no-failover        one attempt for each call, to show how many calls are lost without failover

        Exit code 1 if a call was lost or an answer was not complete.
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
        var seed = line.Whole("--seed", 1);
        var failover = !line.Flag("--no-failover");
        line.RefuseTheRest();
        await using var drill = await Drill.StartAsync(seed, failover, output, cancellationToken);
        var calls = await drill.RunAsync(duration, rate, cancellationToken);
        await output.WriteLineAsync(Summary(calls, duration, seed, failover));
        return calls.All(c => c.Outcome == CallOutcome.Served) ? 0 : 1;
    }

    private static string Summary(IReadOnlyCollection<DrillCall> calls, TimeSpan duration, int seed, bool failover)
    {
        var served = calls.Where(c => c.Outcome == CallOutcome.Served).ToArray();
        var lost = calls.Count(c => c.Outcome == CallOutcome.Lost);
        var wrong = calls.Count(c => c.Outcome == CallOutcome.Wrong);
        var times = served.Select(c => c.Time.TotalMilliseconds).Order().ToArray();
        var median = At(times, 0.5);
        List<FormattableString> lines =
        [
            $"",
            $"drill: {calls.Count} calls in {duration.TotalSeconds:0} s, seed {seed}{(failover ? "" : ", no failover")}",
            $"",
            .. served.GroupBy(c => c.ServedBy).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(FormattableString (g) => $"  {g.Key,-10}{g.Count(),5} calls served, {100.0 * g.Count() / served.Length:0.0} %"),
            .. calls.Where(c => c.Why is not null).Take(3).Select(FormattableString (c) => $"  {c.Why}"),
            $"",
            $"  {Verdict(calls.Count, lost, wrong)}",
            $"  A call takes {median:0.0} ms (median). The faults added at most {Added(times, 0.99, median)} to 99 of 100 calls, and {Added(times, 1, median)} to the slowest.",
            $"  served {served.Length}, wrong {wrong}, lost {lost}",
        ];
        return string.Join(Environment.NewLine, lines.Select(l => l.ToString(CultureInfo.InvariantCulture)));
    }

    private static string Verdict(int calls, int lost, int wrong) => lost + wrong == 0
        ? $"Every call was served with the right answer, although one of the three servers was in trouble most of the time."
        : $"{lost + wrong} of {calls} calls were not served with the right answer.";

    private static string Added(double[] sorted, double share, double median) => (At(sorted, share) - median) switch
    {
        >= 1000 and var ms => string.Create(CultureInfo.InvariantCulture, $"{ms / 1000:0.0} s"),
        var ms => string.Create(CultureInfo.InvariantCulture, $"{ms:0} ms"),
    };

    private static double At(double[] sorted, double share) => sorted.Length == 0 ? 0 : sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
}
