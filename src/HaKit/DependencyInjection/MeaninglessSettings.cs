using Microsoft.Extensions.Configuration;

namespace HaKit.DependencyInjection;

/// <summary>
/// Finds the settings of the standard resilience options that have no meaning for a pool. Each setting is found once at the start, and again when a reload gives
/// it another value. Not thread-safe: used when the pool is created, and by one reload at a time.
/// </summary>
/// <param name="sections">The sections that describe the pool.</param>
internal sealed class MeaninglessSettings(EndpointPoolSection[] sections)
{
    private readonly HashSet<(string Path, string Values)> _known = [];

    /// <summary>Gets the path of each section with its new settings. Values are compared, but not returned, because a value may be a secret.</summary>
    public List<(string Section, string[] Names)> FindNew()
    {
        var found = new List<(string, string[])>();
        foreach (var section in sections)
        {
            var names = Array.FindAll(SettingNames.WithoutMeaning(section.Section), name => _known.Add((section.Section.GetSection(name).Path, ValuesOf(section, name))));
            if (names.Length > 0)
                found.Add((section.Section.Path, names));
        }
        return found;
    }

    private static string ValuesOf(EndpointPoolSection section, string name) =>
        string.Join('\n', section.Section.GetSection(name).AsEnumerable().Select(static s => $"{s.Key}={s.Value}").Order(StringComparer.Ordinal));
}
