using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace HaKit.Testing.Wire;

/// <summary>
/// Reads requests of the supported dialects. Never throws because of a client's input; <see cref="FakeRequest.Problem"/> contains the error.
/// </summary>
internal static class RequestReader
{
    public static async ValueTask<FakeRequest> ReadAsync(
        string method, string path, string query, IReadOnlyDictionary<string, string> headers, ReadOnlyMemory<byte> body)
    {
        var request = new FakeRequest(OperationOf(method, path)) { Method = method, Path = path, Query = query, Headers = headers, Body = body };
        try
        {
            if (request.Operation == FakeOperation.Files)
                await ReadFileAsync(request).ConfigureAwait(false);
            else if (request.Operation is FakeOperation.Chat or FakeOperation.Messages or FakeOperation.Responses or FakeOperation.OllamaChat or FakeOperation.Embeddings or FakeOperation.Images)
                ReadJson(request);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or IOException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            request.Problem = "We could not parse the body of your request.";
        }

        return request;
    }

    private static FakeOperation OperationOf(string method, string path)
    {
        var end = path.TrimEnd('/');
        foreach (var (verb, tail, operation) in s_operations)
        {
            if (end.EndsWith(tail, StringComparison.Ordinal) && (method == verb || verb == "GET" && method == "HEAD"))
                return operation;
        }
        return FakeOperation.Unknown;
    }

    /// <summary>
    /// Checks whether a provider has the path. The paths of OpenAI and Anthropic must be below exactly one version (<c>/v1</c>, <c>/openai/v1</c>). Azure's
    /// paths must be below <c>/openai</c> or a deployment. The paths of Ollama and of probes may be below any path.
    /// </summary>
    public static bool IsServed(string path)
    {
        var end = path.TrimEnd('/');
        foreach (var (_, tail, operation) in s_operations)
        {
            if (!end.EndsWith(tail, StringComparison.Ordinal))
                continue;
            if (operation is FakeOperation.OllamaChat or FakeOperation.Health or FakeOperation.Metrics)
                return true;
            var folders = end[..^tail.Length].Split('/', StringSplitOptions.RemoveEmptyEntries);
            return folders switch
            {
                [.., var before, var last] when IsVersion(last) => !IsVersion(before),
                [var only] when IsVersion(only) => true,
                [.., "openai"] or [.., "deployments", _] => true,
                _ => false,
            };
        }
        return false;
    }

    private static bool IsVersion(string folder) => folder is ['v', >= '1' and <= '9', ..];

    private static readonly (string Method, string Tail, FakeOperation Operation)[] s_operations =
    [
        ("POST", "/chat/completions", FakeOperation.Chat),
        ("POST", "/messages", FakeOperation.Messages),
        ("POST", "/responses", FakeOperation.Responses),
        ("POST", "/api/chat", FakeOperation.OllamaChat),
        ("POST", "/embeddings", FakeOperation.Embeddings),
        ("POST", "/files", FakeOperation.Files),
        ("POST", "/images/generations", FakeOperation.Images),
        ("GET", "/models", FakeOperation.Models),
        ("GET", "/health", FakeOperation.Health),
        ("GET", "/metrics", FakeOperation.Metrics),
    ];

    private static void ReadJson(FakeRequest request)
    {
        using var document = JsonDocument.Parse(request.Body);
        var root = document.RootElement;
        request.Model = Text(root, "model") ?? Deployment(request.Path) ?? "";
        // Ollama streams unless the request sets "stream" to false.
        request.Stream = root.TryGetProperty("stream", out var stream) ? stream.ValueKind == JsonValueKind.True : request.Operation == FakeOperation.OllamaChat;
        request.IncludeUsage = root.TryGetProperty("stream_options", out var options) && options.ValueKind == JsonValueKind.Object
            && options.TryGetProperty("include_usage", out var usage) && usage.ValueKind == JsonValueKind.True;
        request.MaxTokens = Number(root, "max_completion_tokens") ?? Number(root, "max_tokens") ?? Number(root, "max_output_tokens");
        if (request.MaxTokens < 1)
            request.Problem = "Invalid value: max_tokens must be at least 1.";
        switch (request.Operation)
        {
            case FakeOperation.Embeddings:
                ReadInputs(request, root);
                break;
            case FakeOperation.Images:
                request.Prompt = Text(root, "prompt") ?? "";
                request.PromptTokens = FakeAnswers.CountTokens(request.Prompt);
                break;
            case FakeOperation.Responses:
                request.PreviousResponse = Text(root, "previous_response_id");
                ReadItems(request, root);
                break;
            default:
                ReadMessages(request, root.GetProperty("messages"), root);
                break;
        }
    }

    private static void ReadInputs(FakeRequest request, JsonElement root)
    {
        var input = root.GetProperty("input");
        request.Inputs = input.ValueKind == JsonValueKind.Array && input.GetArrayLength() > 0 && input[0].ValueKind != JsonValueKind.Number
            ? [.. input.EnumerateArray().Select(InputText)]
            : [InputText(input)];
        request.Prompt = string.Join('\n', request.Inputs);
        request.PromptTokens = request.Inputs.Sum(FakeAnswers.CountTokens);
        request.Dimensions = Number(root, "dimensions");
        request.Base64 = Text(root, "encoding_format") == "base64";
    }

    // Token ids are used as text.
    private static string InputText(JsonElement input) => input.ValueKind == JsonValueKind.String ? input.GetString()! : input.GetRawText();

    // The input of the Responses API is a prompt, or a list of messages and tool results.
    private static void ReadItems(FakeRequest request, JsonElement root)
    {
        var input = root.GetProperty("input");
        if (input.ValueKind != JsonValueKind.String)
        {
            ReadMessages(request, input, root);
            return;
        }
        request.Prompt = input.GetString()!;
        request.PromptTokens = FakeAnswers.CountTokens(request.Prompt);
        request.ToolCall = ToolCalls.ChooseCall(root, request.Prompt);
    }

    private static void ReadMessages(FakeRequest request, JsonElement messages, JsonElement root)
    {
        var text = new StringBuilder();
        var tokens = FakeAnswers.CountTokens(ContentOf(root, "system", text, out _));
        var answersATool = false;
        foreach (var message in messages.EnumerateArray())
        {
            var content = ContentOf(message, "content", text, out var hasToolResult);
            request.Beginning = Text(message, "role") == "assistant" ? content : null;
            if (request.Beginning is null)
                request.Prompt = content;
            tokens += FakeAnswers.CountTokens(content);
            answersATool = hasToolResult || Text(message, "role") == "tool" || Text(message, "type") == "function_call_output";
        }

        request.PromptTokens = tokens;
        if (messages.GetArrayLength() == 0)
            request.Problem = "messages: at least one message is required";
        if (!answersATool && request.Operation != FakeOperation.OllamaChat)
            request.ToolCall = ToolCalls.ChooseCall(root, request.Prompt);
    }

    private static string ContentOf(JsonElement owner, string name, StringBuilder text, out bool hasToolResult)
    {
        text.Clear();
        hasToolResult = false;
        if (owner.TryGetProperty(name, out var content))
            AppendContent(content, text, ref hasToolResult);
        return text.ToString();
    }

    private static void AppendContent(JsonElement content, StringBuilder text, ref bool hasToolResult)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            text.Append(content.GetString());
        }
        else if (content.ValueKind == JsonValueKind.Array)
        {
            foreach (var part in content.EnumerateArray())
                AppendPart(part, text, ref hasToolResult);
        }
    }

    private static void AppendPart(JsonElement part, StringBuilder text, ref bool hasToolResult)
    {
        switch (Text(part, "type"))
        {
            case "text" or "input_text" or "output_text":
                text.Append(Text(part, "text"));
                break;
            case "image_url":
                var url = Text(part.GetProperty("image_url"), "url") ?? "";
                text.Append(FakeAnswers.MarkOfBase64(url.StartsWith("data:", StringComparison.Ordinal) ? url[(url.IndexOf(',', StringComparison.Ordinal) + 1)..] : url));
                break;
            case "image":
                var source = part.GetProperty("source");
                text.Append(FakeAnswers.MarkOfBase64(Text(source, "data") ?? Text(source, "url") ?? ""));
                break;
            case "tool_result":
                hasToolResult = true;
                if (part.TryGetProperty("content", out var result))
                    AppendContent(result, text, ref hasToolResult);
                break;
        }
    }

    private static async Task ReadFileAsync(FakeRequest request)
    {
        var type = request.Headers.GetValueOrDefault("Content-Type") ?? "";
        var mark = type.IndexOf("boundary=", StringComparison.OrdinalIgnoreCase);
        if (mark < 0)
            throw new InvalidDataException();
        using var body = new MemoryStream(request.Body.ToArray(), writable: false);
        var reader = new MultipartReader(type[(mark + 9)..].Split(';')[0].Trim().Trim('"'), body);
        var purpose = "";
        while (await reader.ReadNextSectionAsync().ConfigureAwait(false) is { } section)
        {
            using var content = new MemoryStream();
            await section.Body.CopyToAsync(content).ConfigureAwait(false);
            var disposition = section.GetContentDispositionHeader();
            if (disposition is null)
                continue;
            if (disposition.Name.Value?.Trim('"') == "purpose")
                purpose = Encoding.UTF8.GetString(content.ToArray());
            else if (disposition.FileName.HasValue || disposition.FileNameStar.HasValue)
                request.File = new(disposition.FileNameStar.Value ?? disposition.FileName.Value!.Trim('"'), purpose, content.ToArray());
        }

        if (request.File is null)
            throw new InvalidDataException();
        request.File = request.File with { Purpose = purpose };
    }

    private static string? Deployment(string path)
    {
        const string mark = "/deployments/";
        var start = path.IndexOf(mark, StringComparison.Ordinal);
        if (start < 0)
            return null;
        start += mark.Length;
        var end = path.IndexOf('/', start);
        return Uri.UnescapeDataString(end < 0 ? path[start..] : path[start..end]);
    }

    private static string? Text(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? Number(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;
}
