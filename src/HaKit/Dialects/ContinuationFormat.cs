using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>Describes the request for the rest of an answer at one endpoint.</summary>
internal readonly record struct RestRequest
{
    /// <summary>Gets how the endpoint continues an answer.</summary>
    public required Continuation How { get; init; }

    /// <summary>Gets the application's message that asks for the rest, for <see cref="Continuation.Instruction"/>.</summary>
    public string? Instruction { get; init; }

    /// <summary>Gets the endpoint's dialect.</summary>
    public required WireDialect Dialect { get; init; }

    /// <summary>Gets the endpoint's host.</summary>
    public string? Host { get; init; }

    /// <summary>Gets the endpoint's model as JSON. Null: the caller's model stays.</summary>
    public byte[]? Model { get; init; }

    /// <summary>Gets the beginning of the answer. If it is empty, the original request is sent again.</summary>
    public required string Beginning { get; init; }

    /// <summary>Gets the number of delivered tokens.</summary>
    public required long Tokens { get; init; }
}

/// <summary>
/// Implements the continuation of streamed answers for one wire format: it checks which requests and answers can be continued, writes the request for the rest,
/// and rewrites the events of the rest as events of the original answer. Stateless; the state is in <see cref="DeliveredText"/> and <see cref="RestState"/>.
/// </summary>
internal abstract class ContinuationFormat
{
    private static readonly JsonWriterOptions s_writing = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Gets the format of a path. Null if its answers cannot be continued.</summary>
    public static ContinuationFormat? FindByPath(string path)
    {
        var text = path.AsSpan().TrimEnd('/');
        if (text.EndsWith("/chat/completions", StringComparison.Ordinal))
        {
            return ChatContinuation.Instance;
        }
        return text.EndsWith("/messages", StringComparison.Ordinal) ? MessagesContinuation.Instance : null;
    }

    /// <summary>Finds the reason why the answer to a request cannot be continued. Null: there is none.</summary>
    public NotContinuedReason? FindObstacle(ReadOnlySpan<byte> request)
    {
        try
        {
            var members = new JsonMembers(request);
            var hasMessages = false;
            while (members.MoveNext())
            {
                hasMessages |= members.Name.SequenceEqual("messages"u8) && EndsWithQuestion(members.Value);
                var reason = JsonMembers.IsFilled(members.Value) ? ObstacleOf(members.Name, members.Value) : ObstacleOfEmpty(members.Name, members.Value);
                if (reason is not null)
                    return reason;
            }
            return hasMessages ? null : NotContinuedReason.OtherRequest;
        }
        catch (JsonException)
        {
            return NotContinuedReason.OtherRequest;
        }
    }

    /// <summary>Gets whether a request allows no more than a number of tokens.</summary>
    public bool HasAllTokens(ReadOnlySpan<byte> request, long tokens)
    {
        var members = new JsonMembers(request);
        while (members.MoveNext())
        {
            if (IsBoundOfTokens(members.Name) && JsonMembers.Number(members.Value) is > 0 and var bound && bound <= tokens)
                return true;
        }
        return false;
    }

    /// <summary>Writes the request for the rest to an endpoint.</summary>
    /// <param name="request">The caller's request.</param>
    /// <param name="rest">Describes the request for the rest.</param>
    public byte[] WriteRequest(ReadOnlySpan<byte> request, in RestRequest rest)
    {
        using var stream = new MemoryStream(request.Length + 2 * rest.Beginning.Length + 256);
        using (var json = new Utf8JsonWriter(stream, s_writing))
        {
            json.WriteStartObject();
            var members = new JsonMembers(request);
            while (members.MoveNext())
            {
                json.WritePropertyName(members.Name);
                if (rest.Model is { } model && members.Name.SequenceEqual("model"u8))
                    json.WriteRawValue(model, skipInputValidation: true);
                else if (members.Name.SequenceEqual("messages"u8) && rest.Beginning.Length > 0)
                    WriteMessages(json, members.Value, in rest);
                else if (IsBoundOfTokens(members.Name) && AnswerSeam.TokensLeft(JsonMembers.Number(members.Value), rest.Tokens) is { } left)
                    json.WriteNumberValue(left);
                else
                    json.WriteRawValue(members.Value, skipInputValidation: true);
            }
            if (rest is { How: Continuation.AssistantPrefix, Beginning.Length: > 0 })
                WriteFlags(json, in rest);
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>Records the data of one event that goes to the caller.</summary>
    public void RecordDelivered(ReadOnlySpan<byte> data, DeliveredText delivered)
    {
        if (delivered.Obstacle is not null)
            return;
        try
        {
            Read(data, delivered);
        }
        catch (JsonException)
        {
            delivered.PreventContinuation(NotContinuedReason.OtherContent);
        }
    }

    /// <summary>Rewrites an event of the rest as an event of the answer that the caller reads, with one id, one text and one usage.</summary>
    /// <param name="data">The event's data.</param>
    /// <param name="name">The event's name; empty if it has none.</param>
    /// <param name="rest">The state of the rest.</param>
    /// <returns>One or several events. Empty for an event that the caller must not see.</returns>
    public byte[] Rewrite(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, RestState rest)
    {
        try
        {
            return RewriteEvent(data, name, rest);
        }
        catch (JsonException)
        {
            return Event(name, data); // the reader of the event detects that it is cut
        }
    }

    /// <summary>Gets the events that end an answer if only the end mark is missing.</summary>
    public abstract byte[] EndMark { get; }

    /// <summary>Gets the reason why a member of the request prevents a continuation. Null: it does not. Called only for members that are not empty.</summary>
    protected abstract NotContinuedReason? ObstacleOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);

    /// <summary>Gets the reason why an empty member of the request prevents a continuation. Null: it does not.</summary>
    protected virtual NotContinuedReason? ObstacleOfEmpty(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => null;

    protected abstract bool IsBoundOfTokens(ReadOnlySpan<byte> name);

    protected abstract void Read(ReadOnlySpan<byte> data, DeliveredText delivered);

    protected abstract byte[] RewriteEvent(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, RestState rest);

    /// <summary>Writes the members that some servers need in addition to the messages to continue from a beginning.</summary>
    protected virtual void WriteFlags(Utf8JsonWriter json, in RestRequest rest)
    {
    }

    /// <summary>Gets whether the message with the beginning needs a mark.</summary>
    protected virtual bool MarksPrefix(in RestRequest rest) => false;

    protected static byte[] Event(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data) => name.IsEmpty
        ? [.. "data: "u8, .. data, .. "\n\n"u8]
        : [.. "event: "u8, .. name, .. "\ndata: "u8, .. data, .. "\n\n"u8];

    protected delegate void JsonWriting(Utf8JsonWriter json);

    protected static byte[] Json(JsonWriting write)
    {
        using var stream = new MemoryStream(256);
        using (var json = new Utf8JsonWriter(stream, s_writing))
            write(json);
        return stream.ToArray();
    }

    private void WriteMessages(Utf8JsonWriter json, ReadOnlySpan<byte> messages, in RestRequest rest)
    {
        json.WriteStartArray();
        var reader = new Utf8JsonReader(messages);
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            json.WriteRawValue(messages[start..(int)reader.BytesConsumed], skipInputValidation: true);
        }
        json.WriteStartObject();
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, rest.Beginning);
        if (rest.How == Continuation.AssistantPrefix && MarksPrefix(in rest))
            json.WriteBoolean("prefix"u8, true);
        json.WriteEndObject();
        if (rest.How == Continuation.Instruction)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "user"u8);
            json.WriteString("content"u8, rest.Instruction);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    // A conversation that ends with an assistant message already contains a beginning from the caller.
    private static bool EndsWithQuestion(ReadOnlySpan<byte> messages)
    {
        var reader = new Utf8JsonReader(messages);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return false;
        ReadOnlySpan<byte> last = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            last = messages[start..(int)reader.BytesConsumed];
        }
        return !last.IsEmpty && !JsonMembers.Is(JsonMembers.Find(last, "role"u8), "assistant"u8);
    }
}

/// <summary>
/// Holds the state of the rest of an answer: the seam, and what its events have shown so far. One for each attempt at a continuation; not thread-safe.
/// </summary>
internal sealed class RestState(DeliveredText delivered, AnswerSeam seam)
{
    public DeliveredText Delivered { get; } = delivered;

    public AnswerSeam Seam { get; } = seam;

    /// <summary>Gets or sets the input tokens of this part, after its endpoint has reported them.</summary>
    public long InputTokens { get; set; }

    /// <summary>Gets or sets the number that is added to the index of a block. Null before the first block.</summary>
    public int? BlockShift { get; set; }

    /// <summary>Gets or sets whether the block that continues the cut text still takes text.</summary>
    public bool IsJoining { get; set; } = true;

    /// <summary>Gets or sets the usage that the last event of this part reported for the part itself.</summary>
    public (long Input, long Output)? OwnUsage { get; set; }

    /// <summary>Gets the usage of this part and the parts before it.</summary>
    public (long Input, long Output) Sum(long input, long output)
    {
        OwnUsage = (input, output);
        return AnswerSeam.AddUsage(Delivered.PromptTokens, Delivered.TokensAtSeams, input, output);
    }
}
