using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace HaKit.Tests;

/// <summary>Speaks Ollama's dialect on top of a server that speaks OpenAI's dialect. Failures of that server are passed on unchanged.</summary>
internal sealed class OllamaServer : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.RequestUri = new Uri(request.RequestUri!, "/v1/chat/completions");
        request.Content = new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}]}""", Encoding.UTF8, "application/json");
        var response = await base.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
            return response;
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        var text = TextIn(body);
        var type = response.Content.Headers.ContentType?.MediaType ?? "application/json";
        response.Dispose();
        var answer = text is null ? body : new JsonObject
        {
            ["model"] = "m",
            ["created_at"] = "2026-01-01T00:00:00Z",
            ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text },
            ["done"] = true,
            ["done_reason"] = "stop",
        }.ToJsonString() + "\n";
        return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new StringContent(answer, Encoding.UTF8, type) };
    }

    private static string? TextIn(string body)
    {
        try
        {
            return JsonNode.Parse(body)?["choices"]?[0]?["message"]?["content"]?.GetValue<string>();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
