using System.Net;
using System.Text;
using HaKit.Health;

namespace HaKit.Tests.Http;

/// <summary>An empty 2xx is an answer to every request but those that ask a model for one.</summary>
public sealed class EmptyAnswerTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData("HEAD", "models", 200)]
    [InlineData("OPTIONS", "chat/completions", 204)]
    [InlineData("GET", "models", 204)]
    [InlineData("GET", "files/file-1/content", 200)]
    [InlineData("GET", "models", 304)]
    [InlineData("POST", "responses/resp_1/cancel", 200)]
    [InlineData("POST", "responses/resp_1/cancel", 204)]
    [InlineData("POST", "chat/completions/chatcmpl-1", 200)]
    [InlineData("POST", "threads/thread_1/messages", 201)]
    [InlineData("POST", "threads/thread_1/runs/run_1/cancel", 202)]
    [InlineData("POST", "uploads/upload_1/parts", 200)]
    [InlineData("POST", "batches/batch_1/cancel", 202)]
    [InlineData("POST", "files", 201)]
    [InlineData("POST", "feedback", 205)]
    [InlineData("POST", "models/load", 200)]
    [InlineData("DELETE", "chat/completions/chatcmpl-1", 204)]
    [InlineData("DELETE", "conversations/conv_1", 200)]
    [InlineData("PUT", "chat/completions", 200)]
    [InlineData("PATCH", "responses", 204)]
    public async Task An_empty_2xx_to_what_needs_no_answer_is_a_success(string method, string path, int status)
    {
        foreach (var body in (string?[])[null, "", "\n"])
        {
            if (status is 204 or 205 or 304 && body == "\n")
                continue;
            await using var http = new HttpPool(3, inner: new Empty((HttpStatusCode)status, body));
            for (var i = 0; i < 12; i++)
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                if (method is "POST" or "PUT" or "PATCH")
                    request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
                using var response = await http.Client.SendAsync(request, Ct);
                response.StatusCode.Should().Be((HttpStatusCode)status);
                (await response.Content.ReadAsStringAsync(Ct)).Should().Be(body ?? "");
            }
            http.Sent.Should().HaveCount(12, "the body is {0}", body);
            http.Pool.GetStatus().Endpoints.Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy);
            http.InFlight.Should().Be(0);
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData("chat/completions", 200)]
    [InlineData("chat/completions", 204)]
    [InlineData("chat/completions", 202)]
    [InlineData("responses", 200)]
    [InlineData("embeddings", 201)]
    public async Task An_empty_2xx_to_a_question_for_a_model_is_asked_elsewhere(string path, int status)
    {
        foreach (var isStream in (bool[])[false, true])
        {
            await using var http = new HttpPool(2, inner: new Empty((HttpStatusCode)status, ""));
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = HttpPool.Chat("hi", stream: isStream) };
            var call = Record.ExceptionAsync(async () => (await http.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct)).Dispose());
            while (!call.IsCompleted)
                http.Time.Advance(TimeSpan.FromSeconds(1));
            await call;
            http.Sent.Select(r => r.RequestUri!.Port).Distinct().Should().HaveCount(2);
        }
    }

    private sealed class Empty(HttpStatusCode status, string? body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = new HttpResponseMessage(status) { RequestMessage = request };
            if (body is not null)
                response.Content = new StringContent(body);
            return Task.FromResult(response);
        }
    }
}
