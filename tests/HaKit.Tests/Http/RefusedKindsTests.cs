using System.Net;
using System.Text;
using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>
/// If an endpoint refuses requests because of a special feature, requests without this feature still go to the endpoint. Real sockets; virtual time.
/// </summary>
public sealed class RefusedKindsTests
{
    private const string Text = """{"model":"m","messages":[{"role":"user","content":"hi"}]}""";
    private const string Image = """{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}""";
    private const string Tools = """{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}""";
    private const string Embed = """{"model":"m","input":"hi"}""";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static readonly RawAnswer s_chat = new(200, "application/json", """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""");

    private static readonly RawAnswer s_embedding = new(200, "application/json", """{"data":[{"embedding":[1]}]}""");

    private static readonly RawAnswer s_refusal = new(400, "application/json", """{"error":{"message":"This deployment does not take such input.","type":"invalid_request_error","param":null,"code":null}}""");

    private static readonly RawAnswer s_page = new(404, "text/html", "<html>nginx</html>");

    [Fact]
    public void A_refusal_is_forgotten_ten_minutes_after_the_last_one()
    {
        var time = new ManualTimeProvider();
        var refused = new HaKit.Http.RefusedKinds(time);
        refused.RemembersAny().Should().BeFalse();
        refused.AddRefusal("a", "media", new HealthOptions());
        time.Advance(TimeSpan.FromMinutes(6));
        refused.AddRefusal("a", "media", new HealthOptions());
        time.Advance(TimeSpan.FromMinutes(9));
        refused.RemembersAny().Should().BeTrue();
        time.Advance(TimeSpan.FromMinutes(1));
        refused.RemembersAny().Should().BeFalse();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("images", false)]
    [InlineData("images", true)]
    [InlineData("tools", false)]
    [InlineData("embeddings", false)]
    [InlineData("embeddings", true)]
    public async Task Requests_of_a_kind_that_one_endpoint_refuses_take_nothing_from_callers_of_text(string kind, bool isPage)
    {
        var (path, body) = Of(kind);
        await using var pair = new Pair(r => IsOf(kind, r) ? isPage ? s_page : s_refusal : s_chat, Served);
        await pair.AskAsync(Text);

        for (var i = 0; i < 60; i++)
        {
            (await pair.AskAsync(body, path)).Should().Be((HttpStatusCode.OK, 1));
        }
        pair.Servers[0].Seen.Count(r => IsOf(kind, r)).Should().BeLessThanOrEqualTo(10);
        for (var i = 0; i < 20; i++)
        {
            (await pair.AskAsync(Text)).Should().Be((HttpStatusCode.OK, 0), "the endpoint serves text as ever");
        }
        pair.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy && e.NotAdmittedBy == null);
    }

    [Fact(Timeout = 60_000)]
    public async Task After_30_seconds_requests_of_the_kind_ask_the_endpoint_again()
    {
        var takesImages = false;
        await using var pair = new Pair(r => IsOf("images", r) && !takesImages ? s_refusal : s_chat, Served);
        await pair.AskAsync(Text);
        for (var i = 0; i < 6; i++)
        {
            await pair.AskAsync(Image);
        }
        takesImages = true;
        (await pair.AskAsync(Image)).Should().Be((HttpStatusCode.OK, 1));

        pair.Time.Advance(TimeSpan.FromSeconds(31));

        (await pair.AskAsync(Image)).Should().Be((HttpStatusCode.OK, 0));
        (await pair.AskAsync(Image)).Should().Be((HttpStatusCode.OK, 0));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_every_endpoint_refuses_goes_back_at_once_and_is_avoided_nowhere()
    {
        await using var pair = new Pair(r => IsOf("images", r) ? s_refusal : s_chat, r => IsOf("images", r) ? s_page : s_chat);
        await pair.AskAsync(Text);
        for (var i = 0; i < 8; i++)
        {
            (await pair.AskAsync(Image)).Status.Should().Be(HttpStatusCode.BadRequest, "the first answer goes back, not the 404 of the second");
        }
        pair.Servers[0].Seen.Count(r => IsOf("images", r)).Should().Be(8);
        (await pair.AskAsync(Text)).Should().Be((HttpStatusCode.OK, 0));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_switch_of_refusals_holds_for_kinds_too()
    {
        await using var pair = new Pair(r => IsOf("images", r) ? s_refusal : s_chat, Served, RuleMode.Off);
        await pair.AskAsync(Text);
        for (var i = 0; i < 12; i++)
        {
            (await pair.AskAsync(Image)).Should().Be((HttpStatusCode.OK, 1));
        }
        pair.Servers[0].Seen.Count(r => IsOf("images", r)).Should().Be(12, "nothing is avoided");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_endpoint_without_the_model_is_shown_as_no_capacity_until_it_answers()
    {
        var hasModel = false;
        var missing = new RawAnswer(404, "application/json", """{"error":{"message":"The model `m` does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}""");
        await using var pair = new Pair(_ => hasModel ? s_chat : missing, Served);
        (await pair.AskAsync(Text)).Should().Be((HttpStatusCode.OK, 1));

        pair.Pool.GetStatus().Endpoints.Select(e => e.LacksModel).Should().Equal(true, false);
        pair.Pool.Explain(RequestProfile.Default)[0].ToString().Should().Contain("does not have the requested model");

        hasModel = true;
        pair.Time.Advance(TimeSpan.FromSeconds(1));
        (await pair.AskAsync(Text)).Should().Be((HttpStatusCode.OK, 0));
        pair.Pool.GetStatus().Endpoints.Should().OnlyContain(e => !e.LacksModel);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_conversation_stays_at_its_endpoint_although_another_caller_was_refused_there()
    {
        await using var pair = new Pair(r => r.Body.Contains("odd", StringComparison.Ordinal) ? s_refusal : Response("resp_1"), _ => Response("resp_2"));
        (await pair.AskAsync("""{"model":"m","input":"hi"}""", "responses")).Should().Be((HttpStatusCode.OK, 0));
        for (var i = 0; i < 6; i++)
        {
            (await pair.AskAsync("""{"model":"m","input":"hi","tools":[{"type":"function","name":"odd"}]}""", "responses")).Should().Be((HttpStatusCode.OK, 1));
        }
        (await pair.AskAsync("""{"model":"m","input":"hi","previous_response_id":"resp_1","tools":[{"type":"function","name":"f"}]}""", "responses"))
            .Should().Be((HttpStatusCode.OK, 0), "only this endpoint has the conversation");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_the_other_endpoint_down_the_avoided_endpoint_is_asked(bool isKnown)
    {
        var takesTools = false;
        await using var pair = new Pair(r => IsOf("tools", r) && !takesTools ? s_refusal : s_chat, Served);
        await pair.AskAsync(Text);
        for (var i = 0; i < 6; i++)
        {
            (await pair.AskAsync(Tools)).Should().Be((HttpStatusCode.OK, 1));
        }
        takesTools = true;
        pair.Servers[1].Dispose();
        if (isKnown)
            await pair.Pool.ForceDownAsync("e1");
        (await pair.AskAsync(Tools)).Should().Be((HttpStatusCode.OK, 0));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_refusal_of_the_avoided_endpoint_does_not_end_a_call_that_the_other_endpoint_serves_soon()
    {
        var throttles = 0;
        var throttled = new RawAnswer(429, "application/json", "{}") { Headers = [("Retry-After", "1")] };
        await using var pair = new Pair(r => IsOf("tools", r) ? s_refusal : s_chat, _ => Interlocked.Decrement(ref throttles) >= 0 ? throttled : s_chat);
        await pair.AskAsync(Text);
        for (var i = 0; i < 6; i++)
        {
            (await pair.AskAsync(Tools)).Should().Be((HttpStatusCode.OK, 1));
        }
        throttles = 1;
        var call = pair.AskAsync(Tools);
        while (!call.IsCompleted)
        {
            pair.Time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(call, Task.Delay(20, Ct));
        }
        (await call).Should().Be((HttpStatusCode.OK, 1));
    }

    private static RawAnswer Response(string id) => new(200, "application/json",
        $$"""{"id":"{{id}}","object":"response","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"x"}]}]}""");

    // The endpoint that is down may stay out for a minute. The refusal is an answer that the caller can use now.
    [Theory(Timeout = 60_000)]
    [InlineData(404, true)]
    [InlineData(404, false)]
    [InlineData(403, true)]
    [InlineData(403, false)]
    [InlineData(400, true)]
    [InlineData(400, false)]
    [InlineData(422, true)]
    [InlineData(405, false)]
    public async Task A_refusal_beside_an_endpoint_that_is_down_goes_back_at_once(int status, bool isDownFirst)
    {
        await using var pair = new Pair(_ => new(status, "text/html", "<html>no</html>"), _ => new(status, "text/html", "<html>no</html>"));
        pair.Servers[isDownFirst ? 0 : 1].Dispose();
        for (var i = 0; i < 6; i++)
        {
            // Virtual time does not advance, so a call that waits for the endpoint that is down would never end.
            (await pair.AskAsync(Text)).Status.Should().Be((HttpStatusCode)status);
        }
    }

    private static (string Path, string Body) Of(string kind) => kind switch
    {
        "images" => ("chat/completions", Image),
        "tools" => ("chat/completions", Tools),
        _ => ("embeddings", Embed),
    };

    private static bool IsOf(string kind, RawRequest request) => kind switch
    {
        "images" => request.Body.Contains("image_url", StringComparison.Ordinal),
        "tools" => request.Body.Contains("tools", StringComparison.Ordinal),
        _ => request.Target.Contains("embeddings", StringComparison.Ordinal),
    };

    private static RawAnswer Served(RawRequest request) => IsOf("embeddings", request) ? s_embedding : s_chat;

    private sealed class Pair : IAsyncDisposable
    {
        private readonly HttpClient _client;

        public Pair(Func<RawRequest, RawAnswer> first, Func<RawRequest, RawAnswer> second, RuleMode refusals = RuleMode.Enforce)
        {
            Servers = [new RawServer(first), new RawServer(second)];
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, CircuitBreaker = { RefusalsRule = refusals } };
            for (var i = 0; i < 2; i++)
            {
                options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = Servers[i].Address.AbsoluteUri, Tier = i });
            }
            Pool = new EndpointPool("pair", options, new EndpointPoolParts { TimeProvider = Time });
            _client = Pool.CreateHttpClient();
        }

        public ManualTimeProvider Time { get; } = new();

        public RawServer[] Servers { get; }

        public EndpointPool Pool { get; }

        /// <summary>Gets the status, and the endpoint that gave the answer.</summary>
        public async Task<(HttpStatusCode Status, int Endpoint)> AskAsync(string body, string path = "chat/completions")
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await _client.PostAsync(new Uri(path, UriKind.Relative), content, Ct);
            await response.Content.ReadAsStringAsync(Ct);
            response.RequestMessage!.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
            return (response.StatusCode, detail!.Endpoint[1] - '0');
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await Pool.DisposeAsync();
            foreach (var server in Servers)
            {
                server.Dispose();
            }
        }
    }
}
