namespace HaKit.Availability.Tests;

/// <summary>Reads series(x=0.99,parallel(0.9,0.9)) into blocks.</summary>
internal static class BlockText
{
    public static ReliabilityBlock Parse(string text)
    {
        text = text.Trim();
        var open = text.IndexOf('(');
        if (open < 0)
        {
            var equals = text.IndexOf('=');
            var name = equals < 0 ? $"{text} {Guid.NewGuid()}" : text[..equals];
            return ReliabilityBlock.Component(name, AvailabilityRatio.From(decimal.Parse(text[(equals + 1)..], System.Globalization.CultureInfo.InvariantCulture)));
        }

        var parts = Split(text[(open + 1)..^1]).Select(Parse).ToArray();
        return text[..open] switch
        {
            "series" => ReliabilityBlock.Series(parts),
            "parallel" => ReliabilityBlock.Parallel(parts),
            var other => throw new FormatException(other),
        };
    }

    private static IEnumerable<string> Split(string text)
    {
        int depth = 0, start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '(')
            {
                depth++;
            }
            else if (text[i] == ')')
            {
                depth--;
            }
            else if (text[i] == ',' && depth == 0)
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        yield return text[start..];
    }
}
