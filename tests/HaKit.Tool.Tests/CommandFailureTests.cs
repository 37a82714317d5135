using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using HaKit.Testing;
using Npgsql;

namespace HaKit.Tool.Tests;

/// <summary>Tests that every command ends with a sentence and a documented exit code, whatever fails.</summary>
public sealed class CommandFailureTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-failures-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // "DIR" is a folder in the place of a file, which no user can read as a file. "GOOD:x" is a file that the command can read.
    public static TheoryData<string> UnreadableFiles =>
    [
        "drill --assert DIR", "drill --json DIR", "drill --markdown DIR", "drill --html DIR",
        "plan --incidents DIR", "plan --pool DIR", "plan --json DIR",
        "simulate --incidents DIR", "simulate --incidents GOOD:incidents.csv --pool DIR", "simulate --incidents GOOD:incidents.csv --trace DIR",
        "simulate --incidents GOOD:incidents.csv --json DIR", "simulate --incidents GOOD:incidents.csv --svg DIR",
        "replay --trace DIR", "replay DIR", "replay DIR --pool DIR", "replay --trace DIR --json DIR",
        "record show DIR", "record show DIR --html DIR", "record show DIR --json DIR",
        "tune DIR", "tune --incidents DIR", "tune --incidents GOOD:incidents.csv --pool DIR", "tune --incidents GOOD:incidents.csv --trace DIR", "tune --incidents GOOD:incidents.csv --json DIR",
        "report --out GOOD:incidents.csv",
        "vault save DIR --vault DIR", "vault list --vault DIR", "vault restore latest DIR --vault DIR", "vault check --vault DIR", "vault sync --vault DIR",
        "vault prune --vault DIR", "vault rehearse --vault DIR", "vault rekey --vault DIR", "vault list --vault GOOD:incidents.csv",
        "batch run --journal DIR/j --pool DIR", "batch run --journal DIR/j --pool GOOD:pool.json --input DIR", "batch run --journal DIR/j --pool GOOD:pool.json --output DIR",
        "batch run --journal DIR/none/j --pool GOOD:pool.json", "batch show --journal DIR/j", "batch export --journal DIR/j --output DIR", "batch repair --journal DIR/j --to DIR/k",
    ];

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(UnreadableFiles))]
    public async Task A_file_that_cannot_be_used_is_named_with_exit_code_2(string line)
    {
        var (exitCode, _, error) = await ToolRun.RunAsync([.. line.Split(' ').Select(PathOf)]);
        IsASentence(error);
        exitCode.Should().Be(HakitTool.NotRun, error);
    }

    [Fact]
    public void Every_option_that_names_a_file_is_tested()
    {
        var lines = UnreadableFiles.Select(static r => r.Data).ToArray();
        foreach (var (path, command) in Leaves("", Commands.All()))
        {
            foreach (var option in command.Options.Where(static o => o.HelpName == "FILE"))
                lines.Should().Contain(l => l.StartsWith(path, StringComparison.Ordinal) && l.Contains(option.Name), "{0}{1} names a file", path, option.Name);
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData("unauthorized", HakitTool.Bad, "Unauthorized", "batch run --journal DIR/j --pool DIR/pool.json --input DIR/requests.jsonl --output DIR/results.jsonl")]
    [InlineData("refused", HakitTool.Bad, "StopAt", "batch run --journal DIR/j --pool DIR/pool.json --input DIR/requests.jsonl --stop-after 1s")]
    [InlineData("refused", HakitTool.NotRun, "127.0.0.1", "batch run --postgresql DATABASE --batch b --pool DIR/pool.json")]
    [InlineData("refused", HakitTool.NotRun, "127.0.0.1", "batch show --postgresql DATABASE --batch b")]
    [InlineData("refused", HakitTool.NotRun, "127.0.0.1", "batch export --postgresql DATABASE --batch b --output DIR/results.jsonl")]
    [InlineData("refused", HakitTool.NotRun, "No right answer comes back", "drill --target SERVER --upstreams PORTS --faults refused --length 200ms --patience 300ms --rate 5")]
    [InlineData("unauthorized", HakitTool.Bad, "far", "vault list --vault DIR/vault.json")]
    [InlineData("refused", HakitTool.Bad, "far", "vault list --vault DIR/vault.json")]
    [InlineData("unauthorized", HakitTool.Bad, "far", "vault save DIR --vault DIR/vault.json")]
    public async Task A_server_that_refuses_ends_the_command_with_a_sentence(string kind, int expected, string because, string line)
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        server.Faults.Always(FakeFaults.OpenAI.BadKey());
        var closed = FreePort.Take();
        var address = kind == "refused" ? $"http://127.0.0.1:{closed}/v1" : server.OpenAIAddress.ToString();
        await WriteFilesAsync(address);
        var ports = string.Join(',', FreePort.Take(), FreePort.Take(), FreePort.Take());
        var args = line.Split(' ').Select(a => PathOf(a).Replace("SERVER", address, StringComparison.Ordinal).Replace("PORTS", ports, StringComparison.Ordinal)
            .Replace("DATABASE", $"Host=127.0.0.1;Port={closed};Username=u;Timeout=1", StringComparison.Ordinal));
        var (exitCode, _, error) = await ToolRun.RunAsync([.. args]);
        exitCode.Should().Be(expected, error);
        error.Should().Contain(because);
        IsASentence(error);
    }

    public static TheoryData<Exception, int> Failures => new()
    {
        { new UsageException("wrong"), HakitTool.NotRun },
        { new FileNotFoundException("wrong"), HakitTool.NotRun },
        { new UnauthorizedAccessException("wrong"), HakitTool.NotRun },
        { new InvalidDataException("wrong"), HakitTool.NotRun },
        { new IOException("wrong"), HakitTool.Bad },
        { new HttpRequestException("wrong"), HakitTool.Bad },
        { new NpgsqlException("wrong"), HakitTool.Bad },
        { new TaskCanceledException("wrong", new TimeoutException()), HakitTool.Bad },
        { new AggregateException(new SocketException(1)), HakitTool.Bad },
        { new InvalidOperationException("wrong"), HakitTool.Unexpected },
        { new FormatException("wrong"), HakitTool.Unexpected },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void The_exit_code_follows_from_the_exception(Exception exception, int expected)
    {
        var failure = CommandFailure.FromException(exception);
        failure.ExitCode.Should().Be(expected);
        if (expected == HakitTool.Unexpected)
            failure.Message.Should().Contain(exception.GetType().Name).And.MatchRegex("https://.*/issues");
    }

    private static void IsASentence(string error)
    {
        error.Should().NotBeNullOrWhiteSpace();
        error.Should().NotContain("   at ", "a stack trace is for nobody");
        error.Should().NotContain("/issues");
    }

    private static IEnumerable<(string Path, Command Command)> Leaves(string above, IEnumerable<Command> commands)
    {
        foreach (var command in commands)
        {
            var path = $"{above}{command.Name} ";
            yield return (path, command);
            foreach (var below in Leaves(path, command.Subcommands))
                yield return below;
        }
    }

    private string PathOf(string word)
    {
        if (word.StartsWith("GOOD:", StringComparison.Ordinal))
        {
            var file = Path.Combine(_folder, word[5..]);
            File.WriteAllText(file, word.EndsWith("json", StringComparison.Ordinal) ? """{ "Endpoints": [ { "Name": "main", "Address": "http://127.0.0.1:1/v1" } ] }""" : "start,end,service,impact\n2025-01-01T00:00:00Z,2025-01-01T01:00:00Z,openai-api,2\n");
            return file;
        }
        return word == "DIR" || word.StartsWith("DIR/", StringComparison.Ordinal) ? _folder + word[3..] : word;
    }

    private async Task WriteFilesAsync(string address)
    {
        var token = TestContext.Current.CancellationToken;
        await File.WriteAllTextAsync(Path.Combine(_folder, "pool.json"), $$"""{ "Endpoints": [ { "Name": "main", "Address": "{{address}}" } ], "Heartbeat": { "Enabled": false }, "TotalRequestTimeout": { "Timeout": "00:00:02" } }""", token);
        await File.WriteAllTextAsync(Path.Combine(_folder, "requests.jsonl"), """{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"fake","messages":[{"role":"user","content":"question"}]} }""", token);
        await File.WriteAllTextAsync(Path.Combine(_folder, "vault.json"), $$"""{ "Destinations": [ { "Name": "far", "BlobSas": "{{address}}/container?sv=1&sp=rwdl&sig=x" } ], "Keys": { "1": "{{Convert.ToBase64String(new byte[32])}}" } }""", token);
    }
}
