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

    /// <summary>Writes properties of an application. Empty if there are none.</summary>
    public static byte[] WrittenProperties(IReadOnlyDictionary<string, object?>? properties) =>
        properties is { Count: > 0 } ? Written(properties, static (json, values) => WriteObject(json, values)) : [];

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
            // Only options that are set are written from here on, each with its name, so that the fingerprints of stored results stay the same.
            if ((options.ToolMode as RequiredChatToolMode)?.RequiredFunctionName is { } required)
                WriteNamed(json, "required", required);
            if (options.AllowMultipleToolCalls is { } several)
                WriteNamed(json, "multiple", several ? "true" : "false");
            if (options.Reasoning is { } reasoning)
                WriteNamed(json, "reasoning", $"{reasoning.Effort} {reasoning.Output}");
            if (options.ConversationId is { } conversation)
                WriteNamed(json, "conversation", conversation);
        }
        json.WriteEndArray();
    }

    private static void WriteNamed(Utf8JsonWriter json, string name, string? value)
    {
        json.WriteStringValue(name);
        json.WriteStringValue(value);
    }

    private static void Write(Utf8JsonWriter json, AITool tool)
    {
        json.WriteStartArray();
        json.WriteStringValue(tool.Name);
        json.WriteStringValue(tool.Description);
        if (tool is AIFunctionDeclaration function)
            function.JsonSchema.WriteTo(json);
        if (tool.AdditionalProperties.Count > 0)
            WriteObject(json, tool.AdditionalProperties);
        switch (tool)
        {
            case HostedCodeInterpreterTool { Inputs: { Count: > 0 } inputs }:
                Write(json, inputs);
                break;
            case HostedFileSearchTool search:
                Write(json, search.Inputs ?? []);
                if (search.MaximumResultCount is { } most)
                    Number(json, most);
                break;
            case HostedMcpServerTool server:
                WriteNamed(json, server.ServerName, server.ServerAddress);
                foreach (var allowed in server.AllowedTools ?? [])
                    json.WriteStringValue(allowed);
                break;
            default:
                break;
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, IEnumerable<AIContent> contents)
    {
        foreach (var content in contents)
            Write(json, content);
    }

    private static void Write(Utf8JsonWriter json, ChatResponseFormat? format)
    {
        json.WriteStartArray();
        json.WriteStringValue(format?.GetType().Name);
        if (format is ChatResponseFormatJson { Schema: { } schema })
            schema.WriteTo(json);
        if (format is ChatResponseFormatJson { SchemaName: { } name })
            WriteNamed(json, "name", name);
        if (format is ChatResponseFormatJson { SchemaDescription: { } description })
            WriteNamed(json, "description", description);
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
        else if (JsonOf(value) is { } written)
            json.WriteRawValue(written, skipInputValidation: true);
        else
            json.WriteStringValue(value.GetType().Name);
    }

    // A value may have a JSON contract and nevertheless have no JSON, for example an object with a cycle, or with a member that is a type or a function.
    private static byte[]? JsonOf(object value)
    {
        if (value is RequestProfile || !AIJsonUtilities.DefaultOptions.TryGetTypeInfo(value.GetType(), out var type))
            return null;
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(value, type);
        }
        catch (Exception exception) when (exception is NotSupportedException or JsonException or ArgumentException)
        {
            return null;
        }
    }

    private static void Number(Utf8JsonWriter json, double? value)
    {
        if (value is { } number)
            json.WriteNumberValue(number);
        else
            json.WriteNullValue();
    }
}
