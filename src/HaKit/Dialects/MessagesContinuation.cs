using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>Continues an answer of Anthropic's messages, which consists of blocks.</summary>
internal sealed class MessagesContinuation : ContinuationFormat
{
    public static MessagesContinuation Instance { get; } = new();

    public override byte[] EndMark => Event("message_stop"u8, """{"type":"message_stop"}"""u8);

    protected override NotContinuedReason? ObstacleOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("stop_sequences"u8))
            return NotContinuedReason.StopSequences;
        if (name.SequenceEqual("output_format"u8) || name.SequenceEqual("output_config"u8) && !JsonMembers.Find(value, "format"u8).IsEmpty)
            return NotContinuedReason.StructuredOutput;
        if (name.SequenceEqual("thinking"u8))
            return JsonMembers.Is(JsonMembers.Find(value, "type"u8), "disabled"u8) ? null : NotContinuedReason.Reasoning;
        if (name.SequenceEqual("messages"u8))
            return AsksForCitations(value) ? NotContinuedReason.Citations : null;
        return name.SequenceEqual("container"u8) ? NotContinuedReason.StoredState : null;
    }

    // Looks inside a document. Quotation marks inside a text are escaped, so the pattern does not match quoted text.
    private static bool AsksForCitations(ReadOnlySpan<byte> messages)
    {
        for (var at = messages.IndexOf("\"citations\""u8); at >= 0; at = messages.IndexOf("\"citations\""u8))
        {
            messages = messages[(at + 11)..].TrimStart(" \t\r\n:"u8);
            if (messages is [(byte)'{', ..] && JsonMembers.Find(messages, "enabled"u8).SequenceEqual("true"u8))
                return true;
        }
        return false;
    }

    protected override bool IsBoundOfTokens(ReadOnlySpan<byte> name) => name.SequenceEqual("max_tokens"u8);

    protected override void Read(ReadOnlySpan<byte> data, DeliveredText delivered)
    {
        var type = JsonMembers.Find(data, "type"u8);
        if (JsonMembers.Is(type, "content_block_delta"u8))
            ReadDelta(JsonMembers.Find(data, "delta"u8), delivered);
        else if (JsonMembers.Is(type, "content_block_start"u8))
            ReadBlock(data, delivered);
        else if (JsonMembers.Is(type, "content_block_stop"u8))
            delivered.IsBlockOpen = false;
        else if (JsonMembers.Is(type, "message_start"u8))
            ReadStart(JsonMembers.Find(data, "message"u8), delivered);
        else if (JsonMembers.Is(type, "message_delta"u8) && JsonMembers.Find(data, "delta"u8) is [(byte)'{', ..] delta)
            delivered.HasReason |= JsonMembers.IsFilled(JsonMembers.Find(delta, "stop_reason"u8));
    }

    protected override byte[] RewriteEvent(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, RestState rest)
    {
        var type = JsonMembers.Find(data, "type"u8);
        if (JsonMembers.Is(type, "message_start"u8))
        {
            NoteInput(JsonMembers.Find(JsonMembers.Find(data, "message"u8), "usage"u8), rest);
            return [];
        }
        if (JsonMembers.Is(type, "content_block_start"u8))
            return RewriteBlock(data, rest);
        if (JsonMembers.Is(type, "content_block_delta"u8))
            return RewriteDelta(data, rest);
        if (JsonMembers.Is(type, "content_block_stop"u8))
            return RewriteStop(data, rest);
        return JsonMembers.Is(type, "message_delta"u8) ? Event("message_delta"u8, RewriteUsage(data, rest)) : Event(name, data);
    }

    private static void ReadStart(ReadOnlySpan<byte> message, DeliveredText delivered)
    {
        if (message is not [(byte)'{', ..])
            return;
        delivered.Id ??= JsonMembers.Find(message, "id"u8).ToArray();
        delivered.Model ??= JsonMembers.Find(message, "model"u8).ToArray();
        if (JsonMembers.Find(message, "usage"u8) is [(byte)'{', ..] usage)
            delivered.PromptTokens ??= JsonMembers.Number(JsonMembers.Find(usage, "input_tokens"u8));
    }

    // Only an answer whose text is in one block can be continued: between two blocks there may be other content, which the delivered text does not have.
    private static void ReadBlock(ReadOnlySpan<byte> data, DeliveredText delivered)
    {
        var block = JsonMembers.Find(data, "content_block"u8);
        var type = JsonMembers.Find(block, "type"u8);
        var index = (int)(JsonMembers.Number(JsonMembers.Find(data, "index"u8)) ?? 0);
        if (JsonMembers.Is(type, "tool_use"u8))
            delivered.PreventContinuation(NotContinuedReason.ToolCall);
        else if (JsonMembers.Is(type, "thinking"u8) || JsonMembers.Is(type, "redacted_thinking"u8))
            delivered.PreventContinuation(NotContinuedReason.Reasoning);
        else if (!JsonMembers.Is(type, "text"u8) || delivered.Block >= 0)
            delivered.PreventContinuation(NotContinuedReason.OtherContent);
        else
            Add(JsonMembers.Find(block, "text"u8), delivered);
        (delivered.Block, delivered.IsBlockOpen) = (index, true);
    }

    private static void ReadDelta(ReadOnlySpan<byte> delta, DeliveredText delivered)
    {
        var type = JsonMembers.Find(delta, "type"u8);
        if (JsonMembers.Is(type, "text_delta"u8))
        {
            Add(JsonMembers.Find(delta, "text"u8), delivered);
        }
        else
        {
            delivered.PreventContinuation(ObstacleOfDelta(type));
        }
    }

    private static NotContinuedReason ObstacleOfDelta(ReadOnlySpan<byte> type)
    {
        if (JsonMembers.Is(type, "input_json_delta"u8))
        {
            return NotContinuedReason.ToolCall;
        }
        if (JsonMembers.Is(type, "citations_delta"u8))
        {
            return NotContinuedReason.Citations;
        }
        var isThought = JsonMembers.Is(type, "thinking_delta"u8) || JsonMembers.Is(type, "signature_delta"u8);
        return isThought ? NotContinuedReason.Reasoning : NotContinuedReason.OtherContent;
    }

    private static void Add(ReadOnlySpan<byte> text, DeliveredText delivered)
    {
        if (text is not [(byte)'"', ..])
            return;
        var reader = new Utf8JsonReader(text);
        reader.Read();
        delivered.Add(ref reader);
    }

    private static void NoteInput(ReadOnlySpan<byte> usage, RestState rest)
    {
        if (usage is [(byte)'{', ..])
            rest.InputTokens = JsonMembers.Number(JsonMembers.Find(usage, "input_tokens"u8)) ?? rest.InputTokens;
    }

    // The first block of text continues the block that was cut. Any other block comes after it.
    private static byte[] RewriteBlock(ReadOnlySpan<byte> data, RestState rest)
    {
        var block = JsonMembers.Find(data, "content_block"u8);
        var index = (int)(JsonMembers.Number(JsonMembers.Find(data, "index"u8)) ?? 0);
        var isText = JsonMembers.Is(JsonMembers.Find(block, "type"u8), "text"u8);
        if (rest.BlockShift is not null)
            return Event("content_block_start"u8, WithIndex(data, index + rest.BlockShift.Value));
        var delivered = rest.Delivered;
        // Some servers write the first words into the start of the block.
        var text = isText ? JsonMembers.Text(JsonMembers.Find(block, "text"u8)) : "";
        if (isText && delivered.IsBlockOpen)
        {
            rest.BlockShift = delivered.Block - index;
            return TextOf(rest.Seam.Append(text), delivered.Block);
        }
        rest.BlockShift = delivered.Block + 1 - index;
        rest.IsJoining = isText;
        byte[] start = text.Length > 0
            ? [.. StartOf(delivered.Block + 1), .. TextOf(rest.Seam.Append(text), delivered.Block + 1)]
            : Event("content_block_start"u8, WithIndex(data, delivered.Block + 1));
        return delivered.IsBlockOpen ? [.. StopOf(delivered.Block), .. start] : start;
    }

    private static byte[] RewriteDelta(ReadOnlySpan<byte> data, RestState rest)
    {
        var index = (int)(JsonMembers.Number(JsonMembers.Find(data, "index"u8)) ?? 0);
        var shift = rest.BlockShift ??= rest.Delivered.Block - index; // the start of this block was never sent
        var delta = JsonMembers.Find(data, "delta"u8);
        if (!rest.IsJoining || !JsonMembers.Is(JsonMembers.Find(delta, "type"u8), "text_delta"u8))
            return Event("content_block_delta"u8, WithIndex(data, index + shift));
        return TextOf(rest.Seam.Append(JsonMembers.Text(JsonMembers.Find(delta, "text"u8))), index + shift);
    }

    private static byte[] RewriteStop(ReadOnlySpan<byte> data, RestState rest)
    {
        var index = (int)(JsonMembers.Number(JsonMembers.Find(data, "index"u8)) ?? 0) + (rest.BlockShift ?? 0);
        if (!rest.IsJoining)
            return StopOf(index);
        rest.IsJoining = false;
        return [.. TextOf(rest.Seam.Complete(), index), .. StopOf(index)];
    }

    private static byte[] TextOf(string text, int index) => text.Length == 0 ? [] : Event("content_block_delta"u8, Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "content_block_delta"u8);
        json.WriteNumber("index"u8, index);
        json.WriteStartObject("delta"u8);
        json.WriteString("type"u8, "text_delta"u8);
        json.WriteString("text"u8, text);
        json.WriteEndObject();
        json.WriteEndObject();
    }));

    private static byte[] StartOf(int index) => Event("content_block_start"u8, Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "content_block_start"u8);
        json.WriteNumber("index"u8, index);
        json.WriteStartObject("content_block"u8);
        json.WriteString("type"u8, "text"u8);
        json.WriteString("text"u8, "");
        json.WriteEndObject();
        json.WriteEndObject();
    }));

    private static byte[] StopOf(int index) => Event("content_block_stop"u8, Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "content_block_stop"u8);
        json.WriteNumber("index"u8, index);
        json.WriteEndObject();
    }));

    private static byte[] WithIndex(ReadOnlySpan<byte> data, int index)
    {
        using var stream = new MemoryStream(data.Length + 8);
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            var members = new JsonMembers(data);
            while (members.MoveNext())
            {
                json.WritePropertyName(members.Name);
                if (members.Name.SequenceEqual("index"u8))
                    json.WriteNumberValue(index);
                else
                    json.WriteRawValue(members.Value, skipInputValidation: true);
            }
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    // The token counts are for the whole answer up to here.
    private static byte[] RewriteUsage(ReadOnlySpan<byte> data, RestState rest)
    {
        var usage = JsonMembers.Find(data, "usage"u8);
        if (usage is not [(byte)'{', ..])
            return data.ToArray();
        NoteInput(usage, rest);
        var sum = rest.Sum(rest.InputTokens, JsonMembers.Number(JsonMembers.Find(usage, "output_tokens"u8)) ?? 0);
        using var stream = new MemoryStream(data.Length + 32);
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            var members = new JsonMembers(data);
            while (members.MoveNext())
            {
                json.WritePropertyName(members.Name);
                if (members.Name.SequenceEqual("usage"u8))
                    WriteUsage(json, members.Value, sum);
                else
                    json.WriteRawValue(members.Value, skipInputValidation: true);
            }
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    private static void WriteUsage(Utf8JsonWriter json, ReadOnlySpan<byte> usage, (long Input, long Output) sum)
    {
        json.WriteStartObject();
        json.WriteNumber("input_tokens"u8, sum.Input);
        json.WriteNumber("output_tokens"u8, sum.Output);
        var members = new JsonMembers(usage);
        while (members.MoveNext())
        {
            if (members.Name.SequenceEqual("input_tokens"u8) || members.Name.SequenceEqual("output_tokens"u8))
                continue;
            json.WritePropertyName(members.Name);
            json.WriteRawValue(members.Value, skipInputValidation: true);
        }
        json.WriteEndObject();
    }
}
