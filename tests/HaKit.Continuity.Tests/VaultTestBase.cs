namespace HaKit.Continuity.Tests;

/// <summary>Gives each test its own folder, with a source to save.</summary>
public abstract class VaultTestBase : IDisposable
{
    protected const int Limit = 120_000;

    protected static readonly string Key1 = Convert.ToBase64String(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray());
    protected static readonly string Key2 = Convert.ToBase64String(Enumerable.Range(101, 32).Select(i => (byte)i).ToArray());

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected string Root { get; } = Directory.CreateTempSubdirectory("vault-").FullName;

    protected string Source => Path.Combine(Root, "source");

    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected string NewTarget() => Path.Combine(Root, "target-" + Guid.NewGuid().ToString("n"));

    protected static Vault Make(IEnumerable<(string Name, IVaultDestination Destination)> destinations, string? key = null, Action<VaultOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new VaultOptions { OperationTimeout = TimeSpan.FromSeconds(2) };
        options.Keys["1"] = key ?? Key1;
        foreach (var (name, destination) in destinations)
            options.Destinations.Add(new VaultDestinationOptions { Name = name }.Use(destination));
        configure?.Invoke(options);
        return Vault.Create("state", options, time: time);
    }

    protected void Write(string path, string content)
    {
        var file = Path.Combine(Source, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    protected void WriteSome()
    {
        Write("a.txt", "first");
        Write("folder/b.txt", string.Concat(Enumerable.Repeat("second ", 1000)));
        Write("folder/deep/ünïcode.txt", "third");
        Write("empty", "");
        Directory.CreateDirectory(Path.Combine(Source, "hollow"));
        File.CreateSymbolicLink(Path.Combine(Source, "link"), "folder/b.txt");
    }

    protected static Dictionary<string, string> Tree(string folder) => Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(p => Path.GetRelativePath(folder, p), p => new FileInfo(p).LinkTarget is { } link ? "→" + link : Directory.Exists(p) ? "/" : Convert.ToHexString(File.ReadAllBytes(p)));

    protected async Task RestoresAsync(Vault vault, string snapshot, Dictionary<string, string> expected, string because = "")
    {
        var target = NewTarget();
        await vault.RestoreAsync(snapshot, target, Token);
        Tree(target).Should().Equal(expected, because);
        Directory.Delete(target, recursive: true);
    }

    // The time advances to the next timer when nothing else has happened for a while.
    protected static async Task<T> CompletedAsync<T>(Task<T> work, HaKit.Testing.ManualTimeProvider time)
    {
        for (var idle = 0; !work.IsCompleted; idle++)
        {
            if (idle % 500 == 499 && time.UntilNextTimer is { } until)
                time.Advance(until);
            await Task.Yield();
        }
        return await work;
    }
}
