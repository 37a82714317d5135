using System.Globalization;
using System.Text;
using System.Text.Json;
using HaKit.DependencyInjection;
using HaKit.Recording;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Tool.WhatIf;

/// <summary>The settings of a recording, and changed copies of them.</summary>
internal static class RecordedSettings
{
    /// <summary>Reads recorded settings.</summary>
    /// <param name="json">The JSON that the recorder wrote.</param>
    /// <param name="changes">Settings that replace recorded ones, as <c>Retry:MaxRetryAttempts</c> and its value.</param>
    /// <exception cref="UsageException">The settings are not valid.</exception>
    public static EndpointPoolOptions FromJson(string json, IEnumerable<KeyValuePair<string, string?>>? changes = null)
    {
        IConfigurationRoot? root = null;
        try
        {
            root = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).AddInMemoryCollection(changes ?? []).Build();
            var options = root.Get<EndpointPoolOptions>() ?? new EndpointPoolOptions();
            return options.Validate("pool") is { Count: > 0 } wrong ? throw new UsageException(string.Join('\n', wrong)) : options;
        }
        catch (InvalidOperationException unreadable) when (root is not null)
        {
            throw new UsageException($"The settings cannot be used: {UnreadableSetting.Describe(root, unreadable.Message)}");
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException or InvalidDataException)
        {
            throw new UsageException($"The settings cannot be used: {exception.Message}");
        }
    }

    /// <summary>Returns the settings that differ, with both values. Settings of an endpoint have its name.</summary>
    public static IReadOnlyList<(string Name, string Before, string After)> Differences(EndpointPoolOptions before, EndpointPoolOptions after)
    {
        var (old, now) = (Flat(before), Flat(after));
        return
        [
            .. from name in old.Keys.Union(now.Keys)
               let was = old.GetValueOrDefault(name, "none")
               let is_ = now.GetValueOrDefault(name, "none")
               where was != is_
               orderby name
               select (name, was, is_),
        ];
    }

    private static SortedDictionary<string, string> Flat(EndpointPoolOptions options)
    {
        var flat = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using var json = JsonDocument.Parse(RecordedConfiguration.Serialize("", options));
        Add(json.RootElement, "");
        flat.Remove("Pool");
        return flat;

        void Add(JsonElement element, string path)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var member in element.EnumerateObject())
                        Add(member.Value, path.Length == 0 ? member.Name : $"{path}:{member.Name}");
                    break;
                case JsonValueKind.Array:
                    var place = 0;
                    foreach (var item in element.EnumerateArray())
                        Add(item, $"{path}:{(item.ValueKind == JsonValueKind.Object && item.TryGetProperty("Name", out var name) ? name.GetString() : (place++).ToString(CultureInfo.InvariantCulture))}");
                    break;
                default:
                    flat[path] = element.ToString();
                    break;
            }
        }
    }

    /// <summary>Parses <c>--set NAME=VALUE</c>.</summary>
    /// <exception cref="UsageException">A text has another form, a pool has no setting of this name, or the value is a bare number for a time.</exception>
    public static KeyValuePair<string, string?>[] Changes(IEnumerable<string> sets)
    {
        KeyValuePair<string, string?>[] changes =
        [
            .. sets.Select(static set => set.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
                ? new KeyValuePair<string, string?>(set[..at].Replace('.', ':'), set[(at + 1)..])
                : throw new UsageException($"--set is '{set}': NAME=VALUE is needed, for example Retry:MaxRetryAttempts=0.")),
        ];
        if (changes.Length > 0)
            ThrowIfUnknown(changes);
        return changes;
    }

    // The binder ignores a name that it does not know, so the forecast would silently have the recorded value. Only the names and the form of the values are
    // checked here, because the values are checked later, together with the recorded settings.
    private static void ThrowIfUnknown(KeyValuePair<string, string?>[] changes)
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("pool", new ConfigurationBuilder().AddInMemoryCollection(changes.Select(static c => KeyValuePair.Create($"pool:{c.Key}", c.Value))).Build().GetSection("pool"));
        using var provider = services.BuildServiceProvider();
        var usual = new EndpointPoolOptions { AllowEmpty = true };
        string[] wrong = [.. provider.GetServices<IValidateOptions<EndpointPoolOptions>>().SelectMany(v => v.Validate("pool", usual).Failures ?? [])];
        if (wrong.Length > 0)
            throw new UsageException($"--set: {string.Join(' ', wrong).Replace("Pool 'pool': ", "", StringComparison.Ordinal).Replace("pool:", "", StringComparison.Ordinal)}");
    }
}
