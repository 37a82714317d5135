using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace HaKit.Benchmarks;

/// <summary>
/// Measures every promised figure and its baseline in one run, and writes them as a page: <c>dotnet run -c Release --project bench/HaKit.Benchmarks -- figures
/// [table=docs/evidence/targets.md]</c>. It only reports and never fails, because times depend on the machine. <see cref="Guard"/> fails, because its figures
/// depend only on the code.
/// </summary>
internal static class Figures
{
    /// <summary>Names one benchmark with its parameter, if it has one.</summary>
    private readonly record struct Of(Type Type, string Method, object? Parameter = null);

    /// <param name="Ours">The promised benchmark.</param>
    /// <param name="Base">The baseline of the promise. For <see cref="Compare.Absolute"/> the baseline is only shown and does not count.</param>
    private sealed record Figure(string Room, string What, Of Ours, Of? Base, Compare Compare, double MostTime, double MostBytes = double.PositiveInfinity);

    private enum Compare
    {
        Absolute,
        Ratio,
        Difference,
    }

    private readonly record struct Measured(double Nanoseconds, double Bytes);

    private static readonly Figure[] All =
    [
        new("Failover", "a call, synchronous", Call(nameof(FailoverBenchmarks.Pool)), Call(nameof(FailoverBenchmarks.Polly_alone)), Compare.Ratio, 1, 0),
        new("Failover", "a call, asynchronous", Call(nameof(FailoverBenchmarks.Pool_asynchronous)), Call(nameof(FailoverBenchmarks.Polly_alone_asynchronous)), Compare.Ratio, 1, double.NaN),
        new("Failover", "failing over once", Call(nameof(FailoverBenchmarks.Pool_failing_over_once)), Call(nameof(FailoverBenchmarks.Polly_alone)), Compare.Absolute, 3000),
        new("Failover", "hedging on, no hedge starts", Call(nameof(FailoverBenchmarks.Pool_hedging_armed)), Call(nameof(FailoverBenchmarks.Pool_asynchronous)), Compare.Difference, 500),
        Pick(3, 60), Pick(16, 150), Pick(1000, 250), Pick(10_000, 300),
        Contended(3), Contended(16), Contended(1000), Contended(10_000),
        new("Http", "a call, answered at once", Http(nameof(HttpBenchmarks.Pooled), false), Http(nameof(HttpBenchmarks.Bare), false), Compare.Difference, 5000, 1536),
        new("Http", "the same by a handler written with Polly", Http(nameof(HttpBenchmarks.PollyByHand), false), Http(nameof(HttpBenchmarks.Bare), false), Compare.Difference, double.NaN, double.NaN),
        new("Http", "a call, answered later", Http(nameof(HttpBenchmarks.Pooled), true), Http(nameof(HttpBenchmarks.Bare), true), Compare.Difference, 5000, 1536),
        new("Http", "the same by a handler written with Polly", Http(nameof(HttpBenchmarks.PollyByHand), true), Http(nameof(HttpBenchmarks.Bare), true), Compare.Difference, double.NaN, double.NaN),
        new("Http", "reading a token that has already arrived", new(typeof(HttpStreamBenchmarks), nameof(HttpStreamBenchmarks.Pooled)), new(typeof(HttpStreamBenchmarks), nameof(HttpStreamBenchmarks.Bare)), Compare.Absolute, 300, 0),
        new("Http", "reading a token that arrives later", new(typeof(HttpStreamBenchmarks), nameof(HttpStreamBenchmarks.PooledLater)), new(typeof(HttpStreamBenchmarks), nameof(HttpStreamBenchmarks.BareLater)), Compare.Absolute, 600, 0),
        new("HaKit.AI", "a chat call", Ai(nameof(AiBenchmarks.Pool)), Ai(nameof(AiBenchmarks.Client_alone)), Compare.Difference, 2000),
        new("HaKit.AI", "an update of a stream", Ai(nameof(AiBenchmarks.Pool_update)), Ai(nameof(AiBenchmarks.Client_alone_update)), Compare.Absolute, 150, 0),
        new("Telemetry", "all telemetry of a call, without a listener", new(typeof(TelemetryBenchmarks), nameof(TelemetryBenchmarks.Checks_for_listeners)), null, Compare.Absolute, 30, 0),
        Verdict("an error answer: a used-up quota, recognised by its code", nameof(FaultsBenchmarks.Quota_by_code)),
        Verdict("an error answer: a prompt that is too long, recognised by its message", nameof(FaultsBenchmarks.Context_length_by_message)),
        Verdict("an error answer: a throttle with the wait in its message", nameof(FaultsBenchmarks.Throttle_with_the_wait_in_the_message)),
        Verdict("an error answer whose body is cut", nameof(FaultsBenchmarks.Cut_body)),
        new("HaKit.Testing", "a simulated call; beside it, Polly alone on the same clock", new(typeof(SimulatorBenchmarks), nameof(SimulatorBenchmarks.Pool)), new(typeof(SimulatorBenchmarks), nameof(SimulatorBenchmarks.Polly)), Compare.Ratio, 1),
        Mathematics("the availability of k of n, for n = 1,000", nameof(AvailabilityBenchmarks.KofN_990_of_1000), 1_000_000),
        Mathematics("the availability of a block diagram of 50 components", nameof(AvailabilityBenchmarks.Block_of_50_components), 5000),
        Mathematics("both Clopper–Pearson bounds", nameof(AvailabilityBenchmarks.Both_Clopper_Pearson_bounds_999_of_1000), 5000),
        Mathematics("recording an outcome", nameof(AvailabilityBenchmarks.Record_an_outcome), 15, 0),
        new("HaKit.AspNetCore", "the dashboard's data, 100 endpoints", new(typeof(DashboardBenchmarks), nameof(DashboardBenchmarks.Everything)), null, Compare.Absolute, 5_000_000),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        var given = args.Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p[^1]);
        var measured = Measure();
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            # Performance targets

            The table shows every performance target and whether it is reached. This command writes the page:

            ```sh
            dotnet run -c Release --project bench/HaKit.Benchmarks -- figures table=docs/evidence/targets.md
            ```

            The figures are from {RuntimeInformation.FrameworkDescription} on {Environment.ProcessorCount} cores. Times are medians. They depend on the machine and its load. Therefore most rows also have another operation that was measured in the same run (the column "beside it"), with its time and bytes. There, `Bare` and `Client alone` are the same operation without HaKit. `Polly alone` is a call through Polly's timeout, retry, circuit breaker and timeout. `Pool asynchronous` is the same call without hedging, and `Pick` is the same choice by one thread.
            "Bytes" is the memory that one operation allocates; it does not depend on the machine. "Aim" is the target. If it contains the word "more", it limits the difference from the operation in the column "beside it". The same program with `-- guard` checks that the figures do not become worse: more bytes fail the check, and worse ratios are only printed.

            | part | what | time | bytes | beside it | time | bytes | aim | reached |
            |---|---|---|---|---|---|---|---|---|

            """);
        foreach (var figure in All)
            page.Append(Row(figure, measured));
        var size = new DashboardBenchmarks().Everything();
        page.Append(CultureInfo.InvariantCulture, $"| HaKit.AspNetCore | the size of the dashboard's data, 100 endpoints | | {size} | | | | at most 102,400 B | {Reached(size <= 102_400)} |\n");
        page.Append("\nFor choices by two threads, the time is the time of one of the threads. The target is at most twice the time of a single thread. In the last row, the bytes are the size of the data, not the allocated memory.\n");
        page.Append("\n## Whole processes\n\nThe command does not compare these measurements with their aims: each aim is in the line above its measurement.\n\n");
        await AppendAsync(page, "Telemetry of a call, in processor time (aims: at most 30 ns without a listener, and at most 1 µs more with all listeners)", "telemetry-load", () => TelemetryLoad.RunAsync([]));
        await AppendAsync(page, "An open dashboard (aim: under 1 % of a core)", "dashboard-load", () => DashboardLoad.RunAsync([]));
        await AppendAsync(page, "Heartbeats of 10,000 endpoints (aim: under 10 % of a core)", "heartbeat-load", () => HeartbeatLoad.RunAsync([]));
        Console.Write(page);
        if (given.TryGetValue("table", out var file))
            await File.WriteAllTextAsync(file, page.ToString());
        return 0;
    }

    private static Of Call(string method) => new(typeof(FailoverBenchmarks), method);

    private static Of Http(string method, bool later) => new(typeof(HttpBenchmarks), method, later);

    private static Of Ai(string method) => new(typeof(AiBenchmarks), method);

    private static Figure Pick(int n, double most) => new("Selection", $"a choice among {n:N0}", new(typeof(SelectionBenchmarks), nameof(SelectionBenchmarks.Pick), n), null, Compare.Absolute, most, 0);

    private static Figure Contended(int n) =>
        new("Selection", $"a choice among {n:N0}, by two threads", new(typeof(SelectionBenchmarks), nameof(SelectionBenchmarks.Pick_by_two_threads), n), new(typeof(SelectionBenchmarks), nameof(SelectionBenchmarks.Pick), n), Compare.Ratio, 2);

    private static Figure Verdict(string what, string method) => new("Faults", what, new(typeof(FaultsBenchmarks), method), null, Compare.Absolute, 2000);

    private static Figure Mathematics(string what, string method, double most, double bytes = double.PositiveInfinity) =>
        new("HaKit.Availability", what, new(typeof(AvailabilityBenchmarks), method), null, Compare.Absolute, most, bytes);

    private static Dictionary<Of, Measured> Measure()
    {
        var measured = new Dictionary<Of, Measured>();
        var job = Job.ShortRun.WithIterationCount(9).WithToolchain(InProcessEmitToolchain.Instance);
        var config = ManualConfig.CreateEmpty().AddJob(job).AddLogger(ConsoleLogger.Default);
        foreach (var ofType in All.SelectMany(f => f.Base is { } b ? new[] { f.Ours, b } : [f.Ours]).GroupBy(o => o.Type))
        {
            MethodInfo[] methods = [.. ofType.Select(o => o.Method).Distinct().Select(name => ofType.Key.GetMethod(name)!)];
            foreach (var report in BenchmarkRunner.Run(ofType.Key, methods, config).Reports)
            {
                if (report.ResultStatistics is { } statistics)
                {
                    measured[new(ofType.Key, report.BenchmarkCase.Descriptor.WorkloadMethod.Name, report.BenchmarkCase.Parameters.Items is [var given, ..] ? given.Value : null)] =
                        new(statistics.Median, report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? double.NaN);
                }
            }
        }
        return measured;
    }

    private static string Row(Figure figure, Dictionary<Of, Measured> measured)
    {
        if (!measured.TryGetValue(figure.Ours, out var ours))
            return $"| {figure.Room} | {figure.What} | not measured | | | | | | |\n";
        Measured? beside = figure.Base is { } b && measured.TryGetValue(b, out var found) ? found : null;
        var (time, bytes, aim) = figure.Compare switch
        {
            Compare.Ratio => (ours.Nanoseconds / beside?.Nanoseconds, ours.Bytes, $"at most {figure.MostTime} × its time"),
            Compare.Difference => (ours.Nanoseconds - beside?.Nanoseconds, ours.Bytes - beside?.Bytes, $"at most {Time(figure.MostTime)} more"),
            _ => ((double?)ours.Nanoseconds, (double?)ours.Bytes, $"at most {Time(figure.MostTime)}"),
        };
        // Without a number of bytes, the limit is the number of bytes of the baseline.
        var mostBytes = double.IsNaN(figure.MostBytes) ? beside?.Bytes ?? double.PositiveInfinity : figure.MostBytes;
        if (double.IsFinite(mostBytes))
            aim += figure.Compare == Compare.Difference ? $", {mostBytes:0} B more" : $", {mostBytes:0} B";
        var told = double.IsNaN(figure.MostTime) ? " | " : $"{aim} | {Reached(time <= figure.MostTime && bytes <= mostBytes)}{Ratio(figure, time)}";
        return string.Create(CultureInfo.InvariantCulture,
            $"| {figure.Room} | {figure.What} | {Time(ours.Nanoseconds)} | {ours.Bytes:0} | {figure.Base?.Method.Replace('_', ' ')} | {(beside is { } x ? $"{Time(x.Nanoseconds)} | {x.Bytes:0}" : " | ")} | {told} |\n");
    }

    private static string Ratio(Figure figure, double? time) => figure.Compare switch
    {
        Compare.Ratio => string.Create(CultureInfo.InvariantCulture, $" ({time:0.00} ×)"),
        Compare.Difference => $" ({(time < 0 ? "−" : "+")}{Time(Math.Abs(time ?? double.NaN))})",
        _ => "",
    };

    private static string Reached(bool reached) => reached ? "yes" : "**no**";

    private static string Time(double nanoseconds) => nanoseconds switch
    {
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e6:0.##} ms"),
        >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e3:0.##} µs"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds:0.#} ns"),
    };

    private static async Task AppendAsync(StringBuilder page, string title, string command, Func<Task<int>> run)
    {
        var console = Console.Out;
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        Console.SetOut(text);
        try
        {
            await run();
        }
        finally
        {
            Console.SetOut(console);
        }
        page.Append($"{title}: `-- {command}`\n\n```text\n{text.ToString().TrimEnd()}\n```\n\n");
    }
}
