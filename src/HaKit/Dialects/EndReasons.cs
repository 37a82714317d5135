using System.Buffers;
using System.Text;

namespace HaKit.Dialects;

/// <summary>What the reason means with which an answer ends.</summary>
internal enum AnswerEnd
{
    /// <summary>No reason is given: the answer goes on.</summary>
    None,

    /// <summary>The answer is whole, or cut by a bound that the request set.</summary>
    Whole,

    /// <summary>A content filter ended it: an answer of its kind.</summary>
    Filtered,

    /// <summary>The endpoint failed: what came before is half an answer.</summary>
    Failed,
}

/// <summary>
/// The reasons of all dialects. A reason that is not known ends an answer well unless its words speak of a failure, because providers add reasons more
/// often than they add failures.
/// </summary>
internal static class EndReasons
{
    private const int Longest = 64;

    private static readonly SearchValues<string> s_failed = SearchValues.Create(
        [
            "error", "abort", "fail", "cancel", "timeout", "timed_out", "network", "interrupt", "malformed", "unavailable", "internal", "exception", "insufficient", "overload",
            "disconnect", "unexpected", "crash", "evict", "preempt", "unload", "too_many_tool_calls", "no_image", "missing_thought",
        ], StringComparison.OrdinalIgnoreCase);

    private static readonly SearchValues<string> s_filtered = SearchValues.Create(
        ["content_filter", "safety", "refusal", "prohibited_content", "blocklist", "spii", "guardrail", "recitation", "moderation", "sensitive", "policy"], StringComparison.OrdinalIgnoreCase);

    public static AnswerEnd Of(ReadOnlySpan<byte> reason)
    {
        if (reason.IsEmpty || reason.SequenceEqual("FINISH_REASON_UNSPECIFIED"u8) || reason.SequenceEqual("null"u8))
            return AnswerEnd.None;
        if (reason.SequenceEqual("stop"u8) || reason.SequenceEqual("length"u8) || reason.SequenceEqual("tool_calls"u8) || reason.SequenceEqual("end_turn"u8) || reason.SequenceEqual("STOP"u8))
            return AnswerEnd.Whole;
        // Gemini: "all other reasons"; nobody can say what is missing.
        if (reason.SequenceEqual("OTHER"u8))
            return AnswerEnd.Failed;
        Span<char> text = stackalloc char[Longest];
        ReadOnlySpan<char> words = text[..Encoding.Latin1.GetChars(reason[..Math.Min(reason.Length, Longest)], text)];
        return words.ContainsAny(s_filtered) ? AnswerEnd.Filtered
            : words.ContainsAny(s_failed) ? AnswerEnd.Failed
            : AnswerEnd.Whole;
    }
}
