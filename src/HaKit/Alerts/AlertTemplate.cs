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

    // The names that other tools have for the text.
    private static readonly string[] s_others = ["message", "summary", "title", "alert"];

    /// <exception cref="ArgumentException">The template is not JSON, or contains an unknown name.</exception>
    public static void Check(string template)
    {
        if (string.IsNullOrWhiteSpace(template))
            throw new ArgumentException("AddWebhook: Template is empty. Give JSON such as {\"text\":\"{{text}}\"}, or leave Template at its default.", nameof(template));
        try
        {
            using var _ = JsonDocument.Parse(template);
        }
        catch (JsonException wrong)
        {
            throw new ArgumentException($"AddWebhook: Template is not JSON ({wrong.Message}) Give JSON such as {{\"text\":\"{{{{text}}}}\"}}.", nameof(template), wrong);
        }
        // One brace in place of two: the receiver would get the name itself.
        if (Names.Concat(s_others).FirstOrDefault(name => template.Contains($"\"{{{name}}}\"", StringComparison.Ordinal)) is { } single)
            throw new ArgumentException($"AddWebhook: Template has '{{{single}}}' in single braces. Write two: '{{{{{(Names.Contains(single) ? single : "text")}}}}}'. The names are {string.Join(", ", Names)}.", nameof(template));
        ReplaceNames(template, name => Names.Contains(name) ? "" : throw new ArgumentException($"AddWebhook: Template names '{{{{{name}}}}}', which is not a name that it can use. The names are {string.Join(", ", Names)}.", nameof(template)));
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
