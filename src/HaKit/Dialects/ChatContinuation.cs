using System.Text;
using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>Continues a chat completion in OpenAI's format, which Mistral, DeepSeek, vLLM and OpenRouter use with small differences.</summary>
internal sealed class ChatContinuation : ContinuationFormat
{
    public static ChatContinuation Instance { get; } = new();

    public override byte[] EndMark => "data: [DONE]\n\n"u8.ToArray();

    protected override NotContinuedReason? ObstacleOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        ObstacleInForm(name, value) ?? ObstacleInContent(name, value) ?? (Reasons(name, value) ? NotContinuedReason.Reasoning : null);

    // Members for the number of answers, their ends and their form.
    private static NotContinuedReason? ObstacleInForm(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("n"u8))
            return JsonMembers.Number(value) > 1 ? NotContinuedReason.SeveralChoices : null;
        if (name.SequenceEqual("best_of"u8))
            return NotContinuedReason.SeveralChoices;
        if (name.SequenceEqual("stop"u8) || name.SequenceEqual("stop_token_ids"u8))
            return NotContinuedReason.StopSequences;
        if (name.SequenceEqual("response_format"u8))
            return JsonMembers.Is(JsonMembers.Find(value, "type"u8), "text"u8) ? null : NotContinuedReason.StructuredOutput;
        return name.StartsWith("guided_"u8) || name.SequenceEqual("structured_outputs"u8) || name.SequenceEqual("grammar"u8) || name.SequenceEqual("json_schema"u8)
            ? NotContinuedReason.StructuredOutput
            : null;
    }

    // For OpenAI, the value {} switches web search on.
    protected override NotContinuedReason? ObstacleOfEmpty(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        value is [(byte)'{', ..] && name.SequenceEqual("web_search_options"u8) ? NotContinuedReason.Citations : null;

    // Members for content in addition to the text.
    private static NotContinuedReason? ObstacleInContent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("logprobs"u8) || name.SequenceEqual("top_logprobs"u8) || name.SequenceEqual("prompt_logprobs"u8))
            return NotContinuedReason.LogProbabilities;
        if (name.SequenceEqual("audio"u8) || name.SequenceEqual("modalities"u8) && value.IndexOf("\"audio\""u8) >= 0)
            return NotContinuedReason.Audio;
        return name.SequenceEqual("web_search_options"u8) || name.SequenceEqual("search_parameters"u8) || name.SequenceEqual("plugins"u8) && value.IndexOf("\"web\""u8) >= 0
            ? NotContinuedReason.Citations
            : null;
    }

    protected override bool IsBoundOfTokens(ReadOnlySpan<byte> name) => name.SequenceEqual("max_tokens"u8) || name.SequenceEqual("max_completion_tokens"u8);

    protected override bool MarksPrefix(in RestRequest rest) => rest.Dialect == WireDialect.Mistral || IsAt(rest.Host, "deepseek.com") || IsAt(rest.Host, "mistral.ai");

    protected override void WriteFlags(Utf8JsonWriter json, in RestRequest rest)
    {
        if (rest.Dialect != WireDialect.Vllm)
            return;
        json.WriteBoolean("continue_final_message"u8, true);
        json.WriteBoolean("add_generation_prompt"u8, false);
    }

    protected override void Read(ReadOnlySpan<byte> data, DeliveredText delivered)
    {
        var members = new JsonMembers(data);
        while (members.MoveNext())
        {
            if (members.Name.SequenceEqual("choices"u8))
                ReadChoices(members.Value, delivered);
            else if (members.Name.SequenceEqual("id"u8))
                delivered.Id ??= members.Value.ToArray();
            else if (members.Name.SequenceEqual("created"u8))
                delivered.Created ??= members.Value.ToArray();
            else if (members.Name.SequenceEqual("model"u8))
                delivered.Model ??= members.Value.ToArray();
            else if (members.Name.SequenceEqual("citations"u8) && JsonMembers.IsFilled(members.Value))
                delivered.PreventContinuation(NotContinuedReason.Citations);
        }
    }

    protected override byte[] RewriteEvent(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, RestState rest)
    {
        var choices = JsonMembers.Find(data, "choices"u8);
        if (choices.IsEmpty)
            return Event(name, data);
        using var stream = new MemoryStream(data.Length + 128);
        bool isSomething;
        using (var json = Writer(stream))
        {
            json.WriteStartObject();
            isSomething = WriteMembers(json, data, rest);
            json.WriteEndObject();
        }
        return isSomething ? Event(name, stream.GetBuffer().AsSpan(0, (int)stream.Length)) : [];
    }

    private static bool Reasons(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("reasoning_effort"u8))
            return !JsonMembers.Is(value, "none"u8);
        if (name.SequenceEqual("thinking"u8))
            return !(value is [(byte)'{', ..] && JsonMembers.Is(JsonMembers.Find(value, "type"u8), "disabled"u8));
        if (name.SequenceEqual("reasoning"u8))
            return !(value is [(byte)'{', ..] && JsonMembers.Is(JsonMembers.Find(value, "effort"u8), "none"u8));
        if (name.SequenceEqual("chat_template_kwargs"u8))
            return value is [(byte)'{', ..] && (IsTrue(JsonMembers.Find(value, "enable_thinking"u8)) || IsTrue(JsonMembers.Find(value, "thinking"u8)));
        return name.SequenceEqual("enable_thinking"u8);

        static bool IsTrue(ReadOnlySpan<byte> text) => text.SequenceEqual("true"u8);
    }

    private static void ReadChoices(ReadOnlySpan<byte> choices, DeliveredText delivered)
    {
        var reader = new Utf8JsonReader(choices);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var members = new JsonMembers(choices[start..(int)reader.BytesConsumed]);
            while (members.MoveNext())
            {
                if (members.Name.SequenceEqual("delta"u8) && members.Value is [(byte)'{', ..])
                    ReadDelta(members.Value, delivered);
                else if (members.Name.SequenceEqual("index"u8) && JsonMembers.Number(members.Value) is > 0)
                    delivered.PreventContinuation(NotContinuedReason.SeveralChoices);
                else if (members.Name.SequenceEqual("logprobs"u8) && JsonMembers.IsFilled(members.Value))
                    delivered.PreventContinuation(NotContinuedReason.LogProbabilities);
            }
        }
    }

    private static void ReadDelta(ReadOnlySpan<byte> delta, DeliveredText delivered)
    {
        var reader = new Utf8JsonReader(delta);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan;
            reader.Read();
            if (reader.TokenType == JsonTokenType.String && name.SequenceEqual("content"u8))
            {
                delivered.Add(ref reader);
                continue;
            }
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!name.SequenceEqual("role"u8) && JsonMembers.IsFilled(delta[start..(int)reader.BytesConsumed]))
                delivered.PreventContinuation(ObstacleOfDelta(name));
        }
    }

    private static NotContinuedReason ObstacleOfDelta(ReadOnlySpan<byte> name) =>
        Encoding.UTF8.GetString(name) switch
        {
            "tool_calls" or "function_call" => NotContinuedReason.ToolCall,
            "thinking" => NotContinuedReason.Reasoning,
            "refusal" => NotContinuedReason.ContentFilter,
            "audio" => NotContinuedReason.Audio,
            "annotations" => NotContinuedReason.Citations,
            _ => name.StartsWith("reasoning"u8) ? NotContinuedReason.Reasoning : NotContinuedReason.OtherContent,
        };

    private static Utf8JsonWriter Writer(Stream stream) =>
        new(stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    // True if the event contains something for the caller.
    private static bool WriteMembers(Utf8JsonWriter json, ReadOnlySpan<byte> data, RestState rest)
    {
        var isSomething = false;
        var members = new JsonMembers(data);
        while (members.MoveNext())
        {
            json.WritePropertyName(members.Name);
            if (members.Name.SequenceEqual("choices"u8))
            {
                isSomething |= WriteChoices(json, members.Value, rest);
            }
            else if (members.Name.SequenceEqual("usage"u8) && members.Value is [(byte)'{', ..])
            {
                WriteUsage(json, members.Value, rest);
                isSomething = true;
            }
            else
            {
                json.WriteRawValue(SameOf(members.Name, rest.Delivered) is { } same ? same : members.Value, skipInputValidation: true);
            }
        }
        return isSomething;
    }

    private static byte[]? SameOf(ReadOnlySpan<byte> name, DeliveredText delivered)
    {
        if (name.SequenceEqual("id"u8))
        {
            return delivered.Id;
        }
        if (name.SequenceEqual("created"u8))
        {
            return delivered.Created;
        }
        return name.SequenceEqual("model"u8) ? delivered.Model : null;
    }

    private static bool WriteChoices(Utf8JsonWriter json, ReadOnlySpan<byte> choices, RestState rest)
    {
        var isSomething = false;
        json.WriteStartArray();
        var reader = new Utf8JsonReader(choices);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var choice = choices[start..(int)reader.BytesConsumed];
            var hasEnded = JsonMembers.IsFilled(JsonMembers.Find(choice, "finish_reason"u8));
            isSomething |= hasEnded;
            json.WriteStartObject();
            var members = new JsonMembers(choice);
            while (members.MoveNext())
            {
                json.WritePropertyName(members.Name);
                if (members.Name.SequenceEqual("delta"u8) && members.Value is [(byte)'{', ..])
                    isSomething |= WriteDelta(json, members.Value, hasEnded, rest);
                else
                    json.WriteRawValue(members.Value, skipInputValidation: true);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        return isSomething;
    }

    // The role was sent at the beginning of the answer. Text that the seam holds back is sent with the end at the latest, or before a tool call.
    private static bool WriteDelta(Utf8JsonWriter json, ReadOnlySpan<byte> delta, bool hasEnded, RestState rest)
    {
        var isSomething = false;
        var text = "";
        json.WriteStartObject();
        var members = new JsonMembers(delta);
        while (members.MoveNext())
        {
            if (members.Name.SequenceEqual("role"u8))
                continue;
            if (members.Name.SequenceEqual("content"u8))
            {
                if (members.Value is [(byte)'"', ..])
                    text += rest.Seam.Append(JsonMembers.Text(members.Value));
                continue;
            }
            if (JsonMembers.IsFilled(members.Value))
                (isSomething, hasEnded) = (true, true);
            json.WritePropertyName(members.Name);
            json.WriteRawValue(members.Value, skipInputValidation: true);
        }
        if (hasEnded)
            text += rest.Seam.Complete();
        if (text.Length > 0)
            json.WriteString("content"u8, text);
        json.WriteEndObject();
        return isSomething || text.Length > 0;
    }

    private static void WriteUsage(Utf8JsonWriter json, ReadOnlySpan<byte> usage, RestState rest)
    {
        var input = JsonMembers.Number(JsonMembers.Find(usage, "prompt_tokens"u8)) ?? 0;
        var output = JsonMembers.Number(JsonMembers.Find(usage, "completion_tokens"u8)) ?? 0;
        var sum = rest.Sum(input, output);
        json.WriteStartObject();
        var members = new JsonMembers(usage);
        while (members.MoveNext())
        {
            json.WritePropertyName(members.Name);
            if (members.Name.SequenceEqual("prompt_tokens"u8))
                json.WriteNumberValue(sum.Input);
            else if (members.Name.SequenceEqual("completion_tokens"u8))
                json.WriteNumberValue(sum.Output);
            else if (members.Name.SequenceEqual("total_tokens"u8))
                json.WriteNumberValue(sum.Input + sum.Output);
            else
                json.WriteRawValue(members.Value, skipInputValidation: true);
        }
        json.WriteEndObject();
    }

    /// <summary>Checks whether a host belongs to this domain.</summary>
    internal static bool IsAt(string? host, string domain) =>
        host is not null && (host.Equals(domain, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase));
}
