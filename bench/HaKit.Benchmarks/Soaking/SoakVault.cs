using System.Security.Cryptography;
using HaKit.Continuity;

namespace HaKit.Benchmarks;

/// <summary>Uses a vault with two destinations: saves a changing folder, restores it, prunes and checks. A restore must give exactly the same bytes.</summary>
internal sealed class SoakVault : IAsyncDisposable
{
    private const int Files = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.5);

    private readonly string _source;
    private readonly string _restored;
    private readonly Vault _vault;

    public SoakVault(string folder)
    {
        (_source, _restored) = (Path.Combine(folder, "source"), Path.Combine(folder, "restored"));
        Directory.CreateDirectory(_source);
        var options = new VaultOptions { Grace = TimeSpan.FromSeconds(5), StateFile = Path.Combine(folder, "state") };
        options.Keys["1"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        foreach (var name in (string[])["first", "second"])
            options.Destinations.Add(new VaultDestinationOptions { Name = name, Folder = Directory.CreateDirectory(Path.Combine(folder, name)).FullName });
        _vault = Vault.Create("soak", options);
    }

    public int Saves { get; private set; }

    public int Restores { get; private set; }

    public int Checks { get; private set; }

    public int Bad { get; private set; }

    public string? FirstLoss { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        for (var round = 0; !stop.IsCancellationRequested; round++)
        {
            try
            {
                await RunAsync(round);
            }
#pragma warning disable CA1031 // Each exception is a snapshot that was lost.
            catch (Exception e)
#pragma warning restore CA1031
            {
                (Bad, FirstLoss) = (Bad + 1, FirstLoss ?? e.ToString());
            }
            await Task.Delay(Pause, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    public ValueTask DisposeAsync() => _vault.DisposeAsync();

    private async Task RunAsync(int round)
    {
        await File.WriteAllBytesAsync(Path.Combine(_source, $"{round % Files}.bin"), RandomNumberGenerator.GetBytes(50_000 + round % 7 * 10_000));
        var saved = await _vault.SaveAsync(_source, copies: 2);
        Saves++;
        if (round % 10 == 9)
        {
            if (Directory.Exists(_restored))
                Directory.Delete(_restored, recursive: true);
            await _vault.RestoreAsync(saved.Id, _restored);
            Restores++;
            Compare();
        }
        if (round % 20 != 19)
            return;
        await _vault.PruneAsync(new VaultPruneOptions { KeepLast = 3 });
        var report = await _vault.CheckAsync();
        Checks++;
        if (!report.IsGood)
            (Bad, FirstLoss) = (Bad + 1, FirstLoss ?? report.Findings[0].Message);
    }

    private void Compare()
    {
        var (source, restored) = (Contents(_source), Contents(_restored));
        if (!source.SequenceEqual(restored))
            (Bad, FirstLoss) = (Bad + 1, FirstLoss ?? "A restored file differs from its source.");

        static IEnumerable<string> Contents(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => $"{Path.GetFileName(f)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))}");
    }
}
