using System.Text.Json;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Http;
using HaKit.Selection;

namespace HaKit.Tests.Http;

/// <summary>
/// Requests with the same affinity key share a prompt cache. The pool sends them to the endpoint that has the cache, and the provider finds the cache by the
/// <c>prompt_cache_key</c>.
/// </summary>
public sealed class PromptCacheKeyTests
{
    [Theory]
    [InlineData(WireDialect.OpenAI, "/v1", true)]
    [InlineData(WireDialect.AzureOpenAI, "/openai/v1", true)]
    [InlineData(WireDialect.AzureOpenAI, "/openai/deployments/m", false)]
    [InlineData(WireDialect.Unknown, "/v1", false)]
    [InlineData(WireDialect.Vllm, "/v1", false)]
    [InlineData(WireDialect.Mistral, "/v1", false)]
    [InlineData(WireDialect.Anthropic, "/v1", false)]
    [InlineData(WireDialect.Gemini, "/v1", false)]
    [InlineData(WireDialect.Bedrock, "/v1", false)]
    [InlineData(WireDialect.Ollama, "/v1", false)]
    public async Task It_is_sent_where_the_declared_dialect_has_it(WireDialect dialect, string folder, bool isSent)
    {
        var (_, body) = await SentAsync(o => (o.Endpoints[0].Dialect, o.Endpoints[0].Address) = (dialect, "http://127.0.0.1:9000" + folder), "user 7");
        (KeyIn(body) is not null).Should().Be(isSent);
    }

    [Fact]
    public async Task The_same_affinity_key_gives_the_same_key_and_another_one_another_and_none_of_them_shows_it()
    {
        var first = KeyIn((await SentAsync(OpenAI, "user 7")).Body);
        var again = KeyIn((await SentAsync(OpenAI, "user 7")).Body);
        var other = KeyIn((await SentAsync(OpenAI, "user 8")).Body);
        first.Should().NotBeNull().And.Be(again).And.NotBe(other).And.NotContain("user").And.HaveLength(32);
        KeyIn((await SentAsync(OpenAI, null)).Body).Should().BeNull();
    }

    [Fact]
    public async Task The_model_of_the_endpoint_is_put_in_beside_it_and_the_length_is_right()
    {
        var (length, body) = await SentAsync(o =>
        {
            OpenAI(o);
            o.Endpoints[0].Model = "a-much-longer-name";
        }, "user 7");
        var root = JsonDocument.Parse(body).RootElement;
        root.GetProperty("model").GetString().Should().Be("a-much-longer-name");
        root.GetProperty("messages")[0].GetProperty("content").GetString().Should().Be("hi");
        root.GetProperty("prompt_cache_key").GetString().Should().HaveLength(32);
        length.Should().Be(body.Length);
    }

    [Fact]
    public async Task A_key_of_the_callers_stays_and_the_setting_switches_it_off()
    {
        var (_, own) = await SentAsync(OpenAI, "user 7", more: ",\"prompt_cache_key\":\"mine\"");
        KeyIn(own).Should().Be("mine");
        System.Text.Encoding.UTF8.GetString(own).Split("prompt_cache_key").Should().HaveCount(2);
        KeyIn((await SentAsync(o =>
        {
            OpenAI(o);
            o.Http.SendPromptCacheKey = false;
        }, "user 7")).Body).Should().BeNull();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData(" { } ")]
    [InlineData("[1]")]
    [InlineData("")]
    [InlineData("\"text\"")]
    [InlineData("{\"prompt_cache_key\":1}")]
    public void What_is_no_object_with_members_is_left_as_it_is(string json) => PromptCacheKey.For(System.Text.Encoding.UTF8.GetBytes(json), "k").Should().BeNull();

    [Fact]
    public async Task Affinity_gives_up_for_health_and_comes_back()
    {
        await using var http = new HttpPool(3, o => o.Selection.Preset = SelectionPreset.Adaptive);
        async Task<string> AskAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
            request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { AffinityKey = "user 7" });
            using var response = await http.Client.SendAsync(request, TestContext.Current.CancellationToken);
            request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail);
            return detail!.Endpoint;
        }
        var home = await AskAsync();
        for (var call = 0; call < 10; call++)
            (await AskAsync()).Should().Be(home);

        var fake = http.Fakes.Single(f => f.Name == home);
        fake.Faults.Always(HaKit.Testing.FakeFault.Status(503));
        for (var call = 0; call < 10; call++)
            (await AskAsync()).Should().NotBe(home);
        http.Pool.GetStatus().Endpoints.Single(e => e.Endpoint.Name == home).Health.Status.Should().Be(EndpointHealthStatus.Ejected);

        fake.Faults.Clear();
        http.Time.Advance(TimeSpan.FromSeconds(10));
        for (var second = 0; second < 60; second++)
        {
            await AskAsync();
            http.Time.Advance(TimeSpan.FromSeconds(1));
        }
        for (var call = 0; call < 10; call++)
            (await AskAsync()).Should().Be(home);
    }

    private static void OpenAI(EndpointPoolOptions options) => options.Endpoints[0].Dialect = WireDialect.OpenAI;

    private static string? KeyIn(byte[] body) => JsonDocument.Parse(body).RootElement.TryGetProperty("prompt_cache_key", out var key) ? key.GetString() : null;

    private static async Task<(long? Length, byte[] Body)> SentAsync(Action<EndpointPoolOptions> configure, string? affinityKey, string more = "")
    {
        var inner = new Recorder();
        await using var http = new HttpPool(1, configure, inner: inner);
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi", more: more) };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { AffinityKey = affinityKey });
        using var response = await http.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return (inner.Length, inner.Body);
    }

    private sealed class Recorder : HttpMessageHandler
    {
        public byte[] Body { get; private set; } = [];

        public long? Length { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Length = request.Content!.Headers.ContentLength;
            Body = await request.Content.ReadAsByteArrayAsync(cancellationToken);
            return new HttpResponseMessage { Content = new StringContent("""{"choices":[{"message":{"content":"x"}}],"content":[{"type":"text","text":"x"}],"candidates":[{"content":{"parts":[{"text":"x"}]}}]}""", null, "application/json") };
        }
    }
}
