using System.Diagnostics;
using System.Globalization;

namespace HaKit.Continuity.Tests;

/// <summary>
/// Kills processes with −9 at random points of a save, a prune or a sync. HAKIT_VAULT_KILLS sets the number of kills; the evidence is from 200 kills.
/// </summary>
public sealed class KillTests : IDisposable
{
    private static readonly int s_kills = int.TryParse(Environment.GetEnvironmentVariable("HAKIT_VAULT_KILLS"), CultureInfo.InvariantCulture, out var kills) ? kills : 24;

    private readonly string _folder = Directory.CreateTempSubdirectory("vault-kill-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 1_800_000)]
    public async Task Every_listed_snapshot_restores_byte_equal_after_each_kill_and_rests_are_swept()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Kill −9 needs signals.");
        TestContext.Current.SendDiagnosticMessage(await RunAsync());
    }

    internal async Task<string> RunAsync()
    {
        var random = new Random(28);
        var struck = new SortedDictionary<string, int>();
        var verified = 0;
        for (var kill = 0; kill < s_kills; kill++)
        {
            var step = await RunAndKillAsync(kill + 1, TimeSpan.FromMilliseconds(random.Next(1, 60)), random.Next(0, 9));
            struck[step] = struck.GetValueOrDefault(step) + 1;
            await using var vault = VaultWork.Open(_folder, kill + 1);
            foreach (var snapshot in await ListAsync(vault))
            {
                await RestoreAndCompareAsync(vault, snapshot);
                verified++;
            }
        }
        struck.Keys.Should().Contain(["save", "prune", "sync"]);
        verified.Should().BeGreaterThan(s_kills);
        await SweepAsync();
        return $"{s_kills} kills, in {string.Join(", ", struck.Select(s => $"{s.Key} {s.Value}"))}; {verified} snapshots restored byte-equal";
    }

    // Waits until the process has begun the given number of steps, and kills it within the next step.
    private async Task<string> RunAndKillAsync(int round, TimeSpan after, int steps)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "HaKit.Continuity.Tests.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", program, "work-on-vault", _folder, round.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var step = "";
        for (var i = 0; i <= steps + 1; i++)
        {
            step = await process.StandardOutput.ReadLineAsync(Token) ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync(Token));
        }
        var rest = process.StandardOutput.ReadToEndAsync(Token);
        await Task.Delay(after, Token);
        process.Kill();
        await process.WaitForExitAsync(Token);
        process.ExitCode.Should().Be(137, await process.StandardError.ReadToEndAsync(Token));
        return (await rest).Split('\n', StringSplitOptions.RemoveEmptyEntries) is [.., var last] ? last : step;
    }

    private static async Task<IReadOnlyList<VaultSnapshot>> ListAsync(Vault vault)
    {
        try
        {
            return await vault.ListAsync(Token);
        }
        catch (VaultException e) when (e.Message.StartsWith("There is no vault", StringComparison.Ordinal))
        {
            return []; // the first process was killed before it had made one
        }
    }

    private async Task RestoreAndCompareAsync(Vault vault, VaultSnapshot snapshot)
    {
        var target = Path.Combine(_folder, "restored");
        await vault.RestoreAsync(snapshot.Id, target, Token);
        var number = int.Parse(await File.ReadAllTextAsync(Path.Combine(target, "number"), Token), CultureInfo.InvariantCulture);
        var expected = VaultWork.ContentOf(number);
        Directory.EnumerateFiles(target).Select(Path.GetFileName).Should().BeEquivalentTo(expected.Keys);
        foreach (var (name, bytes) in expected)
        {
            (await File.ReadAllBytesAsync(Path.Combine(target, name), Token)).AsSpan().SequenceEqual(bytes).Should().BeTrue("'{0}' of snapshot {1} is what was saved", name, snapshot.Number);
        }
        Directory.Delete(target, recursive: true);
    }

    // Temporary files are swept after a day. Their times are set back, so that the test does not wait.
    private async Task SweepAsync()
    {
        foreach (var file in Directory.EnumerateFiles(_folder, "*.tmp", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-2));
        }
        // The half-written data of the last process may partly be in chunks of an older snapshot. Content that no snapshot has had fills a new chunk.
        var random = new Random(1_000_000);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_folder, "source")))
        {
            var bytes = new byte[5000];
            random.NextBytes(bytes);
            await File.WriteAllBytesAsync(file, bytes, Token);
        }
        await using var vault = VaultWork.Open(_folder, s_kills + 2);
        await vault.SaveAsync(Path.Combine(_folder, "source"), copies: 2, Token);
        await vault.SyncAsync(Token);
        await vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
        await vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        foreach (var name in (string[])["a", "b"])
        {
            var rests = Directory.EnumerateFiles(Path.Combine(_folder, name), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Path.Combine(_folder, name), f)).ToList();
            rests.Should().NotContain(f => f.EndsWith(".tmp", StringComparison.Ordinal) || f[0] == 'i' || f[0] == 'w' || f[0] == 'm');
            rests.Count(f => f[0] == 's').Should().Be(1);
            rests.Count(f => f[0] == 'c').Should().Be(1, "the files of one snapshot fill one chunk, and the chunks of all others are gone");
        }
    }
}
