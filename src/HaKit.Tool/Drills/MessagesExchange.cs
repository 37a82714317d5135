using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>Sends a drill's call as an Anthropic message, plain or as a stream, and reads the answer strictly.</summary>
internal static class MessagesExchange
{
    public static HttpRequestMessage CreateRequest(Uri address, string prompt, bool streamed)
    {
        // A message must have a token limit, and the upstreams answer with exactly as many tokens. So the limit is the length of the right answer, with one
        // token for each word.
        var tokens = FakeAnswers.AnswerTo(prompt).Split(' ').Length;
        var body = $$"""{"model":"drill","max_tokens":{{tokens}},"stream":{{(streamed ? "true" : "false")}},"messages":[{"role":"user","content":"{{JsonEncodedText.Encode(prompt)}}"}]}""";
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
        request.Headers.Add("anthropic-version", "2023-06-01");
        return request;
    }

    /// <exception cref="HttpRequestException">The answer has an error status or contains an error.</exception>
    public static async Task<DrillAnswer> ReadAsync(HttpResponseMessage response, bool streamed, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"status {(int)response.StatusCode}", null, response.StatusCode);
        using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return streamed ? await ReadEventsAsync(body, cancellationToken) : await ReadWholeAsync(body, cancellationToken);
    }

    private static async Task<DrillAnswer> ReadWholeAsync(Stream body, CancellationToken cancellationToken)
    {
        try
        {
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            ThrowIfError(json.RootElement);
            var text = json.RootElement.GetProperty("content")[0].GetProperty("text").GetString() ?? "";
            return new(text, json.RootElement.TryGetProperty("stop_reason", out var reason) && reason.ValueKind == JsonValueKind.String);
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            return new("", HasEnded: true);
        }
    }

    private static async Task<DrillAnswer> ReadEventsAsync(Stream body, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(body, Encoding.UTF8);
        var text = new StringBuilder();
        var hasEnded = false;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (!line.StartsWith("data:", StringComparison.Ordinal))
                continue;
            try
            {
                using var json = JsonDocument.Parse(line.AsMemory(5));
                ThrowIfError(json.RootElement);
                if (json.RootElement.TryGetProperty("delta", out var delta) && delta.TryGetProperty("text", out var piece))
                    text.Append(piece.GetString());
                hasEnded |= json.RootElement.GetProperty("type").ValueEquals("message_stop");
            }
            catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or KeyNotFoundException)
            {
                return new("", HasEnded: true);
            }
        }
        return new(text.ToString(), hasEnded);
    }

    private static void ThrowIfError(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out var error) && error.ValueKind is not JsonValueKind.Null)
            throw new HttpRequestException("an error inside the answer");
    }
}
