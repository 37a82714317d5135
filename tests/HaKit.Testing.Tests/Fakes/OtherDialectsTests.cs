using System.Net;
using System.Text;
using System.Text.Json;

namespace HaKit.Testing.Tests.Fakes;

/// <summary>Tests the Responses API and Ollama's own interface over a real socket, and how the library reads their streams.</summary>
public sealed class OtherDialectsTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static string Answer => FakeAnswers.AnswerTo("hi");

    [Theory(Timeout = 60_000)]
    [InlineData("v1/responses", """{"model":"m","input":"hi"}""")]
    [InlineData("v1/responses", """{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}]}""")]
    [InlineData("api/chat", """{"model":"m","stream":false,"messages":[{"role":"user","content":"hi"}]}""")]
    public async Task A_whole_answer_has_the_dialect_s_shape(string path, string body)
    {
        await using var world = await World.StartAsync();
        var root = JsonDocument.Parse(await world.AskAsync(path, body)).RootElement;
        var text = path == "api/chat" ? root.GetProperty("message").GetProperty("content") : root.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text");
        text.GetString().Should().Be(Answer);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("v1/responses", """{"model":"m","input":"hi","stream":true}""")]
    [InlineData("api/chat", """{"model":"m","messages":[{"role":"user","content":"hi"}]}""")]
    public async Task A_stream_is_delivered_whole_and_a_failure_in_it_is_heard_of(string path, string body)
    {
        await using var world = await World.StartAsync();
        TextOf(await world.AskAsync(path, body)).Should().Be(Answer);

        world.Server.Faults.Always(FakeFault.ErrorEventAfter(2));
        await FluentActions.Awaiting(() => world.AskAsync(path, body)).Should().ThrowAsync<PartialResponseException>();
        world.Server.Faults.Clear();
        world.Server.Faults.Always(FakeFault.EndAfter(2));
        await FluentActions.Awaiting(() => world.AskAsync(path, body)).Should().ThrowAsync<PartialResponseException>();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("[]")]
    [InlineData("""{"error":{"message":5}}""")]
    public async Task An_error_event_of_any_json_reaches_the_client_of_ollama(string json)
    {
        await using var world = await World.StartAsync();
        world.Server.Faults.Always(FakeFault.ErrorEventAfter(2, json));
        (await FluentActions.Awaiting(() => world.AskAsync("api/chat", """{"model":"m","messages":[{"role":"user","content":"hi"}]}""")).Should().ThrowAsync<PartialResponseException>())
            .Which.Message.Should().NotContain(nameof(FaultKind.ConnectionReset));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_tool_is_called_and_its_result_answered()
    {
        await using var world = await World.StartAsync();
        const string Tools = "\"tools\":[{\"type\":\"function\",\"name\":\"look\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}}]";
        var first = JsonDocument.Parse(await world.AskAsync("v1/responses", $$"""{"model":"m","input":"hi",{{Tools}}}""")).RootElement;
        var call = first.GetProperty("output")[0];
        (call.GetProperty("type").GetString(), call.GetProperty("name").GetString(), call.GetProperty("arguments").GetString()).Should().Be(("function_call", "look", """{"city":"hi"}"""));
        var next = await world.AskAsync("v1/responses", $$"""{"model":"m","previous_response_id":"{{first.GetProperty("id").GetString()}}","input":[{"type":"function_call_output","call_id":"call_1","output":"sunny"}],{{Tools}}}""");
        next.Should().Contain("output_text");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("v1/response")]
    [InlineData("api/generate/x")]
    [InlineData("v1/chat/completion")]
    [InlineData("")]
    [InlineData("chat/completions")]
    [InlineData("v1/v1/chat/completions")]
    [InlineData("messages")]
    [InlineData("responses")]
    [InlineData("embeddings")]
    [InlineData("api/chat/completions")]
    public async Task A_path_that_no_provider_has_is_404(string path)
    {
        await using var world = await World.StartAsync();
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var client = new HttpClient();
        using var response = await client.PostAsync(new Uri(new Uri(world.Server.Address.GetLeftPart(UriPartial.Authority)), path), content, Ct);
        response.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("v1/chat/completions")]
    [InlineData("v1/chat/completions/")]
    [InlineData("openai/v1/chat/completions")]
    [InlineData("api/v1/chat/completions")]
    [InlineData("v1beta/openai/chat/completions")]
    [InlineData("openai/deployments/m/chat/completions?api-version=1")]
    [InlineData("v1/messages")]
    [InlineData("anthropic/v1/messages")]
    [InlineData("api/chat")]
    public async Task A_path_that_a_provider_has_is_served(string path)
    {
        await using var world = await World.StartAsync();
        using var content = new StringContent("""{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}""", Encoding.UTF8, "application/json");
        using var client = new HttpClient();
        using var response = await client.PostAsync(new Uri(new Uri(world.Server.Address.GetLeftPart(UriPartial.Authority)), path), content, Ct);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_response_of_another_server_is_not_found()
    {
        await using var world = await World.StartAsync();
        await using var other = await FakeAiServer.StartAsync(cancellationToken: Ct);
        using var client = new HttpClient();
        var id = JsonDocument.Parse(await world.AskAsync("v1/responses", """{"model":"m","input":"hi"}""")).RootElement.GetProperty("id").GetString();
        foreach (var stream in (string[])["false", "true"])
        {
            using var content = new StringContent($$"""{"model":"m","previous_response_id":"{{id}}","input":"more","stream":{{stream}}}""", Encoding.UTF8, "application/json");
            using var response = await client.PostAsync(new Uri(other.Address, "v1/responses"), content, Ct);
            response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
            (await response.Content.ReadAsStringAsync(Ct)).Should().Contain("previous_response_not_found");
        }
    }

    private static string TextOf(string stream)
    {
        var text = new StringBuilder();
        foreach (var line in stream.Split('\n'))
        {
            var json = line.StartsWith("data: ", StringComparison.Ordinal) ? line[6..] : line;
            if (!json.StartsWith('{'))
                continue;
            var root = JsonDocument.Parse(json).RootElement;
            if (root.TryGetProperty("message", out var message))
                text.Append(message.GetProperty("content").GetString());
            else if (root.GetProperty("type").GetString() == "response.output_text.delta")
                text.Append(root.GetProperty("delta").GetString());
        }
        return text.ToString();
    }

    private sealed class World(FakeAiServer server, EndpointPool pool) : IAsyncDisposable
    {
        private readonly HttpClient _client = pool.CreateHttpClient();

        public FakeAiServer Server => server;

        public static async Task<World> StartAsync()
        {
            var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
            var options = new EndpointPoolOptions { Heartbeat = { Enabled = false } };
            options.Endpoints.Add(new EndpointOptions { Name = "a", Address = server.Address.GetLeftPart(UriPartial.Authority) });
            return new World(server, new EndpointPool("p", options));
        }

        public async Task<string> AskAsync(string path, string body)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            var text = await response.Content.ReadAsStringAsync(Ct);
            response.StatusCode.Should().Be(HttpStatusCode.OK, text);
            return text;
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await pool.DisposeAsync();
            await server.DisposeAsync();
        }
    }
}
