using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Running;

/// <summary>
/// Computes the fingerprint of a chat call: messages, options and schema, written in a JSON format of HaKit. The JSON of a library is not used, because it may
/// change with a new version, and all stored results would then count as results of another prompt.
/// </summary>
internal static class ChatFingerprint
{
    public static RequestFingerprint Compute(IEnumerable<ChatMessage> messages, ChatOptions? options) =>
        RequestFingerprint.Compute(Written(messages, Write), Written(options, Write), Written(options?.ResponseFormat, Write));

    private static byte[] Written<T>(T value, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            write(json, value);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, IEnumerable<ChatMessage> messages)
    {
        json.WriteStartArray();
        foreach (var message in messages)
        {
            json.WriteStartArray();
            json.WriteStringValue(message.Role.Value);
            json.WriteStringValue(message.AuthorName);
            foreach (var content in message.Contents)
                Write(json, content);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, AIContent content)
    {
        json.WriteStartArray();
        switch (content)
        {
            case TextContent text:
                json.WriteStringValue("text");
                json.WriteStringValue(text.Text);
                break;
            case DataContent data:
                json.WriteStringValue("data");
                json.WriteStringValue(data.MediaType);
                json.WriteStringValue(Convert.ToHexStringLower(SHA256.HashData(data.Data.Span)));
                break;
            case UriContent uri:
                json.WriteStringValue("uri");
                json.WriteStringValue(uri.MediaType);
                json.WriteStringValue(uri.Uri.OriginalString);
                break;
            case FunctionCallContent call:
                json.WriteStringValue("call");
                json.WriteStringValue(call.Name);
                WriteObject(json, call.Arguments);
                break;
            case FunctionResultContent result:
                json.WriteStringValue("result");
                WriteValue(json, result.Result);
                break;
            default:
                json.WriteStringValue(content.GetType().Name);
                WriteValue(json, content);
                break;
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ChatOptions? options)
    {
        json.WriteStartArray();
        if (options is not null)
        {
            json.WriteStringValue(options.ModelId);
            json.WriteStringValue(options.Instructions);
            Number(json, options.Temperature);
            Number(json, options.TopP);
            Number(json, options.TopK);
            Number(json, options.MaxOutputTokens);
            Number(json, options.FrequencyPenalty);
            Number(json, options.PresencePenalty);
            Number(json, options.Seed);
            foreach (var stop in options.StopSequences ?? [])
                json.WriteStringValue(stop);
            json.WriteStringValue(options.ToolMode?.ToString());
            foreach (var tool in options.Tools ?? [])
                Write(json, tool);
            WriteObject(json, options.AdditionalProperties);
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, AITool tool)
    {
        json.WriteStartArray();
        json.WriteStringValue(tool.Name);
        json.WriteStringValue(tool.Description);
        if (tool is AIFunctionDeclaration function)
            function.JsonSchema.WriteTo(json);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ChatResponseFormat? format)
    {
        json.WriteStartArray();
        json.WriteStringValue(format?.GetType().Name);
        if (format is ChatResponseFormatJson { Schema: { } schema })
            schema.WriteTo(json);
        json.WriteEndArray();
    }

    private static void WriteObject(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>>? values)
    {
        json.WriteStartArray();
        foreach (var (name, value) in (values ?? []).OrderBy(static v => v.Key, StringComparer.Ordinal))
        {
            json.WriteStringValue(name);
            WriteValue(json, value);
        }
        json.WriteEndArray();
    }

    // A value that cannot be written is represented by its type, because such a value (for example a pool's profile) is not sent to the server.
    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        if (value is null)
            json.WriteNullValue();
        else if (AIJsonUtilities.DefaultOptions.TryGetTypeInfo(value.GetType(), out var type))
            JsonSerializer.Serialize(json, value, type);
        else
            json.WriteStringValue(value.GetType().Name);
    }

    private static void Number(Utf8JsonWriter json, double? value)
    {
        if (value is { } number)
            json.WriteNumberValue(number);
        else
            json.WriteNullValue();
    }
}
