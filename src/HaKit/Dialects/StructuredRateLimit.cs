using System.Globalization;
using System.Net.Http.Headers;

namespace HaKit.Dialects;

/// <summary>
/// Reads the header <c>RateLimit</c> of the IETF's drafts. It has one item for each policy: <c>"burst";r=0;t=20, "day";r=95;t=3600</c>. Earlier drafts have one
/// policy: <c>limit=10, remaining=0, reset=20</c>. The items may be on several lines. Pure; allocates nothing.
/// </summary>
internal static class StructuredRateLimit
{
    /// <summary>
    /// Gets the longest reset of the policies that are used up, because no request fits before all of them are full again. If no policy tells its remaining
    /// amount, it is the longest reset. Null if there is no such reset.
    /// </summary>
    /// <param name="raw">The answer's headers.</param>
    public static TimeSpan? FindReset(HttpHeadersNonValidated raw)
    {
        var resets = default(Resets);
        if (raw.TryGetValues("RateLimit", out var lines))
        {
            foreach (var line in lines)
                ReadLine(line, ref resets);
        }

        return resets.OfUsedUp ?? resets.OfUnknown;
    }

    private static void ReadLine(ReadOnlySpan<char> line, ref Resets resets)
    {
        var policy = default(Policy);
        while (!line.IsEmpty)
        {
            var end = EndOfPart(line);
            var startsPolicy = end < line.Length && line[end] == ',';
            policy.ReadMember(line[..end].Trim(), ref resets);
            line = end < line.Length ? line[(end + 1)..] : default;
            // After a comma comes the next policy, or in the earlier drafts the next member of the only policy. A name without a value begins a policy.
            if (startsPolicy && IsName(line))
                policy.AddTo(ref resets);
        }
        policy.AddTo(ref resets);
    }

    private static bool IsName(ReadOnlySpan<char> text)
    {
        text = text[..EndOfPart(text)].Trim();
        return text is ['"', ..] || !text.Contains('=');
    }

    // The end of a parameter or an item: the next semicolon or comma outside of quotation marks.
    private static int EndOfPart(ReadOnlySpan<char> text)
    {
        var isQuoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\' when isQuoted:
                    i++;
                    break;
                case '"':
                    isQuoted = !isQuoted;
                    break;
                case ';' or ',' when !isQuoted:
                    return i;
            }
        }

        return text.Length;
    }

    private struct Resets
    {
        public TimeSpan? OfUsedUp;
        public TimeSpan? OfUnknown;
    }

    private ref struct Policy
    {
        private ReadOnlySpan<char> _remaining;
        private ReadOnlySpan<char> _reset;

        public void ReadMember(ReadOnlySpan<char> member, ref Resets resets)
        {
            var sign = member is ['"', ..] ? -1 : member.IndexOf('=');
            if (sign <= 0)
                return;
            var name = member[..sign].TrimEnd();
            var value = member[(sign + 1)..].Trim();
            var isReset = Is(name, "t", "reset");
            if (!isReset && !Is(name, "r", "remaining"))
                return;
            // A member that the policy already has belongs to the next policy.
            if (!(isReset ? _reset : _remaining).IsEmpty)
                AddTo(ref resets);
            if (isReset)
                _reset = value;
            else
                _remaining = value;
        }

        /// <summary>Adds the policy's reset to the resets, and begins the next policy.</summary>
        public void AddTo(ref Resets resets)
        {
            var remaining = long.TryParse(_remaining, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var amount) ? amount : (long?)null;
            if (remaining is not > 0 && Durations.Seconds(_reset, default) is { } reset)
            {
                ref var longest = ref (remaining is null ? ref resets.OfUnknown : ref resets.OfUsedUp);
                if (!(longest >= reset))
                    longest = reset;
            }
            this = default;
        }

        private static bool Is(ReadOnlySpan<char> name, string shortName, string longName) =>
            name.Equals(shortName, StringComparison.OrdinalIgnoreCase) || name.Equals(longName, StringComparison.OrdinalIgnoreCase);
    }
}
