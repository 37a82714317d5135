using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Determines whether a 400, 413 or 422 blames the request itself: by a code, by the name of the wrong member, or by a message that begins with a path into the
/// request. A refusal without any of these signs may be the endpoint's own fault ("User location is not supported").
/// </summary>
internal static class RequestSigns
{
    private static readonly SearchValues<char> s_notPath = SearchValues.Create(" :,;\t\r\n(");

    // A code about the location, the account or the model is no evidence against the request. A general code ("invalid_request_error") names no cause, so it is no
    // evidence either.
    private static readonly SearchValues<string> s_elsewhere = SearchValues.Create(
        [
            "key", "auth", "credential", "token_expired", "org", "project", "account", "user", "tenant", "subscription", "model", "deployment", "engine",
            "region", "country", "territory", "location", "endpoint", "host", "url", "api_version", "request_error", "bad_request", "plan", "tier", "billing", "balance",
            "client", "grant", "permission", "verif", "licen", "workspace", "scope", "certificat", "domain", "provider", "login", "captcha", "_ip_", "-ip-",
        ], StringComparison.OrdinalIgnoreCase);

    private static readonly string[] s_general = ["invalidrequest", "invalidargument", "invalidarguments", "invalidparameter", "invalidparameters"];

    private static readonly SearchValues<string> s_wrong = SearchValues.Create(
        ["invalid", "missing", "unsupported", "unknown_param", "above_max", "below_min", "too_long", "too_short", "too_many", "too_large", "out_of_range", "malformed", "required", "not_supported", "mismatch", "parse"],
        StringComparison.OrdinalIgnoreCase);

    // A code with one of these words is about the server or about its answer.
    private static readonly SearchValues<string> s_ofServer = SearchValues.Create(
        ["response", "output", "answer", "result", "upstream", "server", "backend", "gateway", "proxy", "internal", "worker", "stream", "generat", "json", "chunk", "node", "cluster", "runtime", "too_many_req", "too_many_con", "queue", "state", "login", "captcha"], StringComparison.OrdinalIgnoreCase);

    private static readonly System.Collections.Frozen.FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_members = System.Collections.Frozen.FrozenSet.ToFrozenSet(
        [
            "messages", "max_tokens", "max_completion_tokens", "max_output_tokens", "temperature", "top_p", "top_k", "tools", "tool_choice", "system", "stop_sequences", "stop",
            "stream", "metadata", "thinking", "response_format", "input", "prompt", "contents", "generationConfig", "generation_config", "n", "seed", "logprobs", "instructions",
            "reasoning", "text", "image", "images", "size", "file", "dimensions", "encoding_format", "documents", "query", "inputs", "parameters", "service_tier",
        ], StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    // Further members that have parts ("safety_settings[0].category: …").
    private static readonly System.Collections.Frozen.FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_deepMembers = System.Collections.Frozen.FrozenSet.ToFrozenSet(
        [
            "safety_settings", "safetySettings", "tool_config", "toolConfig", "system_instruction", "systemInstruction", "functions", "function_call", "logit_bias", "stream_options", "web_search_options", "audio",
            "modalities", "include", "prediction", "inferenceConfig", "additionalModelRequestFields", "guardrailConfig", "output_config", "context_management", "mcp_servers", "options", "format", "instances", "requests",
            "attachments", "tool_resources", "thread", "items", "content", "role", "stopSequences", "toolChoice", "maxTokens", "data",
        ], StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    // The first words of a sentence about the account or the place of an endpoint.
    private static readonly string[] s_owners = ["your", "this"];

    private static readonly string[] s_accounts =
        ["account", "organization", "organisation", "org", "resource", "subscription", "project", "workspace", "tenant", "team", "deployment", "plan", "tier", "region", "country", "location"];

    /// <summary>
    /// Checks whether the refusal blames the request. A message such as "Your organization must be verified to stream this model" is about the account, even if
    /// the error names a member of the request.
    /// </summary>
    /// <param name="signs">The signs of an error that the body contained.</param>
    /// <param name="words">The message, without quoted text.</param>
    public static bool BlamesRequest(in ErrorSigns signs, ReadOnlySpan<char> words) =>
        (signs.NamesField || IsCodeOfRequest(signs.Code) || signs.Type is "request_too_large" || BeginsWithPath(words)) && !BeginsWithAccount(words);

    /// <summary>
    /// Checks whether a code without a status is about a mistake in the request (<c>invalid_image_url</c>), and not about an answer that a server could not read
    /// (<c>invalid_response</c>).
    /// </summary>
    /// <param name="code">A plain token; empty when absent.</param>
    public static bool IsCodeOfOwnMistake(ReadOnlySpan<char> code) =>
        IsCodeOfRequest(code) && !code.ContainsAny(s_ofServer) && !code.StartsWith("parse", StringComparison.OrdinalIgnoreCase);

    /// <summary>Checks whether a code only says that a request is wrong (<c>invalid_request</c>, <c>invalid-argument</c>), without a cause.</summary>
    /// <param name="code">A plain token; empty when absent.</param>
    public static bool IsGeneral(ReadOnlySpan<char> code)
    {
        foreach (var known in s_general)
        {
            if (IsSame(code, known))
                return true;
        }

        return false;
    }

    private static bool IsCodeOfRequest(ReadOnlySpan<char> code) =>
        code.ContainsAny(s_wrong) && !code.ContainsAny(s_elsewhere) && !IsGeneral(code) && !NamesToken(code) && !code.StartsWith("ip_", StringComparison.OrdinalIgnoreCase);

    // A token of a user ("invalid_token"), and not the tokens of a prompt ("max_tokens_too_large").
    private static bool NamesToken(ReadOnlySpan<char> code) =>
        code.Contains("token", StringComparison.OrdinalIgnoreCase) && !code.Contains("tokens", StringComparison.OrdinalIgnoreCase) && !code.Contains("max_token", StringComparison.OrdinalIgnoreCase);

    // Compares letters only: separators and case do not matter.
    private static bool IsSame(ReadOnlySpan<char> code, string letters)
    {
        var count = 0;
        foreach (var c in code)
        {
            if (!char.IsAsciiLetter(c))
                continue;
            if (count == letters.Length || char.ToLowerInvariant(c) != letters[count++])
                return false;
        }

        return count == letters.Length;
    }

    private static bool BeginsWithAccount(ReadOnlySpan<char> words)
    {
        words = ServerWords.AfterExceptions(words.TrimStart(" \t\r\n"));
        var first = OwnMessage.WordAt(words);
        return OwnMessage.IsOneOf(first, s_owners) && OwnMessage.IsOneOf(OwnMessage.WordAt(words[first.Length..].TrimStart(' ')), s_accounts);
    }

    // "messages.0.content: …", "tools[1].function: …", "* GenerateContentRequest.contents: …", "max_tokens: …".
    private static bool BeginsWithPath(ReadOnlySpan<char> words)
    {
        words = words.TrimStart("* ");
        var end = words.IndexOfAny(s_notPath);
        if (end <= 0 || words[end] != ':')
            return false;
        var path = words[..end];
        if (path[0] != '_' && !char.IsAsciiLetter(path[0]))
            return false;
        // The name of an exception ("litellm.BadRequestError: …") is not a path.
        if (path.EndsWith("Error", StringComparison.Ordinal) || path.EndsWith("Exception", StringComparison.Ordinal))
            return false;
        var step = path.IndexOfAny('.', '[');
        if (step < 0)
            return s_members.Contains(path);
        if (step + 1 == path.Length || path[step] == '[' && !char.IsAsciiDigit(path[step + 1]))
            return false;
        // A name with points may also be a host, a module or a status ("grpc.StatusCode.UNAVAILABLE: …"), so its first part must be a member of a request.
        var first = path[..step];
        if (!IsBody(first))
            return IsRoot(first);
        var rest = path[(step + 1)..];
        var next = rest.IndexOfAny('.', '[');
        return path[step] == '.' && IsRoot(next < 0 ? rest : rest[..next]);
    }

    private static bool IsBody(ReadOnlySpan<char> name) => name.Equals("body", StringComparison.OrdinalIgnoreCase) || name.Equals("request", StringComparison.OrdinalIgnoreCase);

    private static bool IsRoot(ReadOnlySpan<char> name) => s_members.Contains(name) || s_deepMembers.Contains(name) || name.EndsWith("Request", StringComparison.Ordinal) && name.Length > "Request".Length;
}
