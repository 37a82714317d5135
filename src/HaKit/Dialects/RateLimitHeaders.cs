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
        TimeSpan? longest = null;
        if (raw.TryGetValues("Retry-After", out var lines))
        {
            var server = ServerTime(raw, now);
            foreach (var line in lines)
                longest = Later(longest, Durations.Any(line, server));
        }
        return longest;
    }

    /// <summary>Reads the reset of a limit without a known dimension (<c>RateLimit-Reset</c>), unless some of it remains.</summary>
    /// <param name="headers">The answer's headers.</param>
    /// <param name="now">The time of the answer, if it has no <c>Date</c> header.</param>
    public static TimeSpan? ReadPlainReset(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var raw = headers.NonValidated;
        return Plain("RateLimit-Reset", "RateLimit-Remaining") ?? Plain("X-RateLimit-Reset-After", "X-RateLimit-Remaining") ?? Plain("X-RateLimit-Reset", "X-RateLimit-Remaining")
            ?? Plain("X-RateLimit-Retry-After", null) ?? Plain("X-AI-RateLimit-Retry-After", null) ?? Plain("X-Retry-After", null)
            ?? Plain("ratelimitbysize-reset", "ratelimitbysize-remaining") ?? Plain("anthropic-ratelimit-unified-reset", "anthropic-ratelimit-unified-remaining")
            ?? LongestOfWindows() ?? StructuredRateLimit.FindReset(raw);

        // Cerebras and Mistral have a limit for each window of time.
        TimeSpan? LongestOfWindows()
        {
            TimeSpan? longest = null;
            foreach (var (reset, remaining) in s_windows)
            {
                if (Count(Value(raw, remaining)) == 0 && Value(raw, reset) is { } text)
                    longest = Later(longest, Durations.Any(text, ServerTime(raw, now)));
            }
            return longest;
        }

        TimeSpan? Plain(string reset, string? remaining) =>
            Value(raw, reset) is { } text && !(remaining is not null && Count(Value(raw, remaining)) > 0) ? Durations.Any(text, ServerTime(raw, now)) : null;
    }

    /// <summary>Checks whether the answer has the header <c>x-should-retry: false</c>.</summary>
    /// <param name="headers">The answer's headers.</param>
    public static bool ForbidsRetry(HttpResponseHeaders headers) =>
        Value(headers.NonValidated, "x-should-retry") is { } text && text.AsSpan().Trim().Equals("false", StringComparison.OrdinalIgnoreCase);

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

    // A number above 10¹² is the instant to come back, in Unix milliseconds.
    private static TimeSpan? Milliseconds(HttpHeadersNonValidated raw, string name, DateTimeOffset now)
    {
        if (Value(raw, name) is not { } text)
            return null;
        return Durations.UnixTime(text, 0.001) is { } seconds ? Durations.Until(Instants.OfUnix(seconds), ServerTime(raw, now)) : Durations.Milliseconds(text);
    }

    private static RateLimitWindow Window(HttpHeadersNonValidated raw, RateLimitWindowNames? names, DateTimeOffset now)
    {
        if (names is null)
            return default;
        var reset = Reset(Value(raw, names.Reset), raw, now);
        var remaining = Count(Value(raw, names.Remaining));
        // A remaining amount of zero without a reset means that the window is already over (a reset in the past). From Azure it means that the amount is not
        // known.
        if (remaining == 0 && reset is null)
            remaining = null;
        var limit = Count(Value(raw, names.Limit));
        return new RateLimitWindow(limit == 0 ? null : limit, remaining, reset);
    }

    /// <summary>
    /// Reads a reset: OpenAI writes Go durations, Azure whole seconds (-1 and 0 for unknown), Anthropic instants, others HTTP dates. No text can be two of
    /// these.
    /// </summary>
    private static TimeSpan? Reset(string? text, HttpHeadersNonValidated raw, DateTimeOffset now)
    {
        if (text is null)
            return null;
        var server = ServerTime(raw, now);
        return text.Contains('T', StringComparison.Ordinal) ? Durations.Until(Instants.Rfc3339(text) ?? Instants.HttpDate(text), server) : Durations.Seconds(text, server) ?? Durations.GoDuration(text);
    }

    /// <summary>Gets the server's own time if the answer has a <c>Date</c>, because all dates in the answer refer to the server's clock.</summary>
    private static DateTimeOffset ServerTime(HttpHeadersNonValidated raw, DateTimeOffset now) =>
        Value(raw, "Date") is { } date && Instants.HttpDate(date) is { } server ? server : now;

    private static long? Count(ReadOnlySpan<char> text) =>
        long.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var count) ? count : null;

    private static TimeSpan? Exhausted(in RateLimitWindow window) => window.Remaining == 0 ? window.Reset : null;

    private static TimeSpan? Later(TimeSpan? a, TimeSpan? b) => a is null || b > a ? b ?? a : a;
}
