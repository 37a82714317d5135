using System.Numerics;

namespace HaKit;

/// <summary>The meaning of the finish reason of an answer, or of one of its choices.</summary>
public enum FinishMeaning
{
    /// <summary>No reason: the answer continues.</summary>
    None,

    /// <summary>The model ended its answer, reached a length limit, or calls a tool: the answer is complete.</summary>
    End,

    /// <summary>A content filter ended the answer.</summary>
    Filter,

    /// <summary>The server failed: the answer is not complete.</summary>
    Failure,
}

/// <summary>
/// Reads finish reasons in the words of any provider (<c>stop</c>, <c>MAX_TOKENS</c>, <c>network_error</c>, <c>MALFORMED_FUNCTION_CALL</c>). An unknown reason
/// is classified by the words in its first 256 letters and digits; if no word means a failure, the reason counts as an end. Pure and thread-safe.
/// docs/streams.md has the table.
/// </summary>
public static class FinishReasons
{
    // A server may write its whole error message as the reason. The first words of the message name its subject.
    private const int MostLetters = 256;

    private static readonly string[] s_none = ["", "null", "none", "unspecified", "finishreasonunspecified", "reasonunspecified", "notfinished", "inprogress"];

    // Known ends that would otherwise be misread because of a word in them.
    private static readonly string[] s_ends = ["modelcontextwindowexceeded", "stopsequence", "toolcalls", "toolcall", "functioncall", "maxtokens", "maxoutputtokens"];

    private static readonly string[] s_failures =
    [
        "error", "abort", "fail", "cancel", "timeout", "timedout", "malformed", "unavailable", "overload", "interrupt", "exception", "unexpected", "network", "disconnect",
        "connection", "crash", "toomanytoolcalls", "missingthoughtsignature", "expired", "internal", "preempt", "evict", "killed", "shutdown", "noimage", "imageother", "unknown", "invalid", "ratelimit", "throttl", "loadshed", "terminat", "quota", "capacity", "busy", "outofmemory", "panic", "lost", "broken", "gateway", "reset", "deadline",
        "unfinish", "incomplete", "stall", "dropped", "reject", "unhealthy", "insufficientsystem", "insufficientresource", "insufficientmemory", "insufficientcapacity", "insufficientbalance", "insufficientcredit", "insufficientfund",
        "died", "dead", "closed", "prematur", "exited", "unreachable", "hangup", "hungup", "sigterm", "sigkill", "sigint", "sigsegv", "sigabrt", "sigpipe", "sighup", "segfault", "nodedown", "serverdown", "workerdown", "stoppedearly",
        "outage", "offline", "unresponsive", "noresponse", "notresponding", "goneaway", "restart", "corrupt", "draining",
    ];

    private static readonly string[] s_filters =
        ["filter", "safety", "recitation", "blocklist", "blocked", "prohibited", "spii", "sensitive", "guardrail", "moderation", "modelarmor", "refusal", "refused", "flagged", "policy", "violation", "risk"];

    /// <summary>Gets the meaning of a finish reason.</summary>
    /// <param name="reason">The reason as the provider writes it; case and separators do not matter.</param>
    public static FinishMeaning MeaningOf(ReadOnlySpan<char> reason) => MeaningOfText(reason);

    /// <summary>Gets the meaning of a finish reason in UTF-8.</summary>
    internal static FinishMeaning MeaningOf(ReadOnlySpan<byte> reason) => reason.SequenceEqual("stop"u8) ? FinishMeaning.End : MeaningOfText(reason);

    private static FinishMeaning MeaningOfText<T>(ReadOnlySpan<T> reason)
        where T : IBinaryInteger<T>
    {
        Span<char> letters = stackalloc char[MostLetters];
        var count = 0;
        foreach (var item in reason)
        {
            var letter = (char)ushort.CreateTruncating(item);
            if (char.IsAsciiLetterOrDigit(letter) && count < MostLetters)
                letters[count++] = char.ToLowerInvariant(letter);
        }
        return MeaningOfWord(letters[..count]);
    }

    private static FinishMeaning MeaningOfWord(ReadOnlySpan<char> word)
    {
        if (Is(word, s_none))
            return FinishMeaning.None;
        if (Is(word, s_ends))
            return FinishMeaning.End;
        if (word is "language") // Gemini: the language of the prompt is not supported
            return FinishMeaning.Filter;
        // Filters are checked before failures, because a filter ended "content_filter_error" and "blocked: invalid content".
        if (Has(word, s_filters))
            return FinishMeaning.Filter;
        return Has(word, s_failures) || word is "other" or "oom" or "nan" or "fault" or "shed" ? FinishMeaning.Failure : FinishMeaning.End;
    }

    private static bool Is(ReadOnlySpan<char> word, string[] words)
    {
        foreach (var known in words)
        {
            if (word.SequenceEqual(known))
                return true;
        }

        return false;
    }

    private static bool Has(ReadOnlySpan<char> word, string[] parts)
    {
        foreach (var part in parts)
        {
            if (word.Contains(part, StringComparison.Ordinal))
                return true;
        }

        return false;
    }
}
