using System.Diagnostics.CodeAnalysis;
using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Http;
using HaKit.Limits;
using HaKit.Peers;
using HaKit.Selection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HaKit.DependencyInjection;

/// <summary>Checks a part of a configuration, and adds its mistakes to the list.</summary>
internal delegate void SettingCheck(IConfigurationSection section, List<string> wrong);

/// <summary>
/// Contains the names that a pool's section may have, and checks sections against them. The binder ignores unknown names, so a misspelt setting would silently
/// have no effect. Messages quote only values that are times, because any other value may be an API key.
/// </summary>
internal static class SettingNames
{
    private static readonly SettingCheck LimitNames = Group<LimitOptions>();

    private static readonly Dictionary<string, SettingCheck> EndpointNames = NamesOf<EndpointOptions>(
        ("Headers", Each(Header, "api-key")), ("Tags", Entries), ("AttemptTimeout", Group<TimeoutOptions>(("Name", Leaf))), ("Limits", LimitNames), ("Client", OnlyCode));

    private static readonly Dictionary<string, SettingCheck> PoolNames = NamesOf<EndpointPoolOptions>(
        ("Endpoints", Endpoints),
        ("AccountLimits", Accounts),
        ("TotalRequestTimeout", Group<TimeoutOptions>(("Name", Leaf))),
        ("AttemptTimeout", Group<TimeoutOptions>(("Name", Leaf))),
        ("FirstContent", Group<FirstContentOptions>()),
        ("Selection", Group<SelectionOptions>()),
        ("Scale", Group<ScaleOptions>()),
        ("Retry", Group<RetryOptions>(("Name", Leaf), ("BackoffType", Leaf), ("UseJitter", Leaf), ("ShouldRetryAfterHeader", Leaf))),
        ("Streaming", Group<StreamingOptions>()),
        ("Http", Group<HttpOptions>(("CountTokens", OnlyCode), ("CredentialNames", Entries))),
        ("Hedging", Group<HedgingOptions>(("Name", Leaf), ("MaxHedgedAttempts", Leaf), ("Delay", Leaf))),
        ("RetryBudget", Group<RetryBudgetOptions>()),
        ("CircuitBreaker", Group<HealthOptions>(("Name", Leaf))),
        ("Heartbeat", Group<HeartbeatOptions>()),
        ("Recovery", Group<RecoveryOptions>()),
        ("OnFault", OnlyCode),
        ("Sharing", Group<SharingOptions>()),
        ("Objective", Group<ObjectiveOptions>()),
        ("RateLimiter", Anything),
        ("Endpoint", Named(new(StringComparer.OrdinalIgnoreCase) { ["Timeout"] = Anything, ["CircuitBreaker"] = Anything, ["RateLimiter"] = Anything })));

    /// <summary>
    /// Checks the section of a pool. Two things are accepted although they have no effect. First, names of the standard HTTP resilience options without a
    /// meaning for a pool, so that a section for these options can be used unchanged. Second, a value of the section itself, which an environment variable with
    /// the section's name creates.
    /// </summary>
    public static readonly SettingCheck Pool = (section, wrong) =>
    {
        // The section of one endpoint in place of the pool's section.
        if (section.Key.All(char.IsAsciiDigit) && section.Path.Split(ConfigurationPath.KeyDelimiter) is [.. { Length: > 0 } above, var list, _] && list.Equals("Endpoints", StringComparison.OrdinalIgnoreCase) && !section.GetSection("Endpoints").Exists())
            wrong.Add($"{section.Path} is one endpoint: give AddHaEndpointPool the section '{string.Join(ConfigurationPath.KeyDelimiter, above)}', which has the Endpoints.");
        else
            Named(PoolNames, section, wrong);
    };

    private static readonly string[] s_withoutMeaning =
    [
        "Retry:BackoffType", "Retry:UseJitter", "Retry:ShouldRetryAfterHeader", "Hedging:MaxHedgedAttempts", "Hedging:Delay",
        "RateLimiter", "Endpoint:Timeout", "Endpoint:CircuitBreaker", "Endpoint:RateLimiter",
    ];

    /// <summary>Gets the names in a pool's section that belong to the standard HTTP resilience options and have no meaning for a pool.</summary>
    public static string[] WithoutMeaning(IConfigurationSection section) => [.. s_withoutMeaning.Where(name => section.GetSection(name).Exists())];

    private static void Anything(IConfigurationSection section, List<string> wrong)
    {
    }

    private static void Leaf(IConfigurationSection section, List<string> wrong)
    {
        // The message does not contain the names of the children, because one of them may be a secret value, such as an API key, in the place of a name.
        if (section.GetChildren().Any())
            wrong.Add($"{section.Path} is a value by itself and has no settings below it.");
    }

    private static void Endpoints(IConfigurationSection section, List<string> wrong)
    {
        HasNoValue(section, wrong, "0");
        var entries = section.GetChildren().ToArray();
        if (entries.Any(static e => EndpointNames.ContainsKey(e.Key)))
        {
            wrong.Add($"{section.Path} is one endpoint, and a list is needed. Put the endpoint into brackets: \"Endpoints\": [ {{ \"Name\": … }} ].");
            return;
        }
        foreach (var entry in entries)
        {
            if (entry.Key is [>= '0' and <= '9', ..] && entry.Key.IndexOf('_', StringComparison.Ordinal) is > 0 and var separator && ShownText.IsName(entry.Key))
            {
                wrong.Add($"{entry.Path} is no endpoint. In the name of an environment variable, two underscores separate the parts: '{section.Path.Replace(":", "__", StringComparison.Ordinal)}__{entry.Key[..separator]}__{entry.Key[(separator + 1)..]}'.");
                continue;
            }
            if (!entry.Key.All(char.IsAsciiDigit) && string.IsNullOrEmpty(entry.Value) && string.IsNullOrEmpty(entry["Name"]) && ShownText.IsName(entry.Key))
                wrong.Add($"{entry.Path} has no Name. The key of an entry is not the endpoint's name: add \"Name\": \"{entry.Key}\".");
            Named(EndpointNames)(entry, wrong);
        }
    }

    private static void Header(IConfigurationSection section, List<string> wrong)
    {
        var headers = section.Path[..^(section.Key.Length + 1)];
        if (section.GetChildren().Any())
            wrong.Add($"{headers} has a header with settings below it: the value of a header is one text.");
        else if (section.Key.All(char.IsAsciiDigit))
            wrong.Add($"{headers} is a list, and names with values are needed, such as {{ \"api-key\": … }}.");
    }

    // A list of texts. The binder also takes the values of named settings, so { "gpu": true } would become the tag "True".
    private static void Entries(IConfigurationSection section, List<string> wrong)
    {
        HasNoValue(section, wrong, "0");
        if (section.GetChildren().Any(static c => !c.Key.All(char.IsAsciiDigit)))
            wrong.Add($"{section.Path} has names, and a list of texts is needed: \"{section.Key}\": [ \"…\", \"…\" ].");
        if (section.GetChildren().Any(static c => c.GetChildren().Any()))
            wrong.Add($"{section.Path} has settings in its list, and a list of texts is needed: \"{section.Key}\": [ \"…\", \"…\" ].");
    }

    private static void Accounts(IConfigurationSection section, List<string> wrong)
    {
        const string Form = "{ \"ACCOUNT\": { \"RequestsPerMinute\": 60 } }";
        HasNoValue(section, wrong, "ACCOUNT");
        foreach (var child in section.GetChildren())
        {
            if (child.Key.All(char.IsAsciiDigit) && child.GetChildren().Any())
                wrong.Add($"{section.Path} is a list, and limits under the names of their accounts are needed: {Form}.");
            else if (!string.IsNullOrEmpty(child.Value) && typeof(LimitOptions).GetProperty(child.Key) is not null)
                wrong.Add($"{child.Path} is a limit without an account. Put it below the name of its account: {Form}.");
            else
                LimitNames(child, wrong);
        }
    }

    private static void OnlyCode(IConfigurationSection section, List<string> wrong) =>
        wrong.Add($"{section.Path} is no setting of a configuration: only code can give it.");

    private static void Time(IConfigurationSection section, List<string> wrong)
    {
        Leaf(section, wrong);
        if (TimeSetting.FindMistake(section) is { } mistake)
            wrong.Add(mistake);
    }

    // The binder accepts any number, with or without spaces around it, even if no member of the enum has this number. It reads "OpenAI, Anthropic" as the
    // bitwise OR of the numbers of both members.
    private static SettingCheck Value(string[] names) => (section, wrong) =>
    {
        Leaf(section, wrong);
        if (section.Value is { Length: > 0 } value && (value.Contains(',', StringComparison.Ordinal) || value.Trim().All(static c => char.IsAsciiDigit(c) || c is '-' or '+')))
            wrong.Add($"{section.Path} is not the name of one value: one of {string.Join(", ", names)} is needed.");
    };

    private static SettingCheck Each(SettingCheck check, string example) => (section, wrong) =>
    {
        HasNoValue(section, wrong, example);
        foreach (var child in section.GetChildren())
            check(child, wrong);
    };

    private static SettingCheck Group<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(params (string Name, SettingCheck Check)[] others) =>
        Named(NamesOf<T>(others));

    private static Dictionary<string, SettingCheck> NamesOf<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(params (string Name, SettingCheck Check)[] others)
    {
        var names = new Dictionary<string, SettingCheck>(StringComparer.OrdinalIgnoreCase);
        foreach (var property in typeof(T).GetProperties())
            names[property.Name] = CheckOf(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);
        foreach (var (name, check) in others)
            names[name] = check;
        return names;
    }

    private static SettingCheck CheckOf(Type type)
    {
        if (type == typeof(TimeSpan))
            return Time;
        return type.IsEnum ? Value(Enum.GetNames(type)) : Leaf;
    }

    private static SettingCheck Named(Dictionary<string, SettingCheck> names) => (section, wrong) =>
    {
        HasNoValue(section, wrong, names.Keys.First());
        if (section.GetChildren().ToArray() is { Length: > 0 } children && children.All(static c => c.Key.All(char.IsAsciiDigit)) && !section.Key.All(char.IsAsciiDigit) && !section.Key.Equals("Endpoint", StringComparison.OrdinalIgnoreCase))
        {
            wrong.Add($"{section.Path} is a list, and settings with names are needed, such as {section.Path}:{names.Keys.First()}.");
            return;
        }
        Named(names, section, wrong);
    };

    private static void Named(Dictionary<string, SettingCheck> names, IConfigurationSection section, List<string> wrong)
    {
        foreach (var child in section.GetChildren())
        {
            if (names.TryGetValue(child.Key, out var check))
                check(child, wrong);
            else if (child.Key is not ['$' or '_' or '/' or '#', ..]) // keys that start with these characters are treated as comments
                wrong.Add(UnknownName(section, child, names.Keys));
        }
    }

    private static string UnknownName(IConfigurationSection section, IConfigurationSection child, IEnumerable<string> known) => ShownText.IsName(child.Key)
        ? $"{child.Path} is no setting of a pool.{SettingHints.Find(section, child, known)}"
        : $"{section.Path} has a name that is no setting of a pool. The name is not shown, because it may be a key.";

    private static void HasNoValue(IConfigurationSection section, List<string> wrong, string example)
    {
        if (!string.IsNullOrEmpty(section.Value))
            wrong.Add($"{section.Path} has a value where settings of its own are expected, such as {section.Path}:{example}.");
    }
}
