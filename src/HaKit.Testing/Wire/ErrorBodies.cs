using System.Text.Json;

namespace HaKit.Testing.Wire;

/// <summary>The error bodies of the supported dialects.</summary>
internal static class ErrorBodies
{
    public static string OpenAI(string type, string? code, string message, string? param = null) =>
        $$$"""{"error":{"message":{{{Quote(message)}}},"type":{{{Quote(type)}}},"param":{{{Quote(param)}}},"code":{{{Quote(code)}}}}}""";

    public static string Anthropic(string type, string message) =>
        $$$"""{"type":"error","error":{"type":{{{Quote(type)}}},"message":{{{Quote(message)}}}},"request_id":"req_fake"}""";

    /// <summary>Returns the dialect's default error body for a status.</summary>
    public static string Default(bool anthropic, int status) => (anthropic, status) switch
    {
        (true, 400) => Anthropic("invalid_request_error", "Bad request"),
        (true, 401) => Anthropic("authentication_error", "invalid x-api-key"),
        (true, 403) => Anthropic("permission_error", "Your API key does not have permission to use the specified resource."),
        (true, 404) => Anthropic("not_found_error", "Not found"),
        (true, 413) => Anthropic("request_too_large", "Request exceeds the maximum size"),
        (true, 429) => Anthropic("rate_limit_error", "Number of requests has exceeded your rate limit."),
        (true, 529) => Anthropic("overloaded_error", "Overloaded"),
        (true, _) => Anthropic("api_error", "Internal server error"),
        (_, 401) => OpenAI("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
        (_, 404) => OpenAI("invalid_request_error", "not_found", "Not found"),
        (_, 429) => OpenAI("requests", "rate_limit_exceeded", "Rate limit reached."),
        (_, >= 400 and < 500) => OpenAI("invalid_request_error", null, "Bad request"),
        (_, 503) => OpenAI("service_unavailable_error", "server_is_overloaded", "The server is currently overloaded. Please try again later."),
        _ => OpenAI("server_error", null, "The server had an error while processing your request. Sorry about that!"),
    };

    public static string Quote(string? text) => text is null ? "null" : $"\"{JsonEncodedText.Encode(text)}\"";
}
