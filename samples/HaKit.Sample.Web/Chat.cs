using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace HaKit.Sample.Web;

/// <summary>One message of a conversation.</summary>
internal sealed record ChatMessage(string Role, string Text);

/// <summary>A conversation as the page sends it.</summary>
internal sealed record ChatRequest(ChatMessage[] Messages);

/// <summary>
/// One message to the page: <c>wait</c> (each second while no server has begun to answer), <c>start</c>, <c>text</c>, <c>cut</c>, <c>end</c> or <c>error</c>.
/// </summary>
internal sealed record ChatNews(string Type, string? Text = null, string? Endpoint = null, int? Attempts = null, double? Seconds = null);

/// <summary>Streams answers from the pool to the page.</summary>
internal static class Chat
{
    public static void Map(WebApplication app) => app.MapPost("/chat", (ChatRequest request, IHttpClientFactory clients, [FromKeyedServices("chat")] EndpointPool pool, CancellationToken cancellationToken) =>
        TypedResults.ServerSentEvents(AnswerAsync(clients.CreateClient("chat"), pool, request.Messages, cancellationToken)));

    /// <summary>
    /// Sends one request over the pool, in the same way as any client of OpenAI's dialect. The pool chooses the endpoint, and tries another endpoint after a
    /// failure.
    /// </summary>
    public static async IAsyncEnumerable<ChatNews> AskAsync(
        HttpClient http, ChatMessage[] messages, int maxTokens, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model = "demo-7b",
                stream = true,
                max_tokens = maxTokens,
                messages = messages.Select(m => new { role = m.Role, content = m.Text }),
            }),
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail);
        yield return new("start", Endpoint: detail?.Endpoint, Attempts: detail?.Attempts.Count);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var item in SseParser.Create(body).EnumerateAsync(cancellationToken))
        {
            if (item.Data != "[DONE]" && TextOf(item.Data) is { Length: > 0 } text)
                yield return new("text", text);
        }
    }

    // If an answer was cut, the sample sends the request again and shows this on the page. The library never repeats an answer silently.
    private static async IAsyncEnumerable<ChatNews> AnswerAsync(HttpClient http, EndpointPool pool, ChatMessage[] messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        for (var ask = 1; ; ask++)
        {
            string? cutAt = null;
            await using var news = AskAsync(http, messages, 72, cancellationToken).GetAsyncEnumerator(cancellationToken);
            var coming = Task.FromResult(false);
            try
            {
                while (true)
                {
                    coming = news.MoveNextAsync().AsTask();
                    // After a second without any text, the page shows the reason: the pool waits for a server, or for the server's answer.
                    while (await Task.WhenAny(coming, Task.Delay(TimeSpan.FromSeconds(1), cancellationToken)) != coming && !cancellationToken.IsCancellationRequested)
                        yield return new("wait", DescribeWaiting(pool), Seconds: Stopwatch.GetElapsedTime(began).TotalSeconds);
                    ChatNews? next = null;
                    try
                    {
                        if (await coming)
                            next = news.Current;
                    }
                    catch (PartialResponseException cut) when (ask < 4)
                    {
                        cutAt = cut.Endpoint;
                    }
                    catch (Exception lost) when (lost is EndpointPoolException or HttpRequestException or IOException)
                    {
                        next = new("error", lost is EndpointPoolException ? lost.Message : lost.GetType().Name);
                    }
                    if (next is null)
                        break;
                    yield return next;
                    if (next.Type == "error")
                        yield break;
                }
            }
            finally
            {
                // The page was closed while the sample waited for the next item. The request is cancelled, and its stream must end before it is disposed.
                await ((Task)coming).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            if (cutAt is null)
                break;
            yield return new("cut", Endpoint: cutAt);
        }
        yield return new("end", Seconds: Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    private static string DescribeWaiting(EndpointPool pool)
    {
        var status = pool.GetStatus();
        return status.Serving == 0 ? "No server can answer at the moment; the question is kept, and asked again as soon as one is back" : "Waiting for a server's answer";
    }

    private static string? TextOf(string json) =>
        JsonNode.Parse(json)?["choices"] is JsonArray { Count: > 0 } choices ? choices[0]?["delta"]?["content"]?.GetValue<string>() : null;
}
