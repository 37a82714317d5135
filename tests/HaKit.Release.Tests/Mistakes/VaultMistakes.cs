using HaKit.Continuity;
using Microsoft.Extensions.DependencyInjection;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes with the places of a vault: folders in one another, containers, sources, targets and state files.</summary>
internal static class VaultMistakes
{
    private const string Disk = """{ "Name": "disk", "Folder": "/tmp/hakit-nowhere/disk" }""";

    private static readonly string s_key = Convert.ToBase64String(new byte[32]);

    public static IEnumerable<Mistake> All { get; } =
    [
        new("a vault over a section that does not exist", () => SaysAsync("{}", b => b.Services.AddHaVault("state", b.Configuration.GetSection("Vautl"))), "'Vautl'", "Vault 'state'", "Give AddHaVault the section"),
        new("one destination in place of the list", () => WithVaultAsync(Disk, asList: false), "one destination", "Vault:Destinations", "brackets"),
        new("a path in place of a destination", () => WithVaultAsync("\"/tmp/hakit-nowhere\""), "a text", "Vault:Destinations", "\"Folder\""),
        new("the folder of a destination under another name", () => WithVaultAsync("""{ "Name": "disk", "Path": "/tmp/hakit-nowhere" }"""), "Path", "Vault:Destinations:0:Path", "Did you mean 'Folder'?"),
        new("two destinations in one folder", () => WithVaultAsync($$"""{{Disk}}, { "Name": "second", "Folder": "/tmp/hakit-nowhere/disk/" }"""), "'disk' and 'second' have the same folder", "Vault 'state'", "a folder of its own"),
        new("a destination in the folder of another", () => WithVaultAsync($$"""{{Disk}}, { "Name": "second", "Folder": "/tmp/hakit-nowhere/disk/second" }"""), "'disk' and 'second'", "Vault 'state'", "a folder of its own"),
        new("the home folder of a shell", () => WithVaultAsync("""{ "Name": "disk", "Folder": "~/backup" }"""), "'~/backup'", "Destinations:0:Folder of 'disk'", "whole path"),
        new("an empty folder of a destination", () => WithVaultAsync("""{ "Name": "disk", "Folder": "" }"""), "is empty", "Destinations:0:Folder of 'disk'", "Give the path"),
        new("a placeholder for the folder of a destination", () => WithVaultAsync("""{ "Name": "disk", "Folder": "${BACKUP}" }"""), "placeholder", "Destinations:0:Folder of 'disk'", "Give the real path"),
        new("an account in place of a container", () => WithVaultAsync("""{ "Name": "azure", "BlobSas": "https://a.blob.core.windows.net/?sv=1&sig=planted" }"""), "no container", "Destinations:0:BlobSas of 'azure'", "/container?sv="),
        new("a container that can only be read", () => WithVaultAsync("""{ "Name": "azure", "BlobSas": "https://a.blob.core.windows.net/c?sv=1&sp=r&sig=planted" }"""), "'r' only", "Destinations:0:BlobSas of 'azure'", "'rwdl'"),
        new("one key under two numbers", () => WithVaultAsync(Disk, $$""", "Keys": { "1": "{{s_key}}", "2": "{{s_key}}" }"""), "Keys:1 and Keys:2", "Vault 'state'", "a key of its own"),
        new("a key without its number", () => WithVaultAsync(Disk, $$""", "Keys": "{{s_key}}" """), "a text", "Vault:Keys", "numbered keys"),
        new("an active key that does not exist", () => WithVaultAsync(Disk, $$""", "Keys": { "1": "{{s_key}}" }, "ActiveKey": 2"""), "ActiveKey is 2", "Vault 'state'", "Add Keys:2"),
        new("a source with its destination in it", () => WithVaultAsync(Disk, $$""", "Keys": { "1": "{{s_key}}" }, "Every": "01:00:00", "Source": "/tmp/hakit-nowhere" """), "'/tmp/hakit-nowhere'", "destination 'disk'", "Keep the source and the destinations apart"),
        new("a health check that fails between two saves", () => WithVaultAsync(Disk, $$""", "Keys": { "1": "{{s_key}}" }, "Every": "01:00:00", "MaxAge": "00:10:00", "Source": "/etc/hosts" """), "MaxAge is 10 min", "Vault 'state'", "longer than Every"),
        new("a folder for the state file", () => WithVaultAsync(Disk, $$""", "Keys": { "1": "{{s_key}}" }, "StateFile": "/tmp" """), "'/tmp'", "StateFile", "the path of a file"),
        new("the state file in a destination", () => WithVaultAsync(Disk, $$""", "Keys": { "1": "{{s_key}}" }, "StateFile": "/tmp/hakit-nowhere/disk/state" """), "destination 'disk'", "StateFile", "outside the destinations"),
        new("a save of the folder with the vault in it", () => InFolderAsync((vault, folder) => vault.SaveAsync(folder, cancellationToken: Token)), "the folder of destination 'disk'", "The source", "Keep the source and the destinations apart"),
        new("a save of nothing", () => InFolderAsync((vault, folder) => vault.SaveAsync(Path.Combine(folder, "nowhere"), cancellationToken: Token)), "nothing to save", "nowhere", "that exists"),
        new("a save with no copy", () => InFolderAsync((vault, folder) => vault.SaveAsync(Path.Combine(folder, "file"), copies: 0, Token)), "is 0", "Copies", "from 1 to the number of destinations (1)"),
        new("a restore into the vault", () => InFolderAsync(async (vault, folder) =>
        {
            await vault.SaveAsync(Path.Combine(folder, "file"), cancellationToken: Token);
            await vault.RestoreAsync("latest", Path.Combine(folder, "vault", "out"), Token);
        }), "the folder of destination 'disk'", "The target", "outside the destinations"),
        new("a restore of a path that was not saved", () => InFolderAsync(async (vault, folder) =>
        {
            await vault.SaveAsync(Path.Combine(folder, "file"), cancellationToken: Token);
            await vault.RestoreAsync("latest", Path.Combine(folder, "out"), "other", Token);
        }), "'other'", "Snapshot 1", "as the snapshot has it"),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<string> WithVaultAsync(string destinations, string? more = null, bool asList = true) =>
        SaysAsync($$"""{ "Vault": { "Destinations": {{(asList ? $"[ {destinations} ]" : destinations)}} {{more ?? $", \"Keys\": {{ \"1\": \"{s_key}\" }}"}} } }""", b => b.Services.AddHaVault("state", b.Configuration.GetSection("Vault")));

    private static async Task<string> InFolderAsync(Func<Vault, string, Task> act)
    {
        var folder = Directory.CreateTempSubdirectory("hakit-mistake-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "file"), "1", Token);
            await using var vault = Vault.Create("state", new VaultOptions { Keys = { ["1"] = s_key }, Destinations = [new() { Name = "disk", Folder = Path.Combine(folder.FullName, "vault") }] });
            return await RefusesAsync(() => act(vault, folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
