using System.Globalization;
using System.Net.Http.Headers;

namespace HaKit.Dialects;

/// <summary>Describes one dimension of a rate limit as a server reported it. Null: not reported, or not usable.</summary>
/// <param name="Limit">The amount that the window allows; positive.</param>
/// <param name="Remaining">The remaining amount; Anthropic rounds tokens to thousands. Zero only together with a <paramref name="Reset"/>.</param>
/// <param name="Reset">The time until the window is full again, counted from the answer; positive.</param>
internal readonly record struct RateLimitWindow(long? Limit, long? Remaining, TimeSpan? Reset);

/// <summary>
/// Holds the time to wait and the remaining amounts from the headers of an answer, successful or not. Plain values; reading allocates nothing.
/// </summary>
internal readonly struct RateLimitHeaders
{
    private static readonly (string Reset, string Remaining)[] s_windows =
    [
        .. from unit in (string[])["requests", "tokens"]
           from window in (string[])["minute", "hour", "day"]
           select ($"x-ratelimit-reset-{unit}-{window}", $"x-ratelimit-remaining-{unit}-{window}"),
    ];

    // The headers with the reset of a limit without a known dimension, each with the header for the remaining amount.
    private static readonly (string Reset, string? Remaining)[] s_plain =
    [
        ("RateLimit-Reset", "RateLimit-Remaining"), ("X-RateLimit-Reset-After", "X-RateLimit-Remaining"), ("X-RateLimit-Reset", "X-RateLimit-Remaining"), ("X-Rate-Limit-Reset", "X-Rate-Limit-Remaining"),
        ("X-RateLimit-Retry-After", null), ("X-AI-RateLimit-Retry-After", null), ("X-Retry-After", null), ("X-Rate-Limit-Retry-After-Seconds", null), ("x-ratelimit-user-retry-after", null),
        ("ratelimitbysize-reset", "ratelimitbysize-remaining"), ("anthropic-ratelimit-unified-reset", "anthropic-ratelimit-unified-remaining"),
    ];

    public RateLimitWindow Requests { get; private init; }

    public RateLimitWindow Tokens { get; private init; }

    public RateLimitWindow InputTokens { get; private init; }

    public RateLimitWindow OutputTokens { get; private init; }

    /// <summary>Gets the time that the server asked clients to wait. Code that uses the time limits it.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>Gets the longest reset of the dimensions that are used up, because no request fits before all of them are full again.</summary>
    public TimeSpan? ResetOfExhausted =>
        Later(Later(Exhausted(Requests), Exhausted(Tokens)), Later(Exhausted(InputTokens), Exhausted(OutputTokens)));

    /// <summary>Reads the headers of one answer.</summary>
    /// <param name="headers">The answer's headers.</param>
    /// <param name="dialect">The dialect whose names to look for. Unknown: the names of each dialect in turn.</param>
    /// <param name="now">The time of the answer, for dates if the answer has no <c>Date</c> header.</param>
    public static RateLimitHeaders Read(HttpResponseHeaders headers, WireDialect dialect, DateTimeOffset now)
    {
        var raw = headers.NonValidated;
        var retryAfter = ReadRetryAfter(headers, now);
        var told = new RateLimitHeaders { RetryAfter = retryAfter };
        foreach (var names in DialectTable.RateLimitsOf(dialect))
        {
            told = new RateLimitHeaders
            {
                RetryAfter = retryAfter,
                Requests = Window(raw, names.Requests, now),
                Tokens = Window(raw, names.Tokens, now),
                InputTokens = Window(raw, names.InputTokens, now),
                OutputTokens = Window(raw, names.OutputTokens, now),
            };
            if (told.Requests != default || told.Tokens != default)
                return told;
        }
        return told;
    }

    /// <summary>
    /// Reads <c>retry-after-ms</c>, then <c>x-ms-retry-after-ms</c>, then <c>Retry-After</c>: the first that can be read and is in the future.
    /// </summary>
    /// <param name="headers">The answer's headers.</param>
    /// <param name="now">The time of the answer, if it has no <c>Date</c> header.</param>
    public static TimeSpan? ReadRetryAfter(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var raw = headers.NonValidated;
        if ((Milliseconds(raw, "retry-after-ms", now) ?? Milliseconds(raw, "x-ms-retry-after-ms", now)) is { } exact)
            return exact;
        return LongestWait(raw, "Retry-After", now);
    }

    /// <summary>Reads the reset of a limit without a known dimension (<c>RateLimit-Reset</c>), unless some of it remains.</summary>
    /// <param name="headers">The answer's headers.</param>
    /// <param name="now">The time of the answer, if it has no <c>Date</c> header.</param>
    public static TimeSpan? ReadPlainReset(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var raw = headers.NonValidated;
        foreach (var (reset, remaining) in s_plain)
        {
            if (!(remaining is not null && Count(raw, remaining) > 0) && LongestWait(raw, reset, now) is { } wait)
                return wait;
        }

        return LongestOfWindows() ?? StructuredRateLimit.FindReset(raw);

        // Cerebras and Mistral have a limit for each window of time.
        TimeSpan? LongestOfWindows()
        {
            TimeSpan? longest = null;
            foreach (var (reset, remaining) in s_windows)
            {
                if (Count(raw, remaining) == 0)
                    longest = Later(longest, LongestWait(raw, reset, now));
            }
            return longest;
        }
    }

    /// <summary>Checks whether the answer has the header <c>x-should-retry: false</c>. Of several values, the first counts.</summary>
    /// <param name="headers">The answer's headers.</param>
    public static bool ForbidsRetry(HttpResponseHeaders headers)
    {
        ReadOnlySpan<char> text = Value(headers.NonValidated, "x-should-retry");
        return (text.IndexOf(',') is >= 0 and var comma ? text[..comma] : text).Trim().Equals("false", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Gets the first value of a header unchanged. Null: the header is absent.</summary>
    /// <param name="raw">The headers.</param>
    /// <param name="name">The header's name.</param>
    public static string? Value(HttpHeadersNonValidated raw, string name)
    {
        if (raw.TryGetValues(name, out var values))
        {
            foreach (var value in values)
                return value;
        }

        return null;
    }

    // Two gateways may write the same header, on two lines or as a list. Of several values, the longest wait counts.
    private static TimeSpan? LongestWait(HttpHeadersNonValidated raw, string name, DateTimeOffset now)
    {
        TimeSpan? longest = null;
        if (raw.TryGetValues(name, out var lines))
        {
            var server = ServerTime(raw, now);
            foreach (var line in lines)
                longest = Later(longest, Durations.Any(line, server));
        }
        return longest;
    }

    private static TimeSpan? Milliseconds(HttpHeadersNonValidated raw, string name, DateTimeOffset now)
    {
        TimeSpan? longest = null;
        if (raw.TryGetValues(name, out var lines))
        {
            var server = ServerTime(raw, now);
            foreach (ReadOnlySpan<char> line in lines)
            {
                foreach (var part in line.Split(','))
                    longest = Later(longest, Durations.Milliseconds(line[part], server));
            }
        }
        return longest;
    }

    private static RateLimitWindow Window(HttpHeadersNonValidated raw, RateLimitWindowNames? names, DateTimeOffset now)
    {
        if (names is null)
            return default;
        var reset = LongestWait(raw, names.Reset, now);
        var remaining = Count(raw, names.Remaining);
        // A remaining amount of zero without a reset means that the window is already over (a reset in the past). From Azure it means that the amount is not
        // known.
        if (remaining == 0 && reset is null)
            remaining = null;
        var limit = Count(raw, names.Limit);
        return new RateLimitWindow(limit == 0 ? null : limit, remaining, reset);
    }

    /// <summary>Gets the server's own time if the answer has a <c>Date</c>, because all dates in the answer refer to the server's clock.</summary>
    private static DateTimeOffset ServerTime(HttpHeadersNonValidated raw, DateTimeOffset now) =>
        Value(raw, "Date") is { } date && Instants.HttpDate(date) is { } server ? server : now;

    // Of several values, the smallest counts.
    private static long? Count(HttpHeadersNonValidated raw, string name)
    {
        long? least = null;
        if (raw.TryGetValues(name, out var lines))
        {
            foreach (ReadOnlySpan<char> line in lines)
            {
                foreach (var part in line.Split(','))
                {
                    if (long.TryParse(line[part], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var count) && !(least <= count))
                        least = count;
                }
            }
        }
        return least;
    }

    private static TimeSpan? Exhausted(in RateLimitWindow window) => window.Remaining == 0 ? window.Reset : null;

    private static TimeSpan? Later(TimeSpan? a, TimeSpan? b) => a is null || b > a ? b ?? a : a;
}
