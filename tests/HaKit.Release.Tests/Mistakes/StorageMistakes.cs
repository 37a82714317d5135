using HaKit.Batch;
using HaKit.Continuity;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Tests mistakes with stored data: batches and vaults.</summary>
internal static class StorageMistakes
{
    private static readonly string s_key = Convert.ToBase64String(new byte[32]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static IEnumerable<Mistake> All { get; } =
    [
        new("one journal in two processes", () => InFolderAsync(async folder =>
        {
            var file = Path.Combine(folder, "work.journal");
            await using var first = await BatchJournal.OpenAsync<string>(file, cancellationToken: Token);
            await using var second = await BatchJournal.OpenAsync<string>(file, cancellationToken: Token);
        }), "in use", "work.journal", "HaKit.PostgreSql"),
        new("a journal in a folder that does not exist", () => InFolderAsync(async folder =>
        {
            await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "nowhere", "work.journal"), cancellationToken: Token);
        }), "does not exist", "nowhere", "Create the folder"),
        new("a file that is no journal", () => InFolderAsync(async folder =>
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "work.journal.000001"), new string('x', 4096), Token);
            await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), cancellationToken: Token);
        }), "not a batch journal", "work.journal", "another name"),
        new("a short key for a journal", () => InFolderAsync(async folder =>
        {
            await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), new BatchJournalOptions { SealKey = new byte[8] }, Token);
        }), "8 bytes", "key", "at least 16"),
        new("two items of one id", () => InFolderAsync(async folder =>
        {
            await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), cancellationToken: Token);
            await batch.AddAsync(["one", "two"], _ => "1", cancellationToken: Token);
        }), "'1'", "items", "id"),
        new("a folder for a journal", () => InFolderAsync(async folder =>
        {
            await using var batch = await BatchJournal.OpenAsync<string>(folder, cancellationToken: Token);
        }), "is a folder", "The journal", "work.journal"),
        new("an item without an id", () => InFolderAsync(async folder =>
        {
            await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), cancellationToken: Token);
            await batch.AddAsync(["one"], _ => "", cancellationToken: Token);
        }), "returned nothing", "work.journal", "different for each item"),
        new("an item that is null", () => InFolderAsync(async folder =>
        {
            await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), cancellationToken: Token);
            await batch.AddAsync([null!], _ => "1", cancellationToken: Token);
        }), "null", "work.journal", "Leave it out"),
        new("a sealed journal without its key", () => InFolderAsync(async folder =>
        {
            await using (await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), new BatchJournalOptions { SealKey = new byte[32] }, Token))
            {
            }
            await using var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "work.journal"), cancellationToken: Token);
        }), "is sealed", "work.journal", "Set SealKey"),
        new("a journal that does not exist", () => InFolderAsync(async folder =>
        {
            await using var batch = await BatchJournal.OpenExistingStoreAsync(Path.Combine(folder, "work.journal"), cancellationToken: Token);
        }), "no journal", "work.journal", "Give the name"),
        new("a vault without a key", () => WithVaultAsync("""{ "Destinations": [ { "Name": "disk", "Folder": "/tmp/x" } ] }"""), "Keys is empty", "Vault 'state'", "openssl rand -base64 32"),
        new("a vault with a short key", () => WithVaultAsync("""{ "Destinations": [ { "Name": "disk", "Folder": "/tmp/x" } ], "Keys": { "1": "c2VjcmV0" } }"""), "Keys:1", "Vault 'state'", "openssl rand -base64 32"),
        new("a vault without a destination", () => WithVaultAsync($$"""{ "Keys": { "1": "{{s_key}}" } }"""), "Destinations is empty", "Vault 'state'", "Folder"),
        new("a misspelt setting of a vault", () => WithVaultAsync($$"""{ "Destinations": [ { "Name": "disk", "Foldr": "/tmp/x" } ], "Keys": { "1": "{{s_key}}" } }"""), "Foldr", "Vault:Destinations:0:Foldr", "Did you mean 'Folder'?"),
        new("a vault that wants more copies than it has destinations", () => WithVaultAsync($$"""{ "Destinations": [ { "Name": "disk", "Folder": "/tmp/x" } ], "Keys": { "1": "{{s_key}}" }, "Copies": 2 }"""), "Copies is 2", "Vault 'state'", "number of destinations"),
        new("a bare number for the interval of a vault", () => WithVaultAsync($$"""{ "Destinations": [ { "Name": "disk", "Folder": "/tmp/x" } ], "Keys": { "1": "{{s_key}}" }, "Source": "/etc/hosts", "Every": "15" }"""), "'15'", "Vault:Every", "'00:15:00'"),
        new("a destination that cannot be written", () => InFolderAsync(async folder =>
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "file"), "", Token);
            var options = new VaultOptions { Keys = { ["1"] = s_key }, Destinations = [new() { Name = "disk", Folder = Path.Combine(folder, "file") }] };
            await using var vault = Vault.Create("state", options);
            await vault.SaveAsync(folder, cancellationToken: Token);
        }), "is a file", "'disk'", "a folder is needed"),
        new("a restore over what is there", () => InFolderAsync(async folder =>
        {
            var options = new VaultOptions { Keys = { ["1"] = s_key }, Destinations = [new() { Name = "disk", Folder = Path.Combine(folder, "vault") }] };
            await File.WriteAllTextAsync(Path.Combine(folder, "file"), "1", Token);
            await using var vault = Vault.Create("state", options);
            await vault.SaveAsync(Path.Combine(folder, "file"), cancellationToken: Token);
            await vault.RestoreAsync("latest", folder, Token);
        }), "exists", "target", "new path"),
    ];

    private static Task<string> WithVaultAsync(string section) =>
        SaysAsync($$"""{ "Vault": {{section}} }""", b => Microsoft.Extensions.DependencyInjection.VaultServiceCollectionExtensions.AddHaVault(b.Services, "state", b.Configuration.GetSection("Vault")));

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
