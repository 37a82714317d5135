using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using HaKit.Testing;

namespace HaKit.PostgreSql.Tests;

/// <summary>Runs three fake servers, of which one always fails, and processes of <c>hakit batch run</c> that are killed and frozen.</summary>
internal sealed class BatchProcesses : IAsyncDisposable
{
    private readonly List<FakeAiServer> _servers = [];
    private readonly CancellationTokenSource _end = new();
    private Task _trouble = Task.CompletedTask;
    private int _met;

    public string Folder { get; } = Directory.CreateTempSubdirectory("hakit-batch-").FullName;

    /// <summary>Gets how often each prompt reached a server.</summary>
    public ConcurrentDictionary<string, int> Requests { get; } = new();

    public string Input => Path.Combine(Folder, "requests.jsonl");

    public string Output => Path.Combine(Folder, "results.jsonl");

    public string Pool => Path.Combine(Folder, "pool.json");

    public static async Task<BatchProcesses> StartAsync(int items, bool trouble = true)
    {
        var all = new BatchProcesses();
        for (var i = 0; i < 3; i++)
        {
            var server = await FakeAiServer.StartAsync(new FakeAiOptions { Name = $"server-{i}" });
            server.Faults.Always(FakeFault.Latency(toFirstToken: TimeSpan.FromMilliseconds(20)), all.Note);
            all._servers.Add(server);
        }
        var pool = new { Endpoints = all._servers.Select(s => new { s.Name, Address = s.OpenAIAddress, Dialect = "OpenAI" }), Heartbeat = new { Enabled = false } };
        await File.WriteAllTextAsync(all.Pool, JsonSerializer.Serialize(pool));
        await using (var file = new StreamWriter(all.Input))
        {
            for (var i = 0; i < items; i++)
                await file.WriteLineAsync(Line(i));
        }

        if (trouble)
            all._trouble = all.TroubleAsync();
        return all;
    }

    public static string Prompt(int item) => string.Create(CultureInfo.InvariantCulture, $"Say something about number {item}, please.");

    public Process Run(params string[] store)
    {
        var tool = Path.Combine(AppContext.BaseDirectory, "HaKit.Tool.dll");
        var runtime = Path.Combine(AppContext.BaseDirectory, "HaKit.PostgreSql.Tests.runtimeconfig.json");
        var depends = Path.Combine(AppContext.BaseDirectory, "HaKit.PostgreSql.Tests.deps.json");
        var start = new ProcessStartInfo("dotnet", ["exec", "--runtimeconfig", runtime, "--depsfile", depends, tool, "batch", "run", "--input", Input, "--pool", Pool, .. store])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += (_, line) => Errors.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    public ConcurrentQueue<string> Errors { get; } = new();

    /// <summary>Gets the results file: each custom id with the text of its answer.</summary>
    public List<(string Id, string Answer)> Results() =>
        [.. File.ReadLines(Output).Select(static l => JsonDocument.Parse(l).RootElement).Select(static r => (r.GetProperty("custom_id").GetString()!,
            r.GetProperty("response").GetProperty("body").GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!))];

    public void VerifyResults(int items)
    {
        var results = Results();
        results.Select(r => r.Id).Should().BeEquivalentTo(Enumerable.Range(0, items).Select(i => $"item-{i}"));
        results.Where(r => r.Answer != FakeAnswers.AnswerTo(Prompt(int.Parse(r.Id[5..], CultureInfo.InvariantCulture)))).Should().BeEmpty("each result is right for its prompt");
        Requests.Should().HaveCount(items);
    }

    /// <summary>
    /// Describes in words what happened to the requests. Each item needs one request. Some of the other requests met a failing server, and the answers of the
    /// rest were lost with a process.
    /// </summary>
    public string Story
    {
        get
        {
            var all = Requests.Values.Sum();
            return string.Create(CultureInfo.InvariantCulture,
                $"{all} requests reached a server: one for each item, and {all - Requests.Count} repeats. {_met} of the repeats followed a failure of a faulty server. For the other {all - Requests.Count - _met}, the process was killed or frozen before it had stored the answer.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _trouble;
        foreach (var server in _servers)
            await server.DisposeAsync();
        _end.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private bool Note(FakeRequest request)
    {
        if (request.Operation == FakeOperation.Chat)
            Requests.AddOrUpdate(request.Prompt, 1, static (_, count) => count + 1);
        return true;
    }

    private bool NoteTrouble(FakeRequest request)
    {
        Interlocked.Increment(ref _met);
        return Note(request);
    }

    // The servers fail in turn, each for a while, with changing faults.
    private async Task TroubleAsync()
    {
        FakeFault[] faults = [FakeFault.Status(500), FakeFault.Reset, FakeFaults.OpenAI.Overloaded(), FakeFault.Hang, FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(1))];
        for (var turn = 0; !_end.IsCancellationRequested; turn++)
        {
            var fault = _servers[turn % 3].Faults.Always(faults[turn % faults.Length], NoteTrouble);
            await Task.Delay(TimeSpan.FromSeconds(1.5), _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            fault.Dispose();
        }
    }

    private static string Line(int item) => JsonSerializer.Serialize(new
    {
        custom_id = string.Create(CultureInfo.InvariantCulture, $"item-{item}"),
        method = "POST",
        url = "/v1/chat/completions",
        body = new { model = "fake", messages = new[] { new { role = "user", content = Prompt(item) } } },
    });
}
