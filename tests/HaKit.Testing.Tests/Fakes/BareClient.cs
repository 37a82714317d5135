using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace HaKit.Testing.Tests.Fakes;

/// <summary>Reads the wire as a client without HaKit sees it.</summary>
internal static class BareClient
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<HttpResponseMessage> PostAsync(HttpClient client, string prompt, bool stream, int? maxTokens = null, string path = "v1/chat/completions") =>
        PostUntilAsync(client, Ask(prompt, stream, maxTokens, path), Token);

    /// <summary>Makes a call that the test itself cancels.</summary>
    public static Task<HttpResponseMessage> PostUntilAsync(HttpClient client, HttpRequestMessage request, CancellationToken givenUp) =>
        client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, givenUp);

    public static HttpRequestMessage Ask(string prompt, bool stream, int? maxTokens = null, string path = "v1/chat/completions", string model = "m") =>
        new(HttpMethod.Post, path) { Content = JsonContent.Create(new { model, stream, max_tokens = maxTokens, messages = new[] { new { role = "user", content = prompt } } }) };

    /// <summary>Reads a stream to its end, with or without an exception.</summary>
    public static async Task<Stream> ReadAsync(HttpResponseMessage response, int stopAfterEvents = int.MaxValue)
    {
        var stream = new Stream(response);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Token), Encoding.UTF8);
        try
        {
            while (stream.Events.Count + stream.Comments.Count < stopAfterEvents && await reader.ReadLineAsync(Token) is { } line)
            {
                if (line.StartsWith(':'))
                    stream.Comments.Add(line[1..].Trim());
                if (line.StartsWith("data: ", StringComparison.Ordinal))
                    stream.Events.Add(line[6..]);
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            stream.Error = e;
        }

        return stream;
    }

    public sealed class Stream(HttpResponseMessage response)
    {
        public HttpResponseMessage Response => response;

        public List<string> Events { get; } = [];

        public List<string> Comments { get; } = [];

        public Exception? Error { get; set; }

        public IEnumerable<string> Contents => Events.Where(e => e.StartsWith('{') && e.EndsWith('}')).Select(Content).Where(c => c.Length > 0);

        private static string Content(string json)
        {
            var root = JsonDocument.Parse(json).RootElement;
            if (root.TryGetProperty("choices", out var choices) && choices.GetArrayLength() > 0)
                return choices[0].GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() ?? "" : "";
            return root.TryGetProperty("delta", out var delta) && delta.TryGetProperty("text", out var text) ? text.GetString()! : "";
        }
    }
}
