using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace HaKit.Tool.Drills;

/// <summary>Calls OpenAI's chat completions at an address, plain and as streams, and reads the answers strictly.</summary>
internal sealed class HttpDrillTarget(HttpClient client, Uri address, IReadOnlyList<KeyValuePair<string, string>> headers, IAsyncDisposable? behind = null) : IDrillTarget
{
    private readonly Uri _chat = new(address.AbsoluteUri.TrimEnd('/') + "/chat/completions");

    public async Task<DrillAnswer> CallAsync(string prompt, bool streamed, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _chat) { Content = new ByteArrayContent(BodyOf(prompt, streamed)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"status {(int)response.StatusCode}", null, response.StatusCode);
        using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return streamed ? await ReadEventsAsync(body, cancellationToken) : await ReadWholeAsync(body, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        if (behind is not null)
            await behind.DisposeAsync();
    }

    private static byte[] BodyOf(string prompt, bool streamed) => Encoding.UTF8.GetBytes(
        $$"""{"model":"drill","stream":{{(streamed ? "true" : "false")}},"messages":[{"role":"user","content":{{JsonSerializer.Serialize(prompt)}}}]}""");

    private static async Task<DrillAnswer> ReadWholeAsync(Stream body, CancellationToken cancellationToken)
    {
        using var memory = new MemoryStream();
        await body.CopyToAsync(memory, cancellationToken);
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
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
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
