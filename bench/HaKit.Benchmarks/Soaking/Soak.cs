using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using HaKit.Recording;
using HaKit.Testing;

namespace HaKit.Benchmarks;

/// <summary>
/// Makes calls as fast as possible for a long time, over two pools that share their observations. One of three servers has a fault for half of the time;
/// continuation and the flight recorder are on. Batches and a vault run beside the calls: <c>dotnet run -c Release --project bench/HaKit.Benchmarks -- soak
/// [seconds=600] [callers=16] [table=docs/evidence/soak.md]</c>. Fails if a call, an item of a batch or a snapshot is lost or wrong, if a lease is not
/// returned, or, in a run of five minutes or more, if memory, handles or threads grow.
/// </summary>
internal sealed class Soak
{
    private const int Samples = 20;
    private const double TroubleSeconds = 2;
    private const int RecordedMegabytes = 8;

    private readonly List<FakeAiServer> _servers = [];
    private readonly List<Sample> _samples = [];
    private long _whole;
    private long _cut;
    private long _lost;
    private long _wrong;
    private string? _firstLoss;

    private sealed record Sample(double At, long Calls, double HeapMegabytes, double ResidentMegabytes, int Handles, int Threads);

    public static async Task<int> RunAsync(string[] args)
    {
        var given = args.Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p[^1]);
        var seconds = double.Parse(given.GetValueOrDefault("seconds", "600"), CultureInfo.InvariantCulture);
        var callers = int.Parse(given.GetValueOrDefault("callers", "16"), CultureInfo.InvariantCulture);
        var soak = new Soak();
        var report = await soak.RunAsync(TimeSpan.FromSeconds(seconds), callers);
        Console.Write(report.Text);
        if (given.TryGetValue("table", out var file))
            await File.WriteAllTextAsync(file, report.Text);
        return report.IsGood ? 0 : 1;
    }

    private async Task<(string Text, bool IsGood)> RunAsync(TimeSpan length, int callers)
    {
        for (var i = 0; i < 3; i++)
            _servers.Add(await FakeAiServer.StartAsync(new FakeAiOptions { Name = $"server{i}", Seed = i }));
        var folder = Directory.CreateTempSubdirectory("hakit-soak-").FullName;
        var links = new InProcessLinks();
        EndpointPool[] replicas = [NewPool("one", links, folder), NewPool("two", links, folder)];
        var clients = replicas.Select(p => p.CreateHttpClient()).ToArray();
        using var seams = new CounterSum("hakit.continuations");
        await using var batches = new SoakBatches(replicas[1], Path.Combine(folder, "batches"));
        await using var vault = new SoakVault(Path.Combine(folder, "vault"));
        using var stop = new CancellationTokenSource();
        var watch = Stopwatch.StartNew();
        var trouble = MakeTroubleAsync(stop.Token);
        var work = Enumerable.Range(0, callers).Select(i => Task.Run(() => CallAsync(replicas[i % 2], clients[i % 2], i, stop.Token)))
            .Append(Task.Run(() => batches.RunAsync(stop.Token))).Append(Task.Run(() => vault.RunAsync(stop.Token))).ToArray();
        for (var i = 1; i <= Samples; i++)
        {
            await Task.Delay(length * i / Samples - watch.Elapsed is { Ticks: > 0 } left ? left : TimeSpan.Zero);
            _samples.Add(Now(watch.Elapsed));
        }
        await stop.CancelAsync();
        await Task.WhenAll([trouble, .. work]);
        var elapsed = watch.Elapsed;
        for (var i = 0; i < 100 && Leases() > 0; i++)
            await Task.Delay(50); // attempts that were given up may still be ending
        var stayed = Leases();
        var recorded = Directory.EnumerateFiles(Path.Combine(folder, "recordings"), "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length);
        foreach (var client in clients)
            client.Dispose();
        foreach (var replica in replicas)
            await replica.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        (string, bool)[] beside =
        [
            ($"{batches.Batches} batches with {batches.Items} items: {batches.Bad} items lost, wrong or double.", batches.Bad == 0 && batches.Batches > 0),
            ($"{vault.Saves} snapshots saved, {vault.Restores} restored and compared, {vault.Checks} checks: {vault.Bad} bad.", vault.Bad == 0 && vault.Restores > 0),
            ($"{seams.Sum} streams continued at another endpoint.", seams.Sum > 0),
            ($"{links.Messages} messages between the replicas.", links.Messages > 0),
            (string.Create(CultureInfo.InvariantCulture, $"{recorded / 1048576.0:0.0} MB of recordings kept (at most {RecordedMegabytes} MB for each replica)."), recorded > 0 && recorded <= 2 * (RecordedMegabytes + 1) * 1048576L),
        ];
        return Report(elapsed, callers, stayed, beside, batches.FirstLoss ?? vault.FirstLoss);

        int Leases() => replicas.Sum(r => r.Explain(RequestProfile.Default).Sum(e => e.InFlight));
    }

    private EndpointPool NewPool(string replica, InProcessLinks links, string folder)
    {
        var options = new EndpointPoolOptions { Heartbeat = { Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(0.5) }, CircuitBreaker = { BreakDuration = TimeSpan.FromSeconds(0.5), MaxBreakDuration = TimeSpan.FromSeconds(2) } };
        options.Retry.MaxRetryAttempts = 20;
        options.Sharing.Replica = replica;
        options.Streaming.Continuation = StreamContinuation.On;
        foreach (var server in _servers)
            options.Endpoints.Add(new EndpointOptions { Name = server.Name, Address = server.OpenAIAddress.AbsoluteUri, Continuation = Continuation.AssistantPrefix });
        var parts = new EndpointPoolParts { PeerLink = links.Connect };
        parts.UseFlightRecorder(new FlightRecorderOptions { Folder = Path.Combine(folder, "recordings", replica), MaxBytes = RecordedMegabytes * 1048576L, SegmentBytes = 1048576 });
        return new EndpointPool("soak", options, parts);
    }

    // One server at a time has a fault, each time a different kind of fault; the other servers are healthy.
    private async Task MakeTroubleAsync(CancellationToken stop)
    {
        var kinds = new (string Name, FakeFault? Fault)[]
        {
            ("killed", null), ("overloaded", FakeFault.Status(503)), ("silent", FakeFault.Hang), ("cutting", FakeFault.CutAfter(3)), ("resetting", FakeFault.Reset),
            ("slow", FakeFault.Latency(TimeSpan.FromSeconds(0.2))), ("empty", FakeFault.EmptyBody), ("throttling", FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(1))),
        };
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var server = _servers[i % _servers.Count];
            var (_, fault) = kinds[i % kinds.Length];
            if (fault is null)
                await server.KillAsync();
            else
                server.Faults.Always(fault);
            await Pause(stop);
            server.Faults.Clear();
            if (fault is null)
                await server.RestartAsync(CancellationToken.None);
            await Pause(stop); // the server recovers before the next server gets a fault, so that the pool always has an endpoint in service
        }

        static Task Pause(CancellationToken stop) => Task.Delay(TimeSpan.FromSeconds(TroubleSeconds), stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task CallAsync(EndpointPool pool, HttpClient client, int caller, CancellationToken stop)
    {
        var address = new Uri(pool.Origin.AbsoluteUri.TrimEnd('/') + "/chat/completions");
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var prompt = $"question {caller} {i % 100}";
            var stream = i % 3 == 0;
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, address)
                {
                    Content = new StringContent($$"""{"model":"m","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"{{prompt}}"}]}""", Encoding.UTF8, "application/json"),
                };
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
                var text = await response.Content.ReadAsStringAsync(CancellationToken.None);
                var answer = stream ? Joined(text) : JsonDocument.Parse(text).RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();
                Interlocked.Increment(ref answer == FakeAnswers.AnswerTo(prompt) ? ref _whole : ref _wrong);
            }
            catch (Exception e) when (e is PartialResponseException || e.InnerException is PartialResponseException)
            {
                Interlocked.Increment(ref _cut);
            }
#pragma warning disable CA1031 // Any other exception is a lost call.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Interlocked.Increment(ref _lost);
                _firstLoss ??= e.ToString();
            }
        }
    }

    private static string Joined(string events)
    {
        var text = new StringBuilder();
        foreach (var line in events.Split('\n'))
        {
            if (line.StartsWith("data: {", StringComparison.Ordinal) && JsonDocument.Parse(line[6..]).RootElement.GetProperty("choices") is { } choices && choices.GetArrayLength() > 0
                && choices[0].GetProperty("delta").TryGetProperty("content", out var content))
            {
                text.Append(content.GetString());
            }
        }

        return text.ToString();
    }

    private Sample Now(TimeSpan at)
    {
        using var process = Process.GetCurrentProcess();
        const double megabyte = 1024 * 1024;
        return new(at.TotalSeconds, _whole + _cut + _lost + _wrong, GC.GetTotalMemory(forceFullCollection: true) / megabyte, process.WorkingSet64 / megabyte,
            Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : process.HandleCount, process.Threads.Count);
    }

    private (string Text, bool IsGood) Report(TimeSpan elapsed, int callers, int stayed, (string Text, bool IsGood)[] beside, string? firstLossBeside)
    {
        var invariant = CultureInfo.InvariantCulture;
        var calls = _whole + _cut + _lost + _wrong;
        // The first fifth of the run is the warm-up: pools fill and connections open.
        var (early, late) = (_samples[(Samples / 5)..(Samples * 3 / 5)], _samples[(Samples * 3 / 5)..]);
        // If each half is shorter than a round of all faults, the halves have different faults. A difference between the halves is then no growth.
        var isLong = elapsed.TotalSeconds >= 300;
        var checks = new (string What, bool Good)[]
        {
            ("nothing lost", _lost == 0), ("nothing wrong", _wrong == 0), ("no lease left", stayed == 0), ("batches, vault, replicas, recordings", beside.All(static b => b.IsGood)),
            ("heap flat", !isLong || Flat(s => s.HeapMegabytes, 1)), ("handles flat", !isLong || Flat(s => s.Handles, 10)), ("threads flat", !isLong || Flat(s => s.Threads, 5)),
        };
        var text = new StringBuilder();
        text.Append(invariant, $"# Soak\n\n{callers} callers make calls as fast as they can for {elapsed.TotalSeconds:0} s. The client and three servers run in one process. In every period of {2 * TroubleSeconds} s, one server has a fault for {TroubleSeconds} s: it is killed, overloaded, silent or slow, it cuts or resets answers, it sends empty answers, or it throttles. Half of the callers use one pool, and the other half use another pool. The two pools are replicas: they share facts. They also record their calls and continue cut streams. At the same time, batches of {SoakBatches.Size} items run one after another, and a vault with two destinations saves, restores, prunes and checks.\n\n");
        text.Append("```sh\ndotnet run -c Release --project bench/HaKit.Benchmarks -- soak seconds=600 table=docs/evidence/soak.md\n```\n\n");
        text.Append(invariant, $"{calls} calls, {calls / elapsed.TotalSeconds:0} a second: {_whole} got the whole answer, {_cut} were cut streams that ended with the typed exception, {_lost} were lost, {_wrong} got a wrong answer. At the end {stayed} attempts still counted as load (leases that were not completed).\n\n");
        foreach (var (line, isGood) in beside)
            text.Append(invariant, $"- {line}{(isGood ? "" : " **NO**")}\n");
        text.Append('\n');
        text.Append("| at | calls | heap after collection | resident | handles | threads |\n|---|---|---|---|---|---|\n");
        foreach (var s in _samples)
            text.Append(invariant, $"| {s.At:0} s | {s.Calls} | {s.HeapMegabytes:0.0} MB | {s.ResidentMegabytes:0} MB | {s.Handles} | {s.Threads} |\n");
        text.Append(invariant, $"\n{string.Join(", ", checks.Take(isLong ? checks.Length : 4).Select(c => $"{c.What}: {(c.Good ? "yes" : "NO")}"))}.\n");
        if (_firstLoss is not null)
            text.Append(invariant, $"\nThe first loss: {_firstLoss}\n");
        if (firstLossBeside is not null)
            text.Append(invariant, $"\nThe first loss beside the calls: {firstLossBeside}\n");
        return (text.ToString(), checks.All(c => c.Good));

        // At most a tenth above the earlier median, plus an amount that a garbage collection or a burst of connections may leave.
        bool Flat(Func<Sample, double> of, double slack) => Median(late, of) <= 1.1 * Median(early, of) + slack;

        static double Median(List<Sample> samples, Func<Sample, double> of) => samples.Select(of).Order().ElementAt(samples.Count / 2);
    }
}

internal static class Lists
{
    public static void AddRange<T>(this IList<T> list, IEnumerable<T> items)
    {
        foreach (var item in items)
            list.Add(item);
    }
}
