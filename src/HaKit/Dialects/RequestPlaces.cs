namespace HaKit.Dialects;

/// <summary>
/// Distinguishes the places of a request's body in which a provider's interface names stored objects from the places that contain the application's own data:
/// its metadata, the arguments and results of its tools, and the examples in its schemas. The application's data may have members such as
/// <c>conversation_id</c> or <c>file_id</c> that mean nothing to the provider. Immutable.
/// </summary>
internal static class RequestPlaces
{
    // Members of the root that contain a whole request.
    private static readonly HashSet<string> s_envelopes = new(StringComparer.Ordinal) { "extra_body", "google", "generateContentRequest", "body", "request", "requests", "params", "batch" };

    // Members of the root with parts that may name files, vector stores and containers.
    private static readonly HashSet<string> s_contents = new(StringComparer.Ordinal)
    {
        "input", "messages", "contents", "content", "tools", "tool_resources", "attachments", "prompt", "instructions", "system", "systemInstruction", "system_instruction", "thread", "additional_messages",
        "items", "item", "files", "file", "image", "images", "mask", "document", "documents", "input_reference", "instances",
    };

    private static readonly HashSet<string> s_ofApplication = new(StringComparer.Ordinal)
    {
        "metadata", "args", "arguments", "parameters", "properties", "schema", "json_schema", "input_schema", "inputSchema", "output_schema", "outputSchema", "responseSchema", "response_schema",
        "parametersJsonSchema", "parameters_json_schema", "responseJsonSchema", "json", "example", "examples", "default", "enum", "const", "additional_kwargs", "headers", "structuredContent", "structured_content",
    };

    /// <summary>Checks whether this member of the root contains a whole request.</summary>
    public static bool IsEnvelope(string member) => s_envelopes.Contains(member);

    /// <summary>Checks whether this member of the root contains messages, tools or files.</summary>
    public static bool IsContent(string member) => s_contents.Contains(member);

    /// <summary>Checks whether this member of a message or tool contains the application's own data.</summary>
    /// <param name="member">The member's name.</param>
    /// <param name="isObject">True if its value is an object. The <c>input</c> of a tool call and the <c>response</c> of a function are objects.</param>
    public static bool IsOfApplication(string member, bool isObject) => s_ofApplication.Contains(member) || isObject && member is "input" or "response";
}
