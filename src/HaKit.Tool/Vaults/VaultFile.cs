using HaKit.Continuity;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Tool.Vaults;

/// <summary>Opens the vault that the options name: by a file of settings, in the format of an application's configuration, or by folders.</summary>
internal static class VaultFile
{
    /// <summary>The environment variable with the vault's key, for a file without keys and for folders.</summary>
    public const string KeyVariable = "HAKIT_VAULT_KEY";

    private const string NoKey = $"A vault needs a key: set {KeyVariable} (openssl rand -base64 32), and keep a copy away from this machine.";

    /// <exception cref="UsageException">The options name no vault, the file cannot be read, or a setting is wrong; the message names it.</exception>
    public static Vault Open(string? file, string[] folders)
    {
        if (file is not null && folders.Length > 0)
            throw new UsageException("--to is given in the place of --vault. Give one of them.");
        if (file is null && folders.Length == 0)
            throw new UsageException("A vault needs --vault FILE or --to FOLDER.");
        var options = file is not null ? Read(file) : new VaultOptions { Destinations = [.. folders.Select(static f => new VaultDestinationOptions { Name = f, Folder = f })] };
        var takesVariable = options.Keys.Count == 0;
        if (takesVariable)
            options.Keys["1"] = Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key : throw new UsageException(NoKey);
        try
        {
            return Vault.Create("vault", options);
        }
        catch (VaultException e)
        {
            throw new UsageException(e.Message + (takesVariable ? OfVariable(e.Message) : ""));
        }
    }

    // The message names the key by its number.
    private static string OfVariable(string message) => message.Contains("Keys:1", StringComparison.Ordinal) ? $" Key 1 is the value of {KeyVariable}." : "";

    private static VaultOptions Read(string file)
    {
        if (!File.Exists(file))
            throw new UsageException($"--vault: there is no file '{file}'.");
        var takesVariable = false;
        try
        {
            var root = new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file)).Build();
            var isBelow = root.GetSection("Vault").Exists();
            if (!isBelow && !root.GetSection("Destinations").Exists())
                throw new UsageException($"--vault is '{file}', which has no vault: Destinations is needed, at the root or in a section Vault.");
            var settings = root.AsEnumerable().Where(s => !isBelow || s.Key.StartsWith("Vault:", StringComparison.OrdinalIgnoreCase))
                .Select(s => KeyValuePair.Create(isBelow ? s.Key : $"Vault:{s.Key}", s.Value)).ToList();
            if (!settings.Exists(static s => s.Key.StartsWith("Vault:Keys", StringComparison.OrdinalIgnoreCase)) && Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key)
            {
                settings.Add(new("Vault:Keys:1", key));
                takesVariable = true;
            }
            var services = new ServiceCollection();
            services.AddHaVault("vault", new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("Vault"));
            using var provider = services.BuildServiceProvider();
            return provider.GetRequiredService<IOptionsMonitor<VaultOptions>>().Get("vault");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or FormatException or OptionsValidationException or InvalidOperationException)
        {
            // The innermost exception of the JSON reader names the line and the error.
            var why = (exception is InvalidDataException { InnerException: { } inner } ? inner.GetBaseException() : exception).Message;
            throw new UsageException($"--vault is '{file}', which cannot be used: {why}{(why.Contains("Keys is empty", StringComparison.Ordinal) ? $" The key may also be in {KeyVariable}." : "")}{(takesVariable ? OfVariable(why) : "")}");
        }
    }
}
