using System.Globalization;
using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Heartbeats;
using HaKit.Selection;
using Microsoft.Extensions.Configuration;

namespace HaKit.DependencyInjection;

/// <summary>
/// Describes a value that cannot be converted: its place and the expected type, but not the value itself. (The binder's own message quotes the value, which may
/// be a key in the wrong place.) This file is also compiled into the packages that read settings of their own.
/// </summary>
internal static class UnreadableSetting
{
    private static readonly Dictionary<string, string[]> s_choices = new(StringComparer.Ordinal)
    {
        [nameof(WireDialect)] = Enum.GetNames<WireDialect>(),
        [nameof(Continuation)] = Enum.GetNames<Continuation>(),
        [nameof(SelectionPreset)] = Enum.GetNames<SelectionPreset>(),
        [nameof(FailureDetection)] = Enum.GetNames<FailureDetection>(),
        [nameof(RuleMode)] = Enum.GetNames<RuleMode>(),
        [nameof(HoldUntil)] = Enum.GetNames<HoldUntil>(),
        [nameof(StreamContinuation)] = Enum.GetNames<StreamContinuation>(),
    };

    /// <summary>Describes the value that the binder could not convert.</summary>
    /// <param name="section">The section that was bound.</param>
    /// <param name="message">The binder's message.</param>
    public static string Describe(IConfiguration section, string message)
    {
        foreach (var (path, value) in section.AsEnumerable())
        {
            if (value is { Length: > 0 } && message.Contains($"'{value}' at '{path}'", StringComparison.Ordinal) && path.Split(ConfigurationPath.KeyDelimiter).All(p => ShownText.IsName(p)))
                return $"{path} has a value that cannot be converted{TypeIn(message)}. The value is not shown, because it may be a key.";
        }
        return "a value cannot be converted to the type of its setting. The value is not shown, because it may be a key.";
    }

    /// <summary>
    /// Replaces the binder's message about a value that it could not convert. Code that binds a section itself throws this message, which quotes the value. Any
    /// other message is returned unchanged.
    /// </summary>
    /// <param name="message">The message of an exception.</param>
    public static string WithoutValue(string message)
    {
        const string begin = "Failed to convert configuration value '", before = "' at '", after = "' to type '";
        var end = message.LastIndexOf(after, StringComparison.Ordinal);
        var at = end < 0 ? -1 : message.LastIndexOf(before, end, StringComparison.Ordinal);
        if (!message.StartsWith(begin, StringComparison.Ordinal) || at < 0)
            return message;
        var path = message[(at + before.Length)..end];
        var place = path.Split(ConfigurationPath.KeyDelimiter).All(p => ShownText.IsName(p)) ? path : "a setting";
        return $"{place} has a value that cannot be converted{TypeIn(message)}. The value is not shown, because it may be a key.";
    }

    // The binder's message ends with the name of the expected type.
    private static string TypeIn(string message)
    {
        const string before = "' to type '";
        var at = message.LastIndexOf(before, StringComparison.Ordinal);
        var type = at < 0 ? "" : message[(at + before.Length)..].TrimEnd('.', '\'');
        type = type[(type.LastIndexOf('.') + 1)..];
        return type.Length > 0 && ShownText.IsName(type) ? $" to {type}{Expected(type)}" : "";
    }

    private static string Expected(string type) => type switch
    {
        nameof(TimeSpan) => ": a time such as '00:00:30' for 30 seconds is needed",
        nameof(Boolean) => ": true or false is needed",
        nameof(Int32) => string.Create(CultureInfo.InvariantCulture, $": a whole number of at most {int.MaxValue} is needed"),
        nameof(Int64) => ": a whole number is needed",
        nameof(UInt32) => ": a whole number of at least 0 is needed",
        nameof(Double) or nameof(Decimal) => ": a number such as 0.5 is needed",
        _ when s_choices.TryGetValue(type, out var names) => $": one of {string.Join(", ", names)} is needed",
        _ => "",
    };
}
