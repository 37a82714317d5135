using System.Diagnostics;
using System.Globalization;

namespace HaKit.Benchmarks;

/// <summary>
/// Checks the figures that a change must not make worse. Bytes per operation are exact, so they decide the result. Times are reported as ratios to a baseline
/// that is measured in turn with them, beside their usual limit; absolute times are not used. The limits are for code that is compiled without a profile,
/// because such code is the same in each run. With a profile, as in applications, the code allocates less. <c>DOTNET_TieredPGO=0 dotnet run -c Release
/// --project bench/HaKit.Benchmarks -- guard</c>
/// </summary>
internal static class Guard
{
    private const int Operations = 20_000;
    private const int Rounds = 9;

    private sealed record Line(string Name, Action Ours, double MostBytes, Action? Baseline = null, double MostRatio = double.PositiveInfinity);

    public static int Run()
    {
        var failover = new FailoverBenchmarks();
        failover.Learn();
        var selection = new SelectionBenchmarks { N = 16 };
        selection.Setup();
        var health = new HealthBenchmarks();
        health.Setup();
        using var http = new HttpBenchmarks { Asynchronous = false };
        http.Setup();
        var ai = new AiBenchmarks();
        using var streams = new HttpStreamBenchmarks();
        streams.Setup().GetAwaiter().GetResult();
        Line[] lines =
        [
            new("a call, synchronous, to Polly alone", Of(failover.Pool), 0, Of(failover.Polly_alone), 1.5),
            new("a call, asynchronous, to Polly alone", Of(failover.Pool_asynchronous), 8, Of(failover.Polly_alone_asynchronous), 1.5),
            new("failing over once, to a synchronous call of Polly", Of(failover.Pool_failing_over_once), 400, Of(failover.Polly_alone), 6),
            new("hedging armed, to Polly alone, asynchronous", Of(failover.Pool_hedging_armed), 8, Of(failover.Polly_alone_asynchronous), 2),
            new("a choice among 16", Of(() => selection.Pick()), 0),
            new("health of an attempt", Of(() => health.Begin_and_succeed()), 0),
            new("an HTTP call, to the bare client's", Of(http.Pooled), 2880, Of(http.Bare), 20),
            new("a chat call, to a call of the pool", Of(ai.Pool), 1512, Of(failover.Pool), 4),
            new("a token of an HTTP stream, to the bare stream's", Of(streams.Pooled), 0, Of(streams.Bare), 40),
            new("an update of a chat stream, to the bare client's", Of(ai.Pool_update), 0, Of(ai.Client_alone_update), 15),
            new("a recorded call, to the same without a recorder", Of(failover.Pool_recorded), 0, Of(failover.Pool), 3),
        ];
        var isGood = true;
        Console.WriteLine("| what | bytes | at most | ratio | usually below |\n|---|---|---|---|---|");
        foreach (var line in lines)
        {
            var bytes = Bytes(line.Ours);
            var ratio = line.Baseline is null ? double.NaN : Ratio(line.Ours, line.Baseline);
            isGood &= bytes <= line.MostBytes;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {line.Name} | {bytes:0.#} | {line.MostBytes} | {(double.IsNaN(ratio) ? "" : $"{ratio:0.00}")} | {(line.Baseline is null ? "" : $"{line.MostRatio}")} |{(bytes > line.MostBytes ? " MORE" : ratio > line.MostRatio ? " slower than usual" : "")}"));
        }
        return isGood ? 0 : 1;
    }

    // Only the work on the calling thread is measured, so each operation must complete before it returns. If the machine stops this process for longer than a
    // timeout, a timer's thread may occasionally finish a call.
    private static Action Of<T>(Func<ValueTask<T>> benchmark)
    {
        var late = 0;
        return () =>
        {
#pragma warning disable CA2012 // The task is consumed once, after the check that it has completed.
            var call = benchmark();
            if (call.IsCompleted)
                _ = call.Result;
            else if (++late > Operations / 100)
                throw new InvalidOperationException("It was to complete at once.");
            else
                _ = call.AsTask().GetAwaiter().GetResult();
#pragma warning restore CA2012
        };
    }

    private static Action Of(Func<Task<int>> benchmark) => () => _ = benchmark().GetAwaiter().GetResult();

    private static Action Of<T>(Func<T> benchmark) => () => _ = benchmark();

    // The lowest batch counts, because other work in the process only adds bytes. Code that is not compiled in its final form allocates more, and the runtime
    // compiles it in pauses. So there is a pause before each batch, and the measurement ends when several batches in a row have brought no lower value.
    private static double Bytes(Action operation)
    {
        var least = double.PositiveInfinity;
        for (int round = 0, same = 0; round < 10 * Rounds && same < Rounds; round++, same++)
        {
            Thread.Sleep(TimeSpan.FromMilliseconds(150));
            var before = GC.GetAllocatedBytesForCurrentThread();
            Batch(operation);
            var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Operations;
            if (bytes < least)
                (least, same) = (bytes, 0);
        }
        return least;
    }

    private static double Ratio(Action ours, Action baseline)
    {
        var (least, leastBaseline) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            least = Min(least, Time(ours));
            leastBaseline = Min(leastBaseline, Time(baseline));
        }
        return least / leastBaseline;
    }

    private static TimeSpan Time(Action operation)
    {
        var start = Stopwatch.GetTimestamp();
        Batch(operation);
        return Stopwatch.GetElapsedTime(start);
    }

    private static void Batch(Action operation)
    {
        for (var i = 0; i < Operations; i++)
            operation();
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
