using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Tests;

/// <summary>Tests format 1 as docs/vault.md describes it: its test vectors, a stored vault, an independent reader, and what a destination can see.</summary>
public sealed partial class FormatTests : VaultTestBase
{
    private const string Python = "/usr/bin/python3";

    [Fact(Timeout = Limit)]
    public async Task The_test_vectors_of_the_page_hold()
    {
        var vectors = Row().Matches(await File.ReadAllTextAsync(Path.Combine(Repository(), "docs", "vault.md"), Token)).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        var secret = Convert.FromHexString(vectors["secret of key 7"]);
        var sealer = new Sealer(new VaultKeyRing([new(7, secret)], 7));
        VaultKeyRing.Derive(secret).Should().Equal(Convert.FromHexString(vectors["its sealing key"]));
        foreach (var (which, content) in ((string, string)[])[("chunk", "HaKit"), ("packed chunk", string.Concat(Enumerable.Repeat("HaKit ", 40)))])
        {
            var bytes = Encoding.ASCII.GetBytes(content);
            ObjectName.TryParse(vectors[which + ": name"], out var name).Should().BeTrue();
            ObjectId.Compute(Convert.FromHexString(vectors["id key"]), ObjectName.ChunkKind, bytes).ToString().Should().Be(name.Id);
            sealer.Open(name, Convert.FromHexString(vectors[which + ": object"])).Should().Equal(bytes);
            var own = sealer.Seal(name, bytes);
            own[..8].ToArray().Should().Equal(Convert.FromHexString(vectors[which + ": object"])[..8], "what HaKit writes has the same header");
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_vault_that_an_earlier_build_wrote_is_restored()
    {
        await using var vault = Make([("a", new FolderDestination(Path.Combine(AppContext.BaseDirectory, "vault-format-1")))]);
        var target = NewTarget();
        (await vault.RestoreAsync("latest", target, Token)).Files.Should().Be(5);
        File.ReadAllText(Path.Combine(target, "folder", "deep", "ünïcode.txt")).Should().Be("third");
        WriteSome();
        Tree(target).Should().Equal(Tree(Source));
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_independent_reader_restores_what_was_saved(bool isOfThisBuild)
    {
        Assert.SkipUnless(File.Exists(Python) && await RunAsync(Python, ["-c", "import cryptography, brotli"]) == 0, "needs Debian's python3 with python3-cryptography and python3-brotli");
        WriteSome();
        var place = isOfThisBuild ? Path.Combine(Root, "place") : Path.Combine(AppContext.BaseDirectory, "vault-format-1");
        if (isOfThisBuild)
        {
            await using var vault = Make([("a", new FolderDestination(place))]);
            await vault.SaveAsync(Source, cancellationToken: Token);
        }
        var target = NewTarget();
        (await RunAsync(Python, [Path.Combine(AppContext.BaseDirectory, "read_vault.py"), place, Key1, target])).Should().Be(0);
        Tree(target).Should().Equal(Tree(Source));
    }

    [Theory(Timeout = Limit)]
    [InlineData('k')]
    [InlineData('c')]
    [InlineData('s')]
    public async Task A_newer_format_is_refused_by_name_and_left_alone(char kind)
    {
        WriteSome();
        var (a, b) = (new MemoryDestination(), new MemoryDestination());
        await using (var alone = Make([("a", a)]))
        {
            await alone.SaveAsync(Source, cancellationToken: Token);
            var name = a.Objects.Keys.Single(n => n[0] == kind);
            a.Objects[name] = [(byte)'H', (byte)'V', 2, .. a.Objects[name][3..^1], (byte)(a.Objects[name][^1] ^ 1)];
            (await alone.Invoking(v => v.RestoreAsync("1", NewTarget(), Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("has format 2, and this version reads format 1");
            if (kind == 'k')
            {
                a.Written.Clear();
                (await alone.Invoking(v => v.SaveAsync(Source, cancellationToken: Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("format 2").And.Contain("Nothing was written");
                a.Written.Should().BeEmpty();
                return;
            }
            (await alone.CheckAsync(Token)).Findings.Should().Contain(f => f.ObjectName == name && f.Problem == VaultProblem.Unreadable);
        }
        b.RollBack(a.Copy());
        await using var vault = Make([("a", a), ("b", b)]);
        var newer = a.Objects.Single(o => o.Key[0] == kind);
        await vault.SyncAsync(Token);
        a.Objects[newer.Key].Should().Equal(newer.Value);
    }

    [Fact(Timeout = Limit)]
    public async Task A_destination_shows_no_name_no_content_and_no_key()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        var place = new MemoryDestination();
        var state = Path.Combine(Root, "state.json");
        await using (var vault = Make([("a", place), ("b", new FolderDestination(Path.Combine(Root, "place")))], configure: o => o.StateFile = state, time: time))
        {
            for (var i = 0; i < 3; i++)
            {
                Write(PlantedSecrets.FileName, PlantedSecrets.Content + i);
                await vault.SaveAsync(Source, copies: 2, Token);
                await vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
                time.Advance(TimeSpan.FromHours(25));
            }
            await vault.SyncAsync(Token);
        }
        await using (var both = Make([("a", place)], configure: o => o.Keys["2"] = Key2, time: time))
            await both.RekeyAsync(Token);
        place.Written.Select(n => n[0]).Distinct().Should().BeEquivalentTo("kicstmw", "objects of every kind were written");
        var files = Directory.EnumerateFiles(Path.Combine(Root, "place"), "*", SearchOption.AllDirectories).ToList();
        byte[][] seen = [.. place.Everything, .. place.Written.Select(Encoding.UTF8.GetBytes), .. files.Select(File.ReadAllBytes), .. files.Select(f => Encoding.UTF8.GetBytes(Path.GetRelativePath(Root, f))), File.ReadAllBytes(state)];
        PlantedSecrets.ShouldNotBeIn(seen, Key1, Key2);
    }

    private static async Task<int> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return process.ExitCode;
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
            folder = folder.Parent;
        return folder.FullName;
    }

    [GeneratedRegex(@"^\| ([^|`]+?) \| `([0-9a-zA-Z/.]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
