namespace HaKit.Http;

/// <summary>Recognises the last events of a stream that look like a good end and report a failure in another member. Pure; allocates nothing.</summary>
internal static class FailedEnds
{
    /// <summary>
    /// Checks whether OpenAI's response in an event has failed: its status is <c>failed</c> or <c>cancelled</c>, or it is incomplete because of an error.
    /// </summary>
    /// <param name="data">The JSON of an event such as <c>response.completed</c>.</param>
    public static bool HasFailedResponse(ReadOnlySpan<byte> data)
    {
        if (JsonOutline.ValueAtRoot(data, "response"u8) is not { } at || data[at..] is not [(byte)'{', ..])
        {
            return false;
        }
        var response = data[at..];
        var status = TextAt(response, "status"u8);
        return status.SequenceEqual("failed"u8) || status.SequenceEqual("cancelled"u8)
            || JsonOutline.ValueAtRoot(response, "incomplete_details"u8) is { } details && response[details..] is [(byte)'{', ..]
                && FinishReasons.MeaningOf(TextAt(response[details..], "reason"u8)) == FinishMeaning.Failure;
    }

    /// <summary>Checks whether MiniMax's <c>base_resp</c> has a status other than 0.</summary>
    /// <param name="data">The JSON of a chunk or of a whole answer.</param>
    public static bool HasFailedBase(ReadOnlySpan<byte> data) =>
        data.IndexOf("\"base_resp\""u8) >= 0 && JsonOutline.ValueAtRoot(data, "base_resp"u8) is { } at && data[at..] is [(byte)'{', ..]
        && JsonOutline.ValueAtRoot(data[at..], "status_code"u8) is { } code && data[(at + code)..] is [(byte)'-' or >= (byte)'1' and <= (byte)'9', ..];

    private static ReadOnlySpan<byte> TextAt(ReadOnlySpan<byte> json, ReadOnlySpan<byte> member) =>
        JsonOutline.ValueAtRoot(json, member) is { } at && json[at..] is [(byte)'"', .. var text] && text.IndexOf((byte)'"') is >= 0 and var end ? text[..end] : default;
}
