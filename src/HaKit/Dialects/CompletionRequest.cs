using System.Buffers;
using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>Holds the cheapest request for which an endpoint generates an answer, in the endpoint's dialect.</summary>
/// <param name="Path">The path relative to the endpoint's address.</param>
/// <param name="Body">The JSON body.</param>
internal sealed record CompletionRequest(string Path, byte[] Body)
{
    /// <summary>The prompt for the model.</summary>
    public const string Prompt = "Reply with OK.";

    /// <summary>Gets the same request with the other name of the token limit. Null if the dialect has only one name.</summary>
    public CompletionRequest? OtherLimit { get; init; }

    /// <summary>Writes a body.</summary>
    /// <param name="members">Writes the members of the root.</param>
    public static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes the model, and a chat whose only message is the prompt as a text.</summary>
    /// <param name="json">Writes into the root.</param>
    /// <param name="model">The model's name. Null: no model.</param>
    public static void WriteChat(Utf8JsonWriter json, string? model)
    {
        if (model is not null)
            json.WriteString("model", model);
        json.WriteStartArray("messages");
        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteString("content", Prompt);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    /// <summary>Writes an array whose only element contains the prompt as its only part (<c>[{"parts":[{"text":"…"}]}]</c>).</summary>
    /// <param name="json">Writes into the root.</param>
    /// <param name="messages">The name of the array.</param>
    /// <param name="parts">The name of the parts.</param>
    /// <param name="role">The role of the message. Null: no role.</param>
    public static void WriteParts(Utf8JsonWriter json, string messages, string parts, string? role)
    {
        json.WriteStartArray(messages);
        json.WriteStartObject();
        if (role is not null)
            json.WriteString("role", role);
        json.WriteStartArray(parts);
        json.WriteStartObject();
        json.WriteString("text", Prompt);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    /// <summary>Writes an object that contains only the token limit.</summary>
    /// <param name="json">Writes into the root.</param>
    /// <param name="settings">The name of the object.</param>
    /// <param name="limit">The name of the token limit.</param>
    /// <param name="maxTokens">The token limit.</param>
    public static void WriteLimit(Utf8JsonWriter json, string settings, string limit, int maxTokens)
    {
        json.WriteStartObject(settings);
        json.WriteNumber(limit, maxTokens);
        json.WriteEndObject();
    }
}
