using System.Globalization;
using System.Text;
using System.Text.Json;

namespace HaKit.Alerts;

/// <summary>Replaces names in braces in the strings of a JSON template. Pure.</summary>
internal static class AlertTemplate
{
    public const string Default =
        """{"status":"{{status}}","kind":"{{kind}}","pool":"{{pool}}","endpoint":"{{endpoint}}","text":"{{text}}","detail":"{{detail}}","key":"{{key}}","since":"{{since}}","at":"{{at}}","count":"{{count}}"}""";

    private static readonly string[] Names = ["text", "status", "kind", "pool", "endpoint", "detail", "key", "since", "at", "count"];

    /// <exception cref="ArgumentException">The template is not JSON, or contains an unknown name.</exception>
    public static void Check(string template)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(template);
        try
        {
            using var _ = JsonDocument.Parse(template);
        }
        catch (JsonException wrong)
        {
            throw new ArgumentException($"The template is not JSON: {wrong.Message}", nameof(template), wrong);
        }
        ReplaceNames(template, name => Names.Contains(name) ? "" : throw new ArgumentException($"The template names '{{{{{name}}}}}', which is not a name that it can use. The names are {string.Join(", ", Names)}.", nameof(template)));
    }

    public static string Fill(string template, AlertMessage message)
    {
        var first = message.Notices[0];
        return ReplaceNames(template, name => JsonEncodedText.Encode(name switch
        {
            "text" => message.Text,
            "status" => first.IsResolved ? "resolved" : "firing",
            "kind" => first.Kind.ToString(),
            "pool" => first.Pool,
            "endpoint" => first.Endpoint ?? "",
            "detail" => first.Detail,
            "key" => first.Key,
            "since" => first.Since.ToString("O", CultureInfo.InvariantCulture),
            "at" => message.At.ToString("O", CultureInfo.InvariantCulture),
            _ => message.Notices.Count.ToString(CultureInfo.InvariantCulture),
        }).ToString());
    }

    private static string ReplaceNames(string template, Func<string, string> valueOf)
    {
        var text = new StringBuilder();
        for (var at = 0; ;)
        {
            var open = template.IndexOf("{{", at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : template.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0)
                return text.Append(template, at, template.Length - at).ToString();
            var isName = !template.AsSpan(open + 2, close - open - 2).ContainsAnyExceptInRange('a', 'z');
            text.Append(template, at, open - at).Append(isName ? valueOf(template[(open + 2)..close]) : "{"); // braces around other text than a name are kept
            at = isName ? close + 2 : open + 1;
        }
    }
}
