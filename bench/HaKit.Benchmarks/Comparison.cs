using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using HaKit.Selection;

namespace HaKit.Benchmarks;

/// <summary>
/// Compares the cost of a call through the pool with the cost of other libraries that do a part of the same work, and writes the result as a page: <c>dotnet
/// run -c Release --project bench/HaKit.Benchmarks -- compare [slices=12] [table=docs/evidence/benchmarks.md]</c>. All rivals run in one process and take turns
/// in short slices, and the cheapest slice of each rival counts. Other work of the machine then affects all rivals equally, so the ratios are valid on a busy
/// machine too.
/// </summary>
internal static class Comparison
{
    private sealed record Rival(string Name, Action<int> Run, Action? Before = null);

    /// <summary>The cost of one call, in nanoseconds and bytes.</summary>
    private readonly record struct Cost(double Processor, double Wall, double Bytes)
    {
        public Cost Least(Cost other) => new(Math.Min(Processor, other.Processor), Math.Min(Wall, other.Wall), Math.Min(Bytes, other.Bytes));
    }

    private sealed record Group(string Title, string Base, int CallsPerSlice, Rival[] Rivals);

    public static async Task<int> RunAsync(string[] args)
    {
        var given = args.Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p[^1]);
        var slices = given.TryGetValue("slices", out var number) ? int.Parse(number, CultureInfo.InvariantCulture) : 12;
        var only = given.GetValueOrDefault("only", "");
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            # What a call costs

            These tables show the processor time, the time and the allocated bytes of a call through a pool, compared with other components that do a part of the same work. This command writes them:

            ```sh
            dotnet run -c Release --project bench/HaKit.Benchmarks -- compare table=docs/evidence/benchmarks.md
            ```

            The figures are from {RuntimeInformation.FrameworkDescription} on {Environment.ProcessorCount} cores. All variants run in one process and take turns in short slices. The figures come from the cheapest of {slices} slices.
            Compare only the ratios within one table, because the times depend on the machine. Processor time is the time of the whole process, including the garbage collector and all threads.

            - **bare**: an `HttpClient` alone. It sends the request once and does not check the answer.
            - **standard handler**: `AddStandardResilienceHandler` with one address. It checks only the status of the answer.
            - **standard hedging handler**: `AddStandardHedgingHandler`.
            - **standard, answer checked**: the standard handler, with an additional step that reads the whole answer within the attempt and checks that it is complete JSON, as the pool does.
            - **pool**: a pool of two endpoints. It chooses an endpoint, keeps the request's body for a second attempt, reads the whole answer, checks whether it is an answer, and reads its number of tokens.

            In memory, one thread does everything. If an answer comes later, the same thread completes the answer after the call has returned to this thread. Therefore these figures contain no change of threads.

            """);
        foreach (var group in Groups().Where(g => g.Title.Contains(only, StringComparison.OrdinalIgnoreCase)))
            Append(page, group, slices);
        if ("real sockets".Contains(only, StringComparison.OrdinalIgnoreCase))
            await AppendSocketsAsync(page, slices).ConfigureAwait(false);
        if ("threads".Contains(only, StringComparison.OrdinalIgnoreCase))
            AppendThreads(page, slices);
        Console.Write(page);
        if (given.TryGetValue("table", out var file))
            await File.WriteAllTextAsync(file, page.ToString()).ConfigureAwait(false);
        return 0;
    }

    private static IEnumerable<Group> Groups()
    {
        var calls = new FailoverBenchmarks();
        calls.Learn();
        yield return new Group("A call without HTTP, answered at once", "Polly", 20_000,
        [
            new("Polly: timeout, retry, breaker, timeout", Repeat(calls.Polly_alone)),
            new("pool of three", Repeat(calls.Pool)),
            new("pool of three, failing over once", Repeat(calls.Pool_failing_over_once)),
        ]);
        yield return new Group("A call without HTTP, answered later", "Polly", 20_000,
        [
            new("Polly: timeout, retry, breaker, timeout", Repeat(calls.Polly_alone_asynchronous)),
            new("pool of three", Repeat(calls.Pool_asynchronous)),
            new("pool of three, hedging on, no hedge starts", Repeat(calls.Pool_hedging_armed)),
        ]);
        yield return new Group("A call without HTTP, recorded", "pool of three", 20_000,
        [
            new("pool of three", Repeat(calls.Pool)),
            new("pool of three, with a flight recorder", Repeat(calls.Pool_recorded), calls.Write_recording),
        ]);
        var choices = ((int[])[3, 16, 1000, 10_000]).Select(count =>
        {
            var selection = new SelectionBenchmarks { N = count };
            selection.Setup();
            return new Rival($"{count:N0} endpoints", Repeat(selection.Pick));
        });
        yield return new Group("A choice among endpoints", "3 endpoints", 100_000, [.. choices]);
        foreach (var asynchronous in (bool[])[false, true])
        {
            using var http = new HttpBenchmarks { Asynchronous = asynchronous };
            http.Setup();
            yield return new Group(asynchronous ? "HTTP in memory, answered later" : "HTTP in memory, answered at once", "standard handler", 10_000, Rivals(http));
        }
    }

    private static Rival[] Rivals(HttpBenchmarks http) =>
    [
        new("bare", RepeatTask(http.Bare)),
        new("standard handler", RepeatTask(http.StandardHandler)),
        new("standard hedging handler", RepeatTask(http.HedgingHandler)),
        new("standard, answer checked", RepeatTask(http.CheckedHandler)),
        new("pool", RepeatTask(http.Pooled)),
    ];

    private static async Task AppendSocketsAsync(StringBuilder page, int slices)
    {
        using var server = await AnswerServer.StartAsync().ConfigureAwait(false);
        using var http = new HttpBenchmarks { Server = server.Address };
        http.Setup();
        Append(page, new Group("HTTP over real sockets, one call after another (the server is another process)", "standard handler", 500, Rivals(http)), slices);
    }

    private static void Append(StringBuilder page, Group group, int slices)
    {
        var least = new Cost[group.Rivals.Length];
        Array.Fill(least, new Cost(double.MaxValue, double.MaxValue, double.MaxValue));
        foreach (var rival in group.Rivals)
        {
            // Runs each rival until the runtime has compiled its code in the final form.
            for (var i = 0; i < 3; i++)
            {
                rival.Before?.Invoke();
                rival.Run(group.CallsPerSlice);
                Thread.Sleep(120);
            }
        }

        for (var slice = 0; slice < slices; slice++)
        {
            for (var i = 0; i < least.Length; i++)
                least[i] = least[i].Least(Measure(group.Rivals[i], group.CallsPerSlice));
        }

        var unit = least[Array.FindIndex(group.Rivals, r => r.Name.StartsWith(group.Base, StringComparison.Ordinal))];
        page.Append(CultureInfo.InvariantCulture, $"\n## {group.Title}\n\n| | processor time | × | time | bytes | × |\n|---|---|---|---|---|---|\n");
        for (var i = 0; i < least.Length; i++)
        {
            page.Append(CultureInfo.InvariantCulture,
                $"| {group.Rivals[i].Name} | {least[i].Processor:0} ns | {least[i].Processor / unit.Processor:0.00} | {least[i].Wall:0} ns | {least[i].Bytes:0} | {(unit.Bytes > 0 ? $"{least[i].Bytes / unit.Bytes:0.00}" : "")} |\n");
        }

        Console.Error.WriteLine($"measured: {group.Title}");
    }

    private static Cost Measure(Rival rival, int calls)
    {
        rival.Before?.Invoke();
        var bytes = GC.GetTotalAllocatedBytes();
        var (processor, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        rival.Run(calls);
        var wall = Stopwatch.GetElapsedTime(start);
        processor = Environment.CpuUsage.TotalTime - processor;
        return new(processor.TotalNanoseconds / calls, wall.TotalNanoseconds / calls, (double)(GC.GetTotalAllocatedBytes() - bytes) / calls);
    }

    private static void AppendThreads(StringBuilder page, int slices)
    {
        const int calls = 40_000;
        page.Append("""

            ## Threads

            The figures show how many calls (or choices) all threads together make per second, as a multiple of a single thread. The best possible value is the number of threads, if the machine has as many cores. Threads that call through one pool write the same counters. The cost of this depends on the processor. A figure below 1 means that all threads together make fewer calls than one thread alone. These are rates of more than a million calls per second, which calls over a network do not reach.

            | threads | choices among 3 | choices, a pool for each thread | calls, one pool | calls, a pool for each thread |
            |---|---|---|---|---|

            """);
        var selections = Enumerable.Range(0, 4).Select(_ => NewSelection()).ToArray();
        var pools = Enumerable.Range(0, 4).Select(_ => new FailoverBenchmarks()).ToArray();
        foreach (var threads in ((int[])[1, 2, 4]).Where(t => t == 1 || t <= 2 * Environment.ProcessorCount))
        {
            var shared = Throughput(threads, slices, i => selections[0], s => s.Pick(), 5 * calls);
            var own = Throughput(threads, slices, i => selections[i], s => s.Pick(), 5 * calls);
            var one = Throughput(threads, slices, i => pools[0], CallOnce, calls);
            var each = Throughput(threads, slices, i => pools[i], CallOnce, calls);
            page.Append(CultureInfo.InvariantCulture, $"| {threads} | {shared:0.00} | {own:0.00} | {one:0.00} | {each:0.00} |\n");
        }
        Console.Error.WriteLine("measured: threads");
    }

    private static void CallOnce(FailoverBenchmarks pool)
    {
#pragma warning disable CA2012 // It has completed.
        _ = pool.Pool().Result;
#pragma warning restore CA2012
    }

    private static SelectionBenchmarks NewSelection()
    {
        var selection = new SelectionBenchmarks { N = 3 };
        selection.Setup();
        return selection;
    }

    // One thread and many threads take turns; the best slice of each counts.
    private static double Throughput<T>(int threads, int slices, Func<int, T> on, Action<T> one, int calls)
    {
        double alone = double.MaxValue, together = double.MaxValue;
        for (var slice = 0; slice < slices + 2; slice++)
        {
            var (single, all) = (Elapsed(1), Elapsed(threads));
            if (slice >= 2)
                (alone, together) = (Math.Min(alone, single), Math.Min(together, all));
        }
        return threads * alone / together;

        double Elapsed(int count)
        {
            using var barrier = new Barrier(count + 1);
            var workers = Enumerable.Range(0, count).Select(i => new Thread(() =>
            {
                var target = on(i);
                barrier.SignalAndWait();
                for (var n = 0; n < calls; n++)
                    one(target);
                barrier.SignalAndWait();
            })).ToArray();
            foreach (var worker in workers)
                worker.Start();
            barrier.SignalAndWait();
            var start = Stopwatch.GetTimestamp();
            barrier.SignalAndWait();
            var elapsed = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
            foreach (var worker in workers)
                worker.Join();
            return elapsed;
        }
    }

    private static Action<int> Repeat<T>(Func<ValueTask<T>> call) => count =>
    {
        for (var i = 0; i < count; i++)
        {
#pragma warning disable CA2012 // Each is consumed once.
            var task = call();
            _ = task.IsCompleted ? task.Result : task.AsTask().GetAwaiter().GetResult();
#pragma warning restore CA2012
        }
    };

    private static Action<int> Repeat(Func<object?> call) => count =>
    {
        for (var i = 0; i < count; i++)
            call();
    };

    private static Action<int> RepeatTask(Func<Task<int>> call) => count => ManyAsync(call, count).GetAwaiter().GetResult();

    private static async Task ManyAsync(Func<Task<int>> call, int count)
    {
        for (var i = 0; i < count; i++)
            await call().ConfigureAwait(false);
    }
}
