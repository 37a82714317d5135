using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace HaKit.Testing;

/// <summary>The content of an answer that reported no failure.</summary>
/// <param name="Text">The text.</param>
/// <param name="HasEnded">True if the answer is marked as complete: by a finish reason, or by a complete body.</param>
internal readonly record struct DrillAnswer(string Text, bool HasEnded)
{
    /// <summary>Compares the answer with the right answer to the prompt.</summary>
    public DrillOutcome OutcomeFor(string prompt)
    {
        var right = FakeAnswers.AnswerTo(prompt);
        if (HasEnded)
            return Text == right ? DrillOutcome.Right : DrillOutcome.Wrong;
        return right.StartsWith(Text, StringComparison.Ordinal) ? DrillOutcome.Half : DrillOutcome.Wrong;
    }
}

/// <summary>Sends a drill's call as an OpenAI chat completion, plain or as a stream, and reads the answer strictly.</summary>
internal static class ChatExchange
{
    public static HttpRequestMessage CreateRequest(Uri address, string prompt, bool streamed)
    {
        var body = $$"""{"model":"drill","stream":{{(streamed ? "true" : "false")}},"messages":[{"role":"user","content":"{{JsonEncodedText.Encode(prompt)}}"}]}""";
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
    }

    /// <exception cref="HttpRequestException">The answer has an error status or contains an error.</exception>
    public static async Task<DrillAnswer> ReadAsync(HttpResponseMessage response, bool streamed, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"status {(int)response.StatusCode}", null, response.StatusCode);
        using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return streamed ? await ReadEventsAsync(body, cancellationToken).ConfigureAwait(false) : await ReadWholeAsync(body, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<DrillAnswer> ReadWholeAsync(Stream body, CancellationToken cancellationToken)
    {
        using var memory = new MemoryStream();
        await body.CopyToAsync(memory, cancellationToken).ConfigureAwait(false);
        try
        {
            using var json = JsonDocument.Parse(memory.GetBuffer().AsMemory(0, (int)memory.Length));
            ThrowIfError(json.RootElement);
            var choice = json.RootElement.GetProperty("choices")[0];
            return new(choice.GetProperty("message").GetProperty("content").GetString() ?? "", choice.TryGetProperty("finish_reason", out var reason) && reason.ValueKind == JsonValueKind.String);
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
        while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (!line.StartsWith("data:", StringComparison.Ordinal) || line.AsSpan(5).Trim() is "[DONE]")
                continue;
            try
            {
                using var json = JsonDocument.Parse(line.AsMemory(5));
                ThrowIfError(json.RootElement);
                if (!json.RootElement.TryGetProperty("choices", out var choices) || choices.GetArrayLength() == 0)
                    continue;
                if (choices[0].TryGetProperty("delta", out var delta) && delta.TryGetProperty("content", out var content))
                    text.Append(content.GetString());
                hasEnded |= choices[0].TryGetProperty("finish_reason", out var reason) && reason.ValueKind == JsonValueKind.String;
            }
            catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
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
