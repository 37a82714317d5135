using System.Text;

namespace HaKit.Dialects;

/// <summary>The meaning of a stream event, determined from the event's name alone.</summary>
internal enum EventMeaning
{
    /// <summary>The name belongs to no known dialect.</summary>
    Unknown,

    /// <summary>Keeps the connection alive, in any dialect.</summary>
    KeepAlive,

    /// <summary>The answer begins; no part of the answer has arrived yet.</summary>
    Lifecycle,

    /// <summary>The endpoint works on the answer: a tool runs, an item begins.</summary>
    Progress,

    /// <summary>A piece of the answer, unless it is empty.</summary>
    Content,

    /// <summary>The last piece of the answer.</summary>
    Final,

    /// <summary>The answer is complete. If no content came before, the event may contain the whole answer.</summary>
    End,

    /// <summary>A failure.</summary>
    Error,
}

/// <summary>
/// Contains the names of events in OpenAI's streams (responses, threads, images, transcripts, speech) and Anthropic's. Pure. docs/streams.md has the table.
/// </summary>
internal static class StreamEvents
{
    /// <summary>The rows of the table. The first row that matches decides. A <c>*</c> matches any text.</summary>
    public static readonly (string Name, EventMeaning Meaning)[] Rows =
    [
        ("content_block_delta", EventMeaning.Content),
        ("response.output_text.delta", EventMeaning.Content),
        ("ping", EventMeaning.KeepAlive),
        ("*.ping", EventMeaning.KeepAlive),
        ("*_ping", EventMeaning.KeepAlive),
        ("*keepalive", EventMeaning.KeepAlive),
        ("*keep-alive", EventMeaning.KeepAlive),
        ("*keep_alive", EventMeaning.KeepAlive),
        ("*heartbeat", EventMeaning.KeepAlive),
        ("error", EventMeaning.Error),
        ("message_stop", EventMeaning.End),
        ("message_delta", EventMeaning.Lifecycle),
        ("message_start", EventMeaning.Lifecycle),
        ("content_block_*", EventMeaning.Lifecycle),
        ("response.created", EventMeaning.Lifecycle),
        ("response.queued", EventMeaning.Lifecycle),
        ("response.in_progress", EventMeaning.Lifecycle),
        ("response.completed", EventMeaning.End),
        ("response.incomplete", EventMeaning.End),
        ("response.failed", EventMeaning.Error),
        ("response.cancelled", EventMeaning.Error),
        ("response.error", EventMeaning.Error),
        ("response.output_item.done", EventMeaning.Content),
        ("response.*.delta", EventMeaning.Content),
        ("response.*.done", EventMeaning.Content),
        ("response.*.partial_image", EventMeaning.Content),
        ("response.*", EventMeaning.Progress),
        ("image_generation.partial_image", EventMeaning.Content),
        ("image_edit.partial_image", EventMeaning.Content),
        ("image_generation.completed", EventMeaning.Final),
        ("image_edit.completed", EventMeaning.Final),
        ("transcript.text.done", EventMeaning.Final),
        ("transcript.text.*", EventMeaning.Content),
        ("speech.audio.done", EventMeaning.End),
        ("speech.audio.*", EventMeaning.Content),
        ("thread.message.delta", EventMeaning.Content),
        ("thread.run.step.delta", EventMeaning.Content),
        ("thread.run.requires_action", EventMeaning.Content),
        ("thread.run.failed", EventMeaning.Error),
        ("thread.run.expired", EventMeaning.Error),
        ("thread.run.cancelled", EventMeaning.Error),
        ("thread.*", EventMeaning.Progress),
    ];

    private static readonly (byte[] Before, byte[] After, bool IsWhole, EventMeaning Meaning)[] s_rows = [.. Rows.Select(Split)];

    private const int LongestName = 64;

    /// <summary>Gets the meaning of an event with this name. Case does not matter.</summary>
    public static EventMeaning MeaningOf(ReadOnlySpan<byte> name)
    {
        var meaning = MeaningOfLower(name);
        if (meaning != EventMeaning.Unknown || name.Length > LongestName || name.IndexOfAnyInRange((byte)'A', (byte)'Z') < 0)
            return meaning;
        Span<byte> lower = stackalloc byte[LongestName];
        return Ascii.ToLower(name, lower, out var length) == System.Buffers.OperationStatus.Done ? MeaningOfLower(lower[..length]) : EventMeaning.Unknown;
    }

    private static EventMeaning MeaningOfLower(ReadOnlySpan<byte> name)
    {
        foreach (var (before, after, isWhole, meaning) in s_rows)
        {
            if (isWhole ? name.SequenceEqual(before) : name.Length >= before.Length + after.Length && name.StartsWith(before) && name.EndsWith(after))
                return meaning;
        }

        return EventMeaning.Unknown;
    }

    private static (byte[], byte[], bool, EventMeaning) Split((string Name, EventMeaning Meaning) row)
    {
        var star = row.Name.IndexOf('*', StringComparison.Ordinal);
        return star < 0
            ? (Encoding.UTF8.GetBytes(row.Name), [], true, row.Meaning)
            : (Encoding.UTF8.GetBytes(row.Name[..star]), Encoding.UTF8.GetBytes(row.Name[(star + 1)..]), false, row.Meaning);
    }
}
