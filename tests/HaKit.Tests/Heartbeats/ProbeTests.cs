using System.Text;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing;

namespace HaKit.Tests.Heartbeats;

/// <summary>Tests probes against a real server on loopback.</summary>
public sealed class ProbeTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler());
    private readonly List<FakeRequest> _requests = [];
    private FakeAiServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await FakeAiServer.StartAsync(new FakeAiOptions { ApiKey = "k-secret", Observe = r => { lock (_requests) _requests.Add(r); } }, cancellationToken: Ct);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    public static TheoryData<string> All => ["tcp", "http", "models", "completion", "metrics"];

    private static IProbe Make(string name) => name switch
    {
        "tcp" => new TcpProbe(),
        "http" => new HttpProbe("/health"),
        "models" => new ModelsProbe(),
        "completion" => new CompletionProbe(),
        _ => new VllmMetricsProbe(),
    };

    private async Task<ProbeContext> ContextAsync(Action<EndpointOptions>? configure = null)
    {
        var endpoint = new EndpointOptions
        {
            Name = "a",
            Address = _server.OpenAIAddress.AbsoluteUri,
            Model = "m1",
            Dialect = WireDialect.OpenAI,
            Headers = { ["Authorization"] = "Bearer k-secret" },
        };
        configure?.Invoke(endpoint);
        await using var pool = new EndpointPool("p", new EndpointPoolOptions { Endpoints = [endpoint], Heartbeat = { Enabled = false } });
        return new ProbeContext { Endpoint = pool.Endpoints[0], Http = _http, Classifier = FaultClassifier.Default, Time = TimeProvider.System };
    }

    // Gets the fault that the heartbeat derives from an answer or an exception.
    private static async Task<ProbeResult> AskAsync(IProbe probe, ProbeContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return await probe.ProbeAsync(context, cancellationToken);
        }
        catch (Exception exception)
        {
            return new ProbeResult(new HeartbeatSetup(probe, context, new HeartbeatOptions()).FaultOf(exception));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Every_probe_finds_a_healthy_server_well_and_a_dead_one_unreachable(string name)
    {
        var (probe, context) = (Make(name), await ContextAsync());
        (await AskAsync(probe, context, Ct)).Fault.Should().BeNull();
        await _server.KillAsync();
        (await AskAsync(probe, context, Ct)).Fault!.IsConnectClass.Should().BeTrue();
        await _server.RestartAsync(Ct);
        (await AskAsync(probe, context, Ct)).Fault.Should().BeNull();
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Every_probe_ends_when_its_time_is_over_and_says_what_silence_means(string name)
    {
        var (probe, context) = (Make(name), await ContextAsync());
        using var time = new CancellationTokenSource();
        if (name == "tcp")
            time.Cancel(); // on loopback a connection never hangs
        _server.Faults.Always(FakeFault.Hang, static _ => true);
        var asking = AskAsync(probe, context, time.Token);
        if (name != "tcp")
            asking.IsCompleted.Should().BeFalse();
        time.Cancel();
        (await asking.WaitAsync(Ct)).Fault!.Kind.Should().Be(name == "tcp" ? FaultKind.ConnectTimeout : FaultKind.AttemptTimeout);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(302)]
    public async Task No_status_but_success_is_healthy_and_a_probes_400_least_of_all(int status)
    {
        var context = await ContextAsync();
        _server.Faults.Always(FakeFault.Status(status), static _ => true);
        foreach (var name in new[] { "http", "models", "completion", "metrics" })
            (await AskAsync(Make(name), context, Ct)).Fault!.StatusCode.Should().Be(status, name);
    }

    [Fact]
    public async Task The_http_probe_asks_its_path_on_the_host_with_the_endpoints_headers_and_reads_the_body()
    {
        var context = await ContextAsync();
        (await AskAsync(new HttpProbe("health?deep=1"), context, Ct)).Fault.Should().BeNull();
        var request = _requests.Single();
        (request.Method, request.Path, request.Query, request.ApiKey).Should().Be(("GET", "/health", "?deep=1", "k-secret"));
        _server.Faults.Always(FakeFault.Status(200, """{"status":"starting"}"""), static _ => true);
        var probe = new HttpProbe("/health") { IsHealthyBody = static body => Encoding.UTF8.GetString(body.Span).Contains("ready", StringComparison.Ordinal) };
        (await AskAsync(probe, context, Ct)).Fault!.Kind.Should().Be(FaultKind.BrokenBody);
    }

    [Fact]
    public async Task The_models_probe_tells_authorised_from_reachable()
    {
        var probe = new ModelsProbe();
        var refused = await AskAsync(probe, await ContextAsync(e => e.Headers["Authorization"] = "Bearer wrong"), Ct);
        refused.Fault!.Kind.Should().Be(FaultKind.Unauthorized);
        Proved(probe, refused).Should().Be(ProbeLevel.Reachable);
        Proved(probe, await AskAsync(probe, await ContextAsync(), Ct)).Should().Be(ProbeLevel.Authorized);
    }

    [Fact]
    public async Task The_completion_probe_tells_reachable_from_authorised_from_generating()
    {
        var probe = new CompletionProbe();
        var context = await ContextAsync();
        Proved(probe, await AskAsync(probe, context, Ct)).Should().Be(ProbeLevel.Generating);
        Proved(probe, await AskAsync(probe, await ContextAsync(e => e.Headers.Clear()), Ct)).Should().Be(ProbeLevel.Reachable);
        using (_server.Faults.Always(FakeFaults.OpenAI.QuotaExhausted()))
        {
            var exhausted = await AskAsync(probe, context, Ct);
            exhausted.Fault!.Kind.Should().Be(FaultKind.QuotaExhausted, "the pool's classifier told it from a throttle");
            Proved(probe, exhausted).Should().Be(ProbeLevel.Authorized);
        }
        await _server.KillAsync();
        Proved(probe, await AskAsync(probe, context, Ct)).Should().BeNull();
    }

    [Theory]
    [InlineData("""{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"length"}],"usage":{"prompt_tokens":10,"completion_tokens":16,"completion_tokens_details":{"reasoning_tokens":16}}}""")]
    [InlineData("""{"choices":[{"index":0,"message":{"role":"assistant","content":null},"finish_reason":"length"}]}""")]
    [InlineData("""{"choices":[{"index":0,"message":{"role":"assistant","content":"O"},"finish_reason":"length"}]}""")]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":16}}""")]
    public async Task A_tiny_probe_does_not_fail_reasoning_models_that_spend_the_bound_before_the_first_word(string answer)
    {
        _server.Faults.Always(FakeFault.Status(200, answer));
        (await AskAsync(new CompletionProbe(), await ContextAsync(), Ct)).Fault.Should().BeNull();
    }

    [Fact]
    public async Task A_reasoning_model_that_answers_400_because_the_bound_was_spent_generates()
    {
        _server.Faults.Always(FakeFault.Status(400, """{"error":{"message":"Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.","type":"invalid_request_error","param":null,"code":null}}"""));
        (await AskAsync(new CompletionProbe(), await ContextAsync(), Ct)).Fault.Should().BeNull();
        _requests.Should().ContainSingle("the same bound under another name would cost again");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}")]
    [InlineData("{\"choices\":[]}")]
    [InlineData("{\"choices\":[{\"mess")]
    [InlineData("{\"error\":{\"message\":\"overloaded\"},\"usage\":{}}")]
    [InlineData("[1]")]
    [InlineData("<html>")]
    public async Task A_200_without_an_answer_in_it_is_a_miss(string body)
    {
        _server.Faults.Always(FakeFault.Status(200, body));
        (await AskAsync(new CompletionProbe(), await ContextAsync(), Ct)).Fault!.Kind.Should().Be(FaultKind.BrokenBody);
    }

    [Theory]
    [InlineData(WireDialect.OpenAI, "max_completion_tokens")]
    [InlineData(WireDialect.Unknown, "max_tokens")]
    [InlineData(WireDialect.Vllm, "max_tokens")]
    public async Task The_cost_of_a_completion_probe_is_bounded_in_whatever_word_the_server_knows(WireDialect dialect, string first)
    {
        var other = first == "max_tokens" ? "max_completion_tokens" : "max_tokens";
        var context = await ContextAsync(e => e.Dialect = dialect);
        var probe = new CompletionProbe { MaxTokens = 5 };
        (await AskAsync(probe, context, Ct)).Fault.Should().BeNull();
        Encoding.UTF8.GetString(_requests.Single().Body.Span).Should().Contain($"\"{first}\":5").And.Contain("\"model\":\"m1\"");
        _requests.Clear();
        using var picky = _server.Faults.Always(
            FakeFault.Status(400, $$$"""{"error":{"message":"Unsupported parameter: '{{{first}}}' is not supported with this model. Use '{{{other}}}' instead.","type":"invalid_request_error","param":"{{{first}}}","code":"unsupported_parameter"}}"""),
            r => Encoding.UTF8.GetString(r.Body.Span).Contains($"\"{first}\"", StringComparison.Ordinal));
        (await AskAsync(probe, context, Ct)).Fault.Should().BeNull();
        (await AskAsync(probe, context, Ct)).Fault.Should().BeNull();
        _requests.Should().HaveCount(3, "the word that worked is kept");
        _requests.Should().OnlyContain(r => r.MaxTokens == 5);
        probe.Pace.Should().Be(ProbePace.Sparingly);
    }

    [Fact]
    public async Task Anthropics_dialect_is_asked_in_its_own_words()
    {
        var context = await ContextAsync(e => { e.Dialect = WireDialect.Anthropic; e.Address = _server.Address.AbsoluteUri; e.Headers = new Dictionary<string, string> { ["x-api-key"] = "k-secret" }; });
        (await AskAsync(new CompletionProbe(), context, Ct)).Fault.Should().BeNull();
        (await AskAsync(new ModelsProbe(), context, Ct)).Fault.Should().BeNull();
        _requests.Select(r => (r.Path, r.IsAnthropic)).Should().Equal(("/v1/messages", true), ("/v1/models", true));
        _requests[0].MaxTokens.Should().Be(16);
    }

    [Theory]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"OK"}],"role":"model"},"finishReason":"STOP"}]}""", true)]
    [InlineData("""{"candidates":[{"finishReason":"MAX_TOKENS","index":0}]}""", true)]
    [InlineData("""{"candidates":[{"finishReason":"OTHER","index":0}]}""", false)]
    [InlineData("""{"usageMetadata":{"promptTokenCount":4}}""", true)]
    public async Task Geminis_dialect_is_asked_in_its_own_words(string answer, bool isWell)
    {
        var (asked, result) = await AskElsewhereAsync(new CompletionProbe(), WireDialect.Gemini, "https://gemini.example/v1beta", answer);
        result.Fault.Should().Match<Fault?>(f => f == null == isWell);
        asked.Should().Be(("POST /v1beta/models/m1:generateContent", """{"contents":[{"parts":[{"text":"Reply with OK."}]}],"generationConfig":{"maxOutputTokens":16}}"""));
    }

    [Theory]
    [InlineData("""{"model":"m1","message":{"role":"assistant","content":"OK"},"done":true}""", true)]
    [InlineData("""{"model":"m1","message":{"role":"assistant","content":"","thinking":"Well"},"done":true,"done_reason":"length","eval_count":16}""", true)]
    [InlineData("""{"model":"m1","message":{"role":"assistant","content":""},"done":false}""", false)]
    [InlineData("""{"error":"model 'm1' not found"}""", false)]
    public async Task Ollamas_own_interface_is_asked_in_its_own_words(string answer, bool isWell)
    {
        var (asked, result) = await AskElsewhereAsync(new CompletionProbe(), WireDialect.Ollama, "http://ollama.example:11434", answer);
        result.Fault.Should().Match<Fault?>(f => f == null == isWell);
        asked.Should().Be(("POST /api/chat", """{"model":"m1","messages":[{"role":"user","content":"Reply with OK."}],"stream":false,"options":{"num_predict":16}}"""));
    }

    [Theory]
    [InlineData(WireDialect.Ollama, "http://ollama.example:11434", "GET /api/tags")]
    [InlineData(WireDialect.Ollama, "http://ollama.example:11434/api", "GET /api/tags")]
    [InlineData(WireDialect.Ollama, "http://ollama.example:11434/v1", "GET /v1/models")]
    [InlineData(WireDialect.Anthropic, "https://api.anthropic.example", "GET /v1/models")]
    [InlineData(WireDialect.Gemini, "https://gemini.example/v1beta", "GET /v1beta/models")]
    [InlineData(WireDialect.OpenAI, "https://api.openai.example/v1", "GET /v1/models")]
    public async Task The_list_of_models_is_asked_where_the_dialect_has_it(WireDialect dialect, string address, string asked) =>
        (await AskElsewhereAsync(new ModelsProbe(), dialect, address, "{}")).Asked.Request.Should().Be(asked);

    [Theory]
    [InlineData(WireDialect.Ollama, "http://ollama.example:11434/v1", "POST /v1/chat/completions")]
    [InlineData(WireDialect.Gemini, "https://gemini.example/v1beta/openai", "POST /v1beta/openai/chat/completions")]
    [InlineData(WireDialect.Bedrock, "https://bedrock.example/openai/v1", "POST /openai/v1/chat/completions")]
    [InlineData(WireDialect.Bedrock, "https://bedrock.example", "POST /model/m1/converse")]
    public async Task The_entrance_for_clients_of_OpenAI_is_asked_in_the_words_of_OpenAI(WireDialect dialect, string address, string asked) =>
        (await AskElsewhereAsync(new CompletionProbe(), dialect, address, """{"usage":{}}""")).Asked.Request.Should().Be(asked);

    private async Task<((string Request, string Body) Asked, ProbeResult Result)> AskElsewhereAsync(IProbe probe, WireDialect dialect, string address, string answer)
    {
        (string, string) asked = default;
        using var http = new HttpMessageInvoker(new Answers(async request =>
        {
            asked = ($"{request.Method} {request.RequestUri!.AbsolutePath}", request.Content is null ? "" : await request.Content.ReadAsStringAsync(Ct));
            return new HttpResponseMessage { Content = new StringContent(answer) };
        }));
        var context = await ContextAsync(e => (e.Dialect, e.Address) = (dialect, address));
        context = new ProbeContext { Endpoint = context.Endpoint, Http = http, Classifier = context.Classifier, Time = context.Time };
        var result = await AskAsync(probe, context, Ct);
        return (asked, result);
    }

    private sealed class Answers(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request);
    }

    [Fact]
    public async Task The_metrics_probe_reads_queue_and_cache()
    {
        _server.Load.Waiting = 7;
        _server.Load.CacheUsage = 0.42;
        (await AskAsync(new VllmMetricsProbe(), await ContextAsync(), Ct)).Load.Should().BeEquivalentTo(new { Waiting = 7, CacheUsage = 0.42 });
    }

    [Theory]
    [InlineData("vllm:num_requests_running{model_name=\"m\"} 3.0\nvllm:num_requests_waiting{model_name=\"m\"} 2.0\nvllm:kv_cache_usage_perc{model_name=\"m\"} 0.5\n", 3, 2, 0.5)]
    [InlineData("# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{engine=\"0\",model_name=\"a b}c\"} 2\nvllm:num_requests_waiting{engine=\"1\"} 3 1700000000\n", 0, 5, 0)]
    [InlineData("vllm:gpu_cache_usage_perc 0.25\r\nvllm:num_requests_waiting_total 99\r\n", 0, 0, 0.25)]
    [InlineData("vllm:kv_cache_usage_perc{engine=\"0\"} 0.1\nvllm:kv_cache_usage_perc{engine=\"1\"} 0.9\nvllm:num_requests_running NaN\n", 0, 0, 0.9)]
    public void Pages_of_metrics_are_summed_over_engines(string page, int running, int waiting, double cache) =>
        VllmMetricsProbe.Read(Encoding.UTF8.GetBytes(page)).Should().Be(new ReportedLoad(running, waiting, cache));

    [Theory]
    [InlineData("")]
    [InlineData("go_goroutines 7\n")]
    [InlineData("vllm:num_requests_waiting{ x\nvllm:\nvllm:num_requests_running")]
    public void A_page_without_vllms_metrics_is_no_load(string page) => VllmMetricsProbe.Read(Encoding.UTF8.GetBytes(page)).Should().BeNull();

    private static ProbeLevel? Proved(IProbe probe, ProbeResult result) =>
        new HeartbeatReading { At = default, Took = default, NextTimeout = default, IsTimeoutLearned = false, Level = probe.Level, Fault = result.Fault }.Proved;
}
