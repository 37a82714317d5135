using HaKit.AI;
using HaKit.Batch;
using HaKit.Continuity;
using HaKit.PostgreSql;
using HaKit.Recording;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes with batches, databases, vaults and recorders: options out of their range, values that the configuration does not have, wrong keys.</summary>
internal static class PackageMistakes
{
    private static readonly string s_key = Convert.ToBase64String(new byte[32]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static IEnumerable<Mistake> All { get; } =
    [
        new("a batch without a try", () => RunAsync(new() { MaxTries = 0 }), "MaxTries is 0", "RunBatchAsync", "at least 1"),
        new("a batch without concurrency", () => RunAsync(new() { MaxConcurrency = 0 }), "MaxConcurrency is 0", "RunBatchAsync", "at least 1"),
        new("a batch with a negative number of failures", () => RunAsync(new() { MaxFailures = -1 }), "MaxFailures is -1", "RunBatchAsync", "at least 0"),
        new("a batch with a negative outage", () => RunAsync(new() { MaxOutage = Timeout.InfiniteTimeSpan }), "MaxOutage is -0.001 s", "RunBatchAsync", "null for no limit"),
        new("a batch that may cost nothing", () => RunAsync(new() { MaxCost = 0 }), "MaxCost is 0", "RunBatchAsync", "null for no limit"),
        new("a batch with a cost limit and no prices", () => RunAsync(new() { MaxCost = 5 }), "MaxCost", "price of every endpoint", "set InputTokenPrice and OutputTokenPrice of x"),
        new("a batch without a profile", () => RunAsync(new() { Profile = null! }), "Profile is null", "RunBatchAsync", "leave Profile at its default"),
        new("embeddings in groups of nothing", () => RunEmbeddingsAsync(new() { GroupSize = 0 }, text => text), "GroupSize is 0", "RunBatchAsync", "at least 1"),
        new("a function for the text that returns nothing", () => RunEmbeddingsAsync(new(), _ => null!), "returned null", "RunBatchAsync", "Return a text"),
        new("a journal that the configuration does not name", () => RefusesAsync(() => BatchJournal.OpenAsync<string>(null!, cancellationToken: Token)), "it is null", "BatchJournal", "reviews.journal"),
        new("a journal in the home folder of a shell", () => RefusesAsync(() => BatchJournal.OpenAsync<string>("~/hakit-nowhere/work.journal", cancellationToken: Token)), "does not exist", "~/hakit-nowhere/work.journal", "the whole path"),
        new("a repair into the damaged journal", () => RepairAsync("work.journal"), "the damaged journal itself", "work.journal", "another name"),
        new("a repair into another journal", () => RepairAsync("other.journal"), "already", "other.journal", "another name"),
        new("a lease of nothing", () => WithDatabaseAsync(new() { Lease = TimeSpan.Zero }), "Lease is 0 s", "PostgreSqlBatchStore", "1 s to a day"),
        new("a short key for a database", () => WithDatabaseAsync(new() { SealKey = new byte[8] }), "8 bytes", "PostgreSqlBatchStore: SealKey", "at least 16"),
        new("a batch in a database without a name", () => WithDatabaseAsync(new(), name: ""), "no name of a batch", "PostgreSqlBatchStore", "Give the name itself"),
        new("a database at a wrong port", () => WithDatabaseAsync(new()), "127.0.0.1:1", "The batch 'reviews'", "Correct host and port"),
        new("a database on a host that does not exist", () => WithDatabaseAsync(new(), "Host=hakit-nowhere.invalid;Password=planted"), "cannot be opened", "The batch 'reviews'", "Correct host and port"),
        new("a key of a vault that the configuration does not have", () => WithVaultAsync(o => o.Keys["1"] = null!), "Keys:1 is null", "Vault 'state'", "openssl rand -base64 32"),
        new("a vault whose keys are null", () => WithVaultAsync(o => o.Keys = null!), "Keys is null", "Vault 'state'", "openssl rand -base64 32"),
        new("a vault with a destination that is null", () => WithVaultAsync(o => o.Destinations.Add(null!)), "is null", "Vault 'state': Destinations", "Remove it"),
        new("a number of a key in words", () => SaysAsync($$"""{ "Vault": { "Destinations": [ { "Name": "disk", "Folder": "/tmp/hakit-nowhere" } ], "Keys": { "1": "{{s_key}}" }, "ActiveKey": "first" } }""", b => b.Services.AddHaVault("state", b.Configuration.GetSection("Vault"))), "UInt32", "Vault:ActiveKey", "a whole number"),
        new("a source in the home folder of a shell", () => WithVaultAsync(o => (o.Source, o.Every) = ("~/data", TimeSpan.FromHours(1))), "'~/data'", "Vault 'state': Source", "the whole path"),
        new("a state file in the home folder of a shell", () => WithVaultAsync(o => o.StateFile = "~/vault.state"), "'~/vault.state'", "Vault 'state': StateFile", "the whole path"),
        new("a vault with another key than the one that made it", () => InFolderAsync(async folder =>
        {
            await SaveAsync(folder, s_key);
            await SaveAsync(folder, Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray()));
        }), "do not open this vault", "'disk'", "the keys with which the vault was saved"),
        new("a vault in a folder without permission", () => InFolderAsync(folder => SaveAsync(folder, s_key, "/sys/hakit-nowhere")), "'/sys/hakit-nowhere'", "'disk'", "permissions"),
        new("a vault in a folder that nothing can create", () => InFolderAsync(folder => SaveAsync(folder, s_key, "/proc/hakit-nowhere")), "'/proc/hakit-nowhere", "'disk'", "permissions"),
        new("a snapshot that a vault does not have", () => InFolderAsync(async folder =>
        {
            await using var vault = await SaveAsync(folder, s_key);
            await vault.RestoreAsync("99", Path.Combine(folder, "out"), cancellationToken: Token);
        }), "'99'", "snapshot", "'latest'"),
        new("a save of a path that the configuration does not have", () => InFolderAsync(async folder =>
        {
            await using var vault = await SaveAsync(folder, s_key);
            await vault.SaveAsync(null!, cancellationToken: Token);
        }), "no path", "SaveAsync", "Give the path"),
        new("a recorder in the home folder of a shell", () => RefusesAsync(() => Task.FromResult(new EndpointPoolParts().UseFlightRecorder(new FlightRecorderOptions { Folder = "~/recordings" }))), "'~/recordings'", "Flight recorder: Folder", "the whole path"),
        new("megabytes for the size of recordings", () => RefusesAsync(() => Task.FromResult(new EndpointPoolParts().UseFlightRecorder(new FlightRecorderOptions { Folder = "recordings", MaxBytes = 64 }))), "MaxBytes is 64", "Flight recorder", "at least twice SegmentBytes"),
    ];

    private static Task<string> RunAsync(ChatBatchOptions options) => InFolderAsync(async folder =>
    {
        await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), cancellationToken: Token);
        await using var pool = new EndpointPool("chat", new EndpointPoolOptions().AddEndpoint("x", new FakeChatClient("x")));
        using var chat = pool.AsChatClient();
        await foreach (var _ in chat.RunBatchAsync(batch, text => [new(ChatRole.User, text)], options, Token))
        {
        }
    });

    private static Task<string> RepairAsync(string to) => InFolderAsync(async folder =>
    {
        foreach (var name in (string[])["work.journal", "other.journal"])
        {
            await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, name), cancellationToken: Token);
            await batch.AddAsync(["one"], static item => item, cancellationToken: Token);
        }
        await BatchJournal.RepairAsync(Path.Combine(folder, "work.journal"), Path.Combine(folder, to), cancellationToken: Token);
    });

    private static Task<string> RunEmbeddingsAsync(EmbeddingBatchOptions options, Func<string, string> text) => InFolderAsync(async folder =>
    {
        await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), cancellationToken: Token);
        await batch.AddAsync(["one"], static item => item, cancellationToken: Token);
        await using var pool = new EndpointPool("vectors", new EndpointPoolOptions().AddEndpoint("x", new FakeEmbeddingGenerator("x")));
        using var generator = pool.AsEmbeddingGenerator();
        await foreach (var _ in generator.RunBatchAsync(batch, text, options, Token))
        {
        }
    });

    private static Task<string> WithDatabaseAsync(PostgreSqlBatchOptions options, string connection = "Host=127.0.0.1;Port=1;Username=app;Password=planted;Timeout=5", string name = "reviews") => RefusesAsync(async () =>
    {
        await using var source = NpgsqlDataSource.Create(connection);
        await PostgreSqlBatchStore.OpenAsync<string>(source, name, options, Token);
    });

    private static Task<string> WithVaultAsync(Action<VaultOptions> configure) => SaysAsync("{}", b => b.Services.AddHaVault("state", o =>
    {
        o.Keys["1"] = s_key;
        o.Destinations.Add(new() { Name = "disk", Folder = "/tmp/hakit-nowhere" });
        configure(o);
    }));

    private static async Task<Vault> SaveAsync(string folder, string key, string? destination = null)
    {
        var options = new VaultOptions { Keys = { ["1"] = key }, Destinations = [new() { Name = "disk", Folder = destination ?? Path.Combine(folder, "vault") }], OperationTimeout = TimeSpan.FromSeconds(2) };
        var vault = Vault.Create("state", options);
        await File.WriteAllTextAsync(Path.Combine(folder, "file"), "1", Token);
        await vault.SaveAsync(Path.Combine(folder, "file"), cancellationToken: Token);
        return vault;
    }

    private static async Task<string> InFolderAsync(Func<string, Task> act)
    {
        var folder = Directory.CreateTempSubdirectory("hakit-mistake-");
        try
        {
            return await RefusesAsync(() => act(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
