using HaKit.Tool.Vaults;

namespace HaKit.Tool.Tests;

/// <summary>A vault on the command line: what each command prints, and the exit codes that cron sees.</summary>
public sealed class VaultCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-vault-").FullName;

    private string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<(int ExitCode, string Output, string Error)> RunAsync(string command, params string[] more) =>
        ToolRun.RunAsync(["vault", command, .. more, "--vault", PathOf("vault.json")]);

    private async Task PrepareAsync(int seed = 1)
    {
        Directory.CreateDirectory(PathOf("app"));
        await File.WriteAllTextAsync(PathOf("app/state"), "kept", TestContext.Current.CancellationToken);
        var key = Convert.ToBase64String(Enumerable.Range(seed, 32).Select(i => (byte)i).ToArray());
        await File.WriteAllTextAsync(PathOf("vault.json"), $$"""
            { "Vault": { "Destinations": [ { "Name": "disk", "Folder": "{{PathOf("disk")}}" }, { "Name": "share", "Folder": "{{PathOf("share")}}" } ], "Keys": { "1": "{{key}}" } } }
            """, TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_setting_that_cannot_be_converted_is_named_and_its_value_is_not_shown()
    {
        await File.WriteAllTextAsync(PathOf("vault.json"), """{ "Vault": { "Copies": "hunter-two" } }""", TestContext.Current.CancellationToken);
        var (exitCode, _, error) = await RunAsync("list");
        exitCode.Should().Be(2);
        error.Should().Contain("Vault:Copies has a value that cannot be converted to Int32").And.NotContain("hunter");
    }

    [Fact(Timeout = 120_000)]
    public async Task What_is_saved_is_listed_checked_rehearsed_pruned_and_restored()
    {
        await PrepareAsync();
        var saved = await RunAsync("save", PathOf("app"), "--copies", "2");
        saved.ExitCode.Should().Be(HakitTool.Good, saved.Error);
        saved.Output.Should().StartWith("snapshot 1 of ").And.Contain("1 files, 4 bytes; 1 chunks (4 bytes) sent to disk, share");
        await File.WriteAllTextAsync(PathOf("app/state"), "newer", TestContext.Current.CancellationToken);
        (await RunAsync("save", PathOf("app"))).ExitCode.Should().Be(HakitTool.Good);

        (await RunAsync("list")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(2).And.OnlyContain(l => l.Contains(PathOf("app")));
        (await RunAsync("check")).Should().Be((HakitTool.Good, "2 snapshots, 0 findings" + Environment.NewLine, ""));
        (await RunAsync("sync")).Output.Should().Be("0 snapshots and 0 chunks copied, 0 snapshots deleted" + Environment.NewLine);
        (await RunAsync("rehearse")).Output.Should().MatchRegex(@"^snapshot 2 of .*: 1 files, 5 bytes restored in \d+\.\d s\s*$");
        (await RunAsync("prune", "--keep-last", "1")).Output.Should().StartWith("1 snapshots deleted, 2 chunks marked, 0 chunks deleted");
        (await RunAsync("restore", "latest", PathOf("again"))).ExitCode.Should().Be(HakitTool.Good);
        (await File.ReadAllTextAsync(PathOf("again/state"), TestContext.Current.CancellationToken)).Should().Be("newer");
        var twice = await RunAsync("restore", "latest", PathOf("again"));
        twice.ExitCode.Should().Be(HakitTool.Bad);
        twice.Error.Should().Contain($"The target '{PathOf("again")}' exists");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_missing_copy_and_a_damaged_object_are_named_and_are_exit_code_1()
    {
        await PrepareAsync();
        (await RunAsync("save", PathOf("app"), "--copies", "2")).ExitCode.Should().Be(HakitTool.Good);
        var chunk = Directory.EnumerateFiles(PathOf("share/c")).Single();
        await File.WriteAllBytesAsync(chunk, [1, 2, 3], TestContext.Current.CancellationToken);
        var check = await RunAsync("check");
        check.ExitCode.Should().Be(HakitTool.Bad);
        check.Output.Should().Contain($"share  Damaged  c/{Path.GetFileName(chunk)}").And.EndWith("1 snapshots, 1 findings" + Environment.NewLine);
        (await RunAsync("sync")).ExitCode.Should().Be(HakitTool.Good);
        (await RunAsync("check")).ExitCode.Should().Be(HakitTool.Good);

        Directory.Delete(PathOf("share"), recursive: true);
        await File.WriteAllTextAsync(PathOf("share"), "a file where a folder was", TestContext.Current.CancellationToken);
        var saved = await RunAsync("save", PathOf("app"));
        saved.ExitCode.Should().Be(HakitTool.Bad);
        saved.Output.Should().Contain("missing on 'share'");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_restore_follows_the_newest_snapshot_until_it_is_interrupted()
    {
        await PrepareAsync();
        await RunAsync("save", PathOf("app"));
        using var interrupt = new CancellationTokenSource();
        using var output = new StringWriter();
        var follow = HakitTool.RunAsync(["vault", "restore", "latest", PathOf("standby"), "--follow", "--every", "50ms", "--vault", PathOf("vault.json")], TextWriter.Synchronized(output), TextWriter.Null, interrupt.Token);
        await UntilAsync("kept");
        await File.WriteAllTextAsync(PathOf("app/state"), "newer", TestContext.Current.CancellationToken);
        (await RunAsync("save", PathOf("app"))).ExitCode.Should().Be(HakitTool.Good);
        await UntilAsync("newer");
        await interrupt.CancelAsync();
        (await follow).Should().Be(HakitTool.Interrupted);
        (await RunAsync("restore", "1", PathOf("other"), "--follow")).ExitCode.Should().Be(HakitTool.NotRun);

        async Task UntilAsync(string content)
        {
            while (Standby() != content)
                await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        string? Standby()
        {
            try
            {
                return File.ReadAllText(PathOf("standby/state"));
            }
            catch (IOException)
            {
                return null; // the folder does not exist for the moment between two renames
            }
        }
    }

    [Fact(Timeout = 10_000)]
    public async Task A_long_operation_shows_a_bar_on_a_terminal_and_a_line_at_each_tenth_elsewhere()
    {
        await Task.CompletedTask;
        Shown(isTerminal: true, TimeSpan.FromSeconds(3)).Split('\r', StringSplitOptions.RemoveEmptyEntries).Should().HaveCountGreaterThan(100)
            .And.OnlyContain(l => l.StartsWith("save ", StringComparison.Ordinal) && l.Contains(" %, 3 s")).And.ContainSingle(l => l.EndsWith('\n'))
            .Which.Should().Contain(new string('█', 40)).And.Contain("100 %");
        Shown(isTerminal: false, TimeSpan.FromSeconds(3)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.TrimEnd())
            .Should().Equal(Enumerable.Range(1, 10).Select(t => $"save {t * 10} %, 3.0 s"));
        Shown(isTerminal: true, TimeSpan.FromSeconds(1)).Should().BeEmpty("what takes no longer than 2 s shows nothing");

        static string Shown(bool isTerminal, TimeSpan took)
        {
            using var output = new StringWriter();
            var bar = new ProgressBar(new Progress(output, isTerminal, "save", () => took));
            for (var i = 0; i < 1000; i++)
                bar.Report(i / 1000.0);
            bar.End();
            return output.ToString();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_wrong_key_is_said_and_a_missing_one_is_a_wrong_use()
    {
        await PrepareAsync();
        await RunAsync("save", PathOf("app"));
        await PrepareAsync(seed: 2);
        var wrong = await RunAsync("save", PathOf("app"));
        wrong.ExitCode.Should().Be(HakitTool.Bad);
        wrong.Error.Should().Contain("The keys do not open this vault").And.Contain("Nothing was written");
        await File.WriteAllTextAsync(PathOf("vault.json"), $$"""{ "Destinations": [ { "Name": "disk", "Folder": "{{PathOf("disk")}}" } ] }""", TestContext.Current.CancellationToken);
        var none = await RunAsync("list");
        none.ExitCode.Should().Be(HakitTool.NotRun);
        none.Error.Should().Contain("HAKIT_VAULT_KEY");
        Environment.SetEnvironmentVariable("HAKIT_VAULT_KEY", "planted");
        try
        {
            foreach (var place in (string[][])[["--vault", PathOf("vault.json")], ["--to", PathOf("disk")]])
            {
                var tooShort = await ToolRun.RunAsync(["vault", "list", .. place]);
                tooShort.ExitCode.Should().Be(HakitTool.NotRun);
                tooShort.Error.Should().Contain("Keys:1 is not 32 bytes").And.Contain("Key 1 is the value of HAKIT_VAULT_KEY").And.NotContain("planted");
            }
        }
        finally
        {
            Environment.SetEnvironmentVariable("HAKIT_VAULT_KEY", null);
        }
    }
}
