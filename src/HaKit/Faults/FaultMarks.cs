using HaKit.Dialects;

namespace HaKit.Faults;

/// <summary>
/// Checks each name and word in the body of a 200 for a possible fault. If no name or word is suspicious, the built-in classifier does not have to read the
/// body; a property test verifies that it would find no fault. If any is suspicious, the classifier decides.
/// </summary>
internal static class FaultMarks
{
    // The names and words at which ErrorReader searches for an error.
    private static readonly WordSet s_errors = new("error", "__type", "blockReason");

    // The names of the members with finish reasons.
    private static readonly WordSet s_ends = new("finish_reason", "finishReason", "native_finish_reason", "stop_reason", "stopReason", "done_reason", "reason");

    // Finish reasons of good answers. The classifier decides about all others.
    private static readonly WordSet s_good = new(
        "stop", "STOP", "length", "tool_calls", "function_call", "end_turn", "max_tokens", "MAX_TOKENS", "max_output_tokens", "stop_sequence", "tool_use");

    /// <summary>Checks whether the word might indicate a fault.</summary>
    /// <param name="word">A name or a text in the body, as it is written, without its quotes.</param>
    /// <param name="value">If the word is the name of a member: the body from the member's value on. Otherwise empty.</param>
    public static bool MightBe(ReadOnlySpan<byte> word, ReadOnlySpan<byte> value)
    {
        if (s_ends.Contains(word))
            return value is [(byte)'{', ..] || value is [(byte)'"', .. var reason] && !s_good.Contains(reason[..Math.Max(0, reason.IndexOf((byte)'"'))]);
        if (s_errors.Contains(word))
            return value.IsEmpty || value[0] is (byte)'{' or (byte)'"' or (byte)'t' or (byte)'-' or (>= (byte)'0' and <= (byte)'9'); // null, false and arrays are not errors
        return word.EndsWith("Exception"u8);
    }
}
