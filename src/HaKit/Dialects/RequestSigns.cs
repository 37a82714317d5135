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
        ], StringComparison.OrdinalIgnoreCase);

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

    /// <summary>Checks whether the refusal blames the request.</summary>
    /// <param name="signs">The signs of an error that the body contained.</param>
    /// <param name="words">The message, without quoted text.</param>
    public static bool BlamesRequest(in ErrorSigns signs, ReadOnlySpan<char> words) =>
        signs.NamesField || IsCodeOfRequest(signs.Code) || signs.Type is "request_too_large" || BeginsWithPath(words);

    /// <summary>
    /// Checks whether a code without a status is about a mistake in the request (<c>invalid_image_url</c>), and not about an answer that a server could not read
    /// (<c>invalid_response</c>).
    /// </summary>
    /// <param name="code">A plain token; empty when absent.</param>
    public static bool IsCodeOfOwnMistake(ReadOnlySpan<char> code) =>
        IsCodeOfRequest(code) && !code.ContainsAny(s_ofServer) && !code.StartsWith("parse", StringComparison.OrdinalIgnoreCase);

    private static bool IsCodeOfRequest(ReadOnlySpan<char> code) => code.ContainsAny(s_wrong) && !code.ContainsAny(s_elsewhere);

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
        return step < 0 ? IsMember(path)
            : step > 0 && step + 1 < path.Length && (path[step] == '.' || char.IsAsciiDigit(path[step + 1]));
    }

    private static bool IsMember(ReadOnlySpan<char> name) => s_members.Contains(name);
}
