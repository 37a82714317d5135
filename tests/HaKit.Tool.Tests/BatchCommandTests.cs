using System.Text.Json;
using HaKit.Batch;
using HaKit.Batch.Stores;
using HaKit.Testing;
using HaKit.Tool.Batches;

namespace HaKit.Tool.Tests;

public sealed class BatchCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-batch-").FullName;

    private string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<FakeAiServer> PrepareAsync(int requests)
    {
        var server = await FakeAiServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(PathOf("pool.json"), $$"""{ "Endpoints": [ { "Name": "main", "Address": "{{server.OpenAIAddress}}", "InputTokenPrice": 1, "OutputTokenPrice": 2 } ], "Heartbeat": { "Enabled": false } }""", TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(PathOf("requests.jsonl"), Enumerable.Range(0, requests).Select(static i =>
            $$"""{"custom_id":"item-{{i}}","method":"POST","url":"/v1/chat/completions","body":{"model":"fake","messages":[{"role":"user","content":"question {{i}}"}]} }"""), TestContext.Current.CancellationToken);
        return server;
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] more) =>
        ToolRun.RunAsync(["batch", "run", "--pool", PathOf("pool.json"), "--journal", PathOf("a.journal"), .. more]);

    [Fact(Timeout = 120_000)]
    public async Task A_file_of_requests_becomes_a_file_of_results_once()
    {
        await using var server = await PrepareAsync(50);
        var (exitCode, _, error) = await RunAsync("--input", PathOf("requests.jsonl"), "--output", PathOf("results.jsonl"));
        exitCode.Should().Be(HakitTool.Good, error);
        error.Should().Contain("100.0 %").And.Contain(" $");
        foreach (var line in await File.ReadAllLinesAsync(PathOf("results.jsonl"), TestContext.Current.CancellationToken))
        {
            var result = JsonDocument.Parse(line).RootElement;
            var number = result.GetProperty("custom_id").GetString()![5..];
            result.GetProperty("response").GetProperty("status_code").GetInt32().Should().Be(200);
            result.GetProperty("response").GetProperty("body").GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString().Should().Be(FakeAnswers.AnswerTo("question " + number));
            result.GetProperty("error").ValueKind.Should().Be(JsonValueKind.Null);
        }
        var requests = server.Counts.Received;
        (await RunAsync("--input", PathOf("requests.jsonl"))).ExitCode.Should().Be(HakitTool.Good);
        server.Counts.Received.Should().Be(requests, "all have a result");
        var show = await ToolRun.RunAsync("batch", "show", "--journal", PathOf("a.journal"));
        show.Output.Should().MatchRegex(@"(?m)^ +50  items$").And.MatchRegex(@"(?m)^ +50  succeeded$").And.MatchRegex(@"(?m)^ +0  calls lost");
        (await ToolRun.RunAsync("batch", "export", "--journal", PathOf("a.journal"), "--output", PathOf("again.jsonl"))).Output.Should().Be("50 results written." + Environment.NewLine);
        (await File.ReadAllTextAsync(PathOf("again.jsonl"), TestContext.Current.CancellationToken)).Should().Be(await File.ReadAllTextAsync(PathOf("results.jsonl"), TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = 120_000)]
    public async Task Items_that_are_refused_for_their_own_reason_are_in_the_results_with_it()
    {
        await using var server = await PrepareAsync(10);
        server.Faults.Always(FakeFaults.OpenAI.ContentFiltered(), static r => r.Prompt == "question 7");
        var (exitCode, _, _) = await RunAsync("--input", PathOf("requests.jsonl"), "--output", PathOf("results.jsonl"));
        exitCode.Should().Be(HakitTool.Bad);
        var failed = (await File.ReadAllLinesAsync(PathOf("results.jsonl"), TestContext.Current.CancellationToken)).Select(static l => JsonDocument.Parse(l).RootElement)
            .Single(static r => r.GetProperty("error").ValueKind == JsonValueKind.Object);
        failed.GetProperty("custom_id").GetString().Should().Be("item-7");
        failed.GetProperty("error").GetProperty("code").GetString().Should().Be("ContentFilter");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_changed_request_is_refused_and_redone_when_asked_for()
    {
        await using var server = await PrepareAsync(3);
        await RunAsync("--input", PathOf("requests.jsonl"));
        await File.WriteAllTextAsync(PathOf("requests.jsonl"), (await File.ReadAllTextAsync(PathOf("requests.jsonl"), TestContext.Current.CancellationToken)).Replace("question", "query", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var refused = await RunAsync("--input", PathOf("requests.jsonl"));
        refused.ExitCode.Should().Be(HakitTool.NotRun);
        refused.Error.Should().Contain("3 items have changed").And.Contain("item-0");
        (await RunAsync("--input", PathOf("requests.jsonl"), "--on-changed", "redo")).ExitCode.Should().Be(HakitTool.Good);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("not json", "Line 2 is not a JSON object")]
    [InlineData("""{"url":"/v1/x","body":{}}""", "Line 2 has no 'custom_id'")]
    [InlineData("""{"custom_id":"x","body":{}}""", "Line 2 has no 'url'")]
    [InlineData("""{"custom_id":"x","url":"/v1/x"}""", "Line 2 has no 'body'")]
    [InlineData("""{"custom_id":"x","method":"GET","url":"/v1/x","body":{}}""", "Line 2: the method is 'GET'")]
    [InlineData("[]", "Line 2 is not a JSON object")]
    public async Task A_line_that_is_no_request_is_named(string line, string because)
    {
        await using var server = await PrepareAsync(1);
        await File.AppendAllTextAsync(PathOf("requests.jsonl"), line + "\n", TestContext.Current.CancellationToken);
        var (exitCode, _, error) = await RunAsync("--input", PathOf("requests.jsonl"));
        exitCode.Should().Be(HakitTool.NotRun);
        error.Should().Contain(because);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_mistake_in_the_file_of_the_pool_leaves_no_new_journal()
    {
        await using var server = await PrepareAsync(1);
        await File.WriteAllTextAsync(PathOf("pool.json"), """{ "Endpoints": [ { "Name": "main", "Wieght": 2 } ] }""", TestContext.Current.CancellationToken);
        var (exitCode, _, error) = await RunAsync("--input", PathOf("requests.jsonl"), "--output", PathOf("results.jsonl"));
        exitCode.Should().Be(HakitTool.NotRun);
        error.Should().Contain("Wieght");
        Directory.GetFiles(_folder).Select(Path.GetFileName).Should().BeEquivalentTo("pool.json", "requests.jsonl");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_damaged_journal_is_refused_and_repaired()
    {
        await using (var store = await BatchJournal.OpenStoreAsync(PathOf("a.journal"), null, TestContext.Current.CancellationToken))
        {
            for (var i = 0; i < 3; i++)
                await store.AddAsync([new BatchInput($"item-{i}", "input"u8.ToArray())], false, TestContext.Current.CancellationToken);
        }

        var file = PathOf("a.journal.000001");
        var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        bytes[90] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        var show = await ToolRun.RunAsync("batch", "show", "--journal", PathOf("a.journal"));
        (show.ExitCode, show.Error).Should().Match<(int, string)>(s => s.Item1 == HakitTool.NotRun && s.Item2.Contains("is damaged, and valid records follow it"));
        var repair = await ToolRun.RunAsync("batch", "repair", "--journal", PathOf("a.journal"), "--to", PathOf("b.journal"));
        (repair.ExitCode, repair.Output).Should().Match<(int, string)>(r => r.Item1 == HakitTool.Bad && r.Item2.StartsWith("2 items and 0 outcomes copied; "));
        (await ToolRun.RunAsync("batch", "show", "--journal", PathOf("b.journal"))).Output.Should().MatchRegex(@"(?m)^ +2  items$");
    }

    [Fact(Timeout = 60_000)]
    public async Task The_schema_is_printed_for_the_owner() =>
        (await ToolRun.RunAsync("batch", "schema")).Output.Should().Contain("create table if not exists hakit.batch_item").And.Contain("create role hakit_worker");

    [Theory(Timeout = 60_000)]
    [InlineData("Where is the batch?", "batch", "show")]
    [InlineData("There is no journal", "batch", "show", "--journal", "/tmp/no-such.journal")]
    [InlineData("--on-changed is 'maybe': refuse, redo or keep is needed", "batch", "run", "--pool", "x", "--journal", "y", "--on-changed", "maybe")]
    public async Task What_cannot_begin_says_why(string because, params string[] args)
    {
        var (exitCode, _, error) = await ToolRun.RunAsync(args);
        exitCode.Should().Be(HakitTool.NotRun);
        error.Should().Contain(because);
    }

    [Fact]
    public void The_bar_is_full_only_when_all_is_done()
    {
        var progress = new BatchProgress { Counts = new BatchCounts { Total = 100_000, Succeeded = 99_999 }, Left = TimeSpan.FromSeconds(1), PerSecond = 100, Calls = 7 };
        BatchProgressLine.Bar(progress).Should().Be(new string('█', 29) + "░ 99.9 %, 100/s, 1 s left, 7 calls in flight");
        BatchProgressLine.Bar(progress with { Counts = new BatchCounts { Total = 2, Succeeded = 2 }, Calls = 0 }).Should().StartWith(new string('█', 30) + " 100.0 %");
    }
}
