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

    public static IEnumerable<string> Problems(IConfiguration section) =>
        Unknown(section, s_names)
            .Concat(section.GetSection("Destinations").GetChildren().SelectMany(static d => Unknown(d, s_destinationNames)))
            .Concat(section.GetChildren().Where(static s => s_times.Contains(s.Key)).Select(TimeSetting.FindMistake).OfType<string>());

    private static IEnumerable<string> Unknown(IConfiguration section, string[] names) =>
        from child in section.GetChildren()
        where child.Key is not ['$' or '_' or '/' or '#', ..] && !names.Contains(child.Key, StringComparer.OrdinalIgnoreCase)
        select IsName(child.Key)
            ? $"{child.Path} is no setting of a vault.{NearName.Hint(child.Key, names)}"
            : "there is a name that is no setting of a vault. The name is not shown, because it may be a key.";

    // A key that was written in place of a name has digits or other characters.
    private static bool IsName(string key) => key.Length <= 40 && key.All(char.IsAsciiLetter);
}
