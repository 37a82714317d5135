using HaKit.DependencyInjection;
using Microsoft.Extensions.Configuration;

namespace HaKit.Continuity;

/// <summary>
/// Finds names in a vault's section that belong to no setting, and times that .NET does not read as the author probably intended. Without this check, the
/// binder would ignore such names and use such times. Only the times are quoted in messages, because other values may be keys.
/// </summary>
internal static class VaultSettingNames
{
    private static readonly string[] s_names = [.. typeof(VaultOptions).GetProperties().Select(static p => p.Name)];
    private static readonly string[] s_destinationNames = [.. typeof(VaultDestinationOptions).GetProperties().Select(static p => p.Name)];
    private static readonly HashSet<string> s_times =
        new(typeof(VaultOptions).GetProperties().Where(static p => (Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType) == typeof(TimeSpan)).Select(static p => p.Name), StringComparer.OrdinalIgnoreCase);

    // The names of settings in other tools, each with the vault's name for the same setting.
    private static readonly Dictionary<string, string> s_elsewhere = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Path"] = "Folder",
        ["Directory"] = "Folder",
        ["Dir"] = "Folder",
        ["Sas"] = "BlobSas",
        ["SasUrl"] = "BlobSas",
        ["Url"] = "BlobSas",
        ["Container"] = "BlobSas",
        ["Interval"] = "Every",
        ["Schedule"] = "Every",
        ["Retention"] = "KeepDays",
        ["Secret"] = "Keys",
        ["Password"] = "Keys",
        ["Passphrase"] = "Keys",
        ["Targets"] = "Destinations",
    };

    /// <summary>Gets the names of a vault's settings.</summary>
    public static IReadOnlyList<string> All => s_names;

    public static IEnumerable<string> Problems(IConfiguration section) =>
        Forms(section).Concat(Unknown(section, s_names))
            .Concat(section.GetSection("Destinations").GetChildren().Where(static d => d.Key.All(char.IsAsciiDigit)).SelectMany(static d => Unknown(d, s_destinationNames)))
            .Concat(section.GetChildren().Where(static s => s_times.Contains(s.Key)).Select(TimeSetting.FindMistake).OfType<string>());

    private static IEnumerable<string> Forms(IConfiguration section)
    {
        if (section is IConfigurationSection own && !own.Exists())
            yield return $"the configuration has no section '{own.Path}'. Give AddHaVault the section that has the Destinations.";
        var destinations = section.GetSection("Destinations");
        if (destinations.GetChildren().Any(static c => s_destinationNames.Contains(c.Key, StringComparer.OrdinalIgnoreCase)))
            yield return $"{destinations.Path} is one destination, and a list is needed. Put the destination into brackets: \"Destinations\": [ {{ \"Name\": … }} ].";
        else if (!string.IsNullOrEmpty(destinations.Value) || destinations.GetChildren().Any(static c => !string.IsNullOrEmpty(c.Value)))
            yield return $"{destinations.Path} has a text where a destination is needed: [ {{ \"Name\": \"disk\", \"Folder\": \"/mnt/backup/app\" }} ].";
        if (!string.IsNullOrEmpty(section.GetSection("Keys").Value))
            yield return $"{section.GetSection("Keys").Path} has a text where numbered keys are needed: {{ \"1\": \"…\" }}.";
    }

    private static string HintOf(string name, string[] names)
    {
        if (s_elsewhere.TryGetValue(name, out var meant) && names.Contains(meant))
            return $" Did you mean '{meant}'?";
        return NearName.Hint(name, names) is { Length: > 0 } near ? near : " docs/vault.md of HaKit lists all settings.";
    }

    private static IEnumerable<string> Unknown(IConfiguration section, string[] names) =>
        from child in section.GetChildren()
        where child.Key is not ['$' or '_' or '/' or '#', ..] && !names.Contains(child.Key, StringComparer.OrdinalIgnoreCase)
        select IsName(child.Key)
            ? $"{child.Path} is no setting of a vault.{HintOf(child.Key, names)}"
            : "there is a name that is no setting of a vault. The name is not shown, because it may be a key.";

    // A key that was written in place of a name has digits or other characters.
    private static bool IsName(string key) => key.Length <= 40 && key.All(char.IsAsciiLetter);
}
