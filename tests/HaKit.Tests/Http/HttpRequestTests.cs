using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Http;

public sealed class HttpRequestTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://api.example/v1", "https://x.example/openai/v1", "chat/completions?a=%2F&b=é", "https://x.example/openai/v1/chat/completions?a=%2F&b=%C3%A9")]
    [InlineData("https://api.example/v1/", "http://gpu1:8000", "files/a%2Fb%20c", "http://gpu1:8000/files/a%2Fb%20c")]
    [InlineData("https://api.example", "https://x.example/v1", "/v1beta/things", "https://x.example/v1/v1beta/things")]
    [InlineData("https://api.example", "https://x.example/base/", "v1/messages", "https://x.example/base/v1/messages")]
    [InlineData("https://api.example/v1", "https://x.example/openai/deployments/{model}?api-version=2024-10-21", "chat/completions", "https://x.example/openai/deployments/asked/chat/completions?api-version=2024-10-21")]
    [InlineData("https://api.example/v1", "https://x.example/v1?v=1", "chat?w=2", "https://x.example/v1/chat?w=2&v=1")]
    public async Task The_origins_prefix_is_replaced_and_the_rest_kept(string origin, string address, string path, string expected)
    {
        await using var http = Echoing(e => e.Address = address, o => o.Origin = origin);
        (await http.SendAsync(HttpPool.Chat("hi", model: "asked"), path)).Dispose();
        http.Sent[0].RequestUri!.AbsoluteUri.Should().Be(expected);
    }

    [Theory]
    [InlineData("openai/deployments/gpt%204o/chat/completions?api-version=1", "/openai/deployments/my%20dep/chat/completions?api-version=1")]
    [InlineData("v1beta/models/gemini-pro:generateContent", "/v1beta/models/my%20dep:generateContent")]
    [InlineData("v1/models/gpt-4o", "/v1/models/gpt-4o")]
    public async Task The_model_in_the_path_becomes_the_endpoints_own(string path, string expected)
    {
        await using var http = Echoing(e => (e.Address, e.Model) = ("https://x.example", "my dep"));
        (await http.SendAsync(null, path)).Dispose();
        http.Sent[0].RequestUri!.PathAndQuery.Should().Be(expected);
    }

    [Theory]
    [InlineData("""{"model":"gpt-4o","messages":[{"content":"the \"model\":\"x\" {"}]}""", """{"model":"own","messages":[{"content":"the \"model\":\"x\" {"}]}""")]
    [InlineData("""{ "messages" : [ {"model":"inner"} ] , "model" : "a\"b" , "é":1.50 }""", """{ "messages" : [ {"model":"inner"} ] , "model" : "own" , "é":1.50 }""")]
    [InlineData("""{"input":"model","tools":{"model":"x"}}""", """{"input":"model","tools":{"model":"x"}}""")]
    [InlineData("""["model","x"]""", """["model","x"]""")]
    [InlineData("{\"model\":\"cut", "{\"model\":\"cut")]
    [InlineData("", "")]
    public async Task Failure_24_only_the_models_name_at_the_root_is_replaced_and_everything_else_kept_byte_for_byte(string body, string expected)
    {
        await using var http = Echoing(e => e.Model = "own");
        using var response = await http.SendAsync(new StringContent(body, Encoding.UTF8, "application/json"));
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(expected);
        http.Sent[0].Content!.Headers.ContentLength.Should().Be(Encoding.UTF8.GetByteCount(expected));
    }

    [Fact]
    public async Task Failure_24_a_fallback_is_asked_for_its_own_model()
    {
        await using var http = new HttpPool(2, o =>
        {
            (o.Endpoints[0].Model, o.Endpoints[1].Model) = ("gpt-4o", "llama");
        });
        http.Fakes[0].Faults.Always(FakeFault.Status(500));
        for (var i = 0; i < 2; i++)
            (await http.ReadAsync(HttpPool.Chat("hi", model: "gpt-4o"))).Should().Contain("\"model\":\"llama\"");
        http.Seen.Select(r => r.Model).Should().BeSubsetOf(["gpt-4o", "llama"]).And.Contain(["gpt-4o", "llama"]);
    }

    [Fact]
    public async Task An_endpoints_headers_replace_the_callers_and_its_credential_replaces_all_of_them()
    {
        await using var http = Echoing(e =>
        {
            e.Headers["api-key"] = "azure";
            e.Headers["X-Team"] = "ours";
        });
        var request = new HttpRequestMessage(HttpMethod.Post, "chat") { Content = HttpPool.Chat("hi"), Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("Authorization", "Bearer openai");
        request.Headers.Add("x-team", "theirs");
        request.Headers.Add("X-Other", ["1", "2"]);
        using var response = await http.Client.SendAsync(request, Ct);
        var sent = http.Sent[0];
        sent.Headers.Contains("Authorization").Should().BeFalse("one provider's key is not another's business");
        sent.Headers.GetValues("api-key").Should().Equal("azure");
        sent.Headers.GetValues("X-Team").Should().Equal("ours");
        sent.Headers.GetValues("X-Other").Should().Equal("1", "2");
        sent.VersionPolicy.Should().Be(HttpVersionPolicy.RequestVersionExact);
        sent.Version.Should().Be(HttpVersion.Version20);
        response.RequestMessage.Should().BeSameAs(request);
        request.Headers.Contains("api-key").Should().BeFalse("the caller does not see the endpoint's credentials");
    }

    [Fact]
    public async Task Options_of_the_request_reach_each_attempt_and_trailers_of_the_answer_the_caller()
    {
        var inner = new Trailing();
        await using var http = new HttpPool(2, inner: inner);
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        request.Options.Set(new HttpRequestOptionsKey<string>("tenant"), "t1");
        using var response = await http.Client.SendAsync(request, Ct);
        response.TrailingHeaders.GetValues("x-checksum").Should().Equal("c1");
        http.Sent.Should().HaveCount(2).And.OnlyContain(r => ((IDictionary<string, object?>)r.Options)["tenant"]!.Equals("t1"));
    }

    [Theory]
    [InlineData(WireDialect.AzureOpenAI, "k1", "api-key", "k1")]
    [InlineData(WireDialect.Anthropic, "k1", "x-api-key", "k1")]
    [InlineData(WireDialect.Gemini, "k1", "x-goog-api-key", "k1")]
    [InlineData(WireDialect.OpenAI, "k1", "Authorization", "Bearer k1")]
    [InlineData(WireDialect.AzureOpenAI, "Bearer entra", "Authorization", "Bearer entra")]
    public async Task A_credential_from_a_source_goes_where_the_dialect_wants_it_and_rotates_without_restart(WireDialect dialect, string secret, string header, string value)
    {
        await using var http = Echoing(e => e.Dialect = dialect, parts: p => p.Credential = (_, _) => new(secret));
        http.Client.DefaultRequestHeaders.Add("Authorization", "Bearer theirs");
        (await http.SendAsync(HttpPool.Chat("hi"))).Dispose();
        http.Sent[0].Headers.GetValues(header).Should().Equal(value);
        secret = "next";
        (await http.SendAsync(HttpPool.Chat("hi"))).Dispose();
        http.Sent[1].Headers.ToString().Should().Contain("next").And.NotContain("theirs");
    }

    [Fact]
    public async Task A_request_for_another_server_is_refused_and_not_sent()
    {
        await using var http = new HttpPool();
        (await http.SendAsync(HttpPool.Chat("hi"), "https://other.example/v1/chat").Awaiting(r => r).Should().ThrowAsync<InvalidOperationException>()).WithMessage("*https://other.example*http://127.0.0.1:9000*");
        http.Sent.Should().BeEmpty();
    }

    [Fact]
    public async Task Endpoints_without_an_address_are_for_other_calls_and_nothing_is_held_against_them()
    {
        await using var both = new HttpPool(2, o => { o.Endpoints[0].Address = null; o.Endpoints[0].Client = "an SDK's"; o.Endpoints[1].Tier = 1; });
        for (var i = 0; i < 10; i++)
            (await both.SendAsync(HttpPool.Chat("hi"))).StatusCode.Should().Be(HttpStatusCode.OK);
        both.Pool.GetStatus().Endpoints[0].ToString().Should().StartWith("a: Healthy").And.NotContain("cooling");
        (await both.Pool.ExecuteAsync(0, static (attempt, _, _) => new ValueTask<string>(attempt.Endpoint.Name), Ct)).Should().Be("a");

        await using var none = new HttpPool(1, o => o.Endpoints[0].Address = null);
        await none.Awaiting(p => p.SendAsync(HttpPool.Chat("hi"))).Should().ThrowAsync<InvalidOperationException>().WithMessage("Pool '*': none of its endpoints has an address*");
    }

    [Fact]
    public async Task A_redirect_within_the_server_is_followed_and_one_to_another_is_not()
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Next(1, FakeFault.Status(307, "").WithHeader("Location", "/v1/chat/completions"));
        (await http.ReadAsync(HttpPool.Chat("hi"))).Should().Contain(FakeAnswers.AnswerTo("hi"));
        http.Fakes[0].Faults.Always(FakeFault.Status(307, "").WithHeader("Location", "http://evil.test/v1/chat/completions"));
        var call = http.SendAsync(HttpPool.Chat("hi"));
        http.Time.Advance(TimeSpan.FromMinutes(3));
        await call.Awaiting(r => r).Should().ThrowAsync<EndpointPoolException>();
        http.Sent.Should().OnlyContain(r => r.RequestUri!.Host == "127.0.0.1");
    }

    [Theory]
    [InlineData("bytes")]
    [InlineData("text")]
    [InlineData("seekable")]
    [InlineData("forward only")]
    [InlineData("pushed")]
    [InlineData("multipart")]
    [InlineData("big bytes")]
    [InlineData("big seekable")]
    public async Task A_body_is_sent_again_and_no_attempt_shares_a_content(string kind)
    {
        var bytes = Bytes(kind.StartsWith("big", StringComparison.Ordinal) ? 6_000_000 : 100_000);
        await using var http = new HttpPool(2, inner: new Echo { Failures = 1 });
        HttpContent content = kind switch
        {
            "text" => new StringContent(Encoding.Latin1.GetString(bytes), Encoding.Latin1),
            "seekable" or "big seekable" => new StreamContent(new MemoryStream(bytes)),
            "forward only" => new StreamContent(new ForwardOnly(bytes)),
            "pushed" => new Pushed(bytes),
            "multipart" => new MultipartFormDataContent("b") { { new StreamContent(new MemoryStream(bytes)), "file", "a.bin" } },
            _ => new ByteArrayContent(bytes),
        };
        using var response = await http.SendAsync(content, "files");
        var received = await response.Content.ReadAsByteArrayAsync(Ct);
        if (kind == "multipart")
            Encoding.Latin1.GetString(received).Should().Contain(Encoding.Latin1.GetString(bytes)).And.StartWith("--b");
        else
            received.Should().Equal(bytes);
        http.Sent.Should().HaveCount(2);
        http.Sent[0].Content.Should().NotBeSameAs(http.Sent[1].Content).And.NotBeSameAs(content);
    }

    [Theory]
    [InlineData(2_000_000, null)]
    [InlineData(2_000_000, "own")]
    [InlineData(8_000_000, null)]
    [InlineData(8_000_000, "own")]
    public async Task An_attempt_more_makes_no_copy_of_the_body(int length, string? model)
    {
        var echo = new Swallow();
        await using var http = new HttpPool(2, o =>
        {
            (o.Endpoints[0].Model, o.Endpoints[1].Model) = (model, model);
            o.CircuitBreaker.FailuresToEject = o.CircuitBreaker.MinimumThroughput = int.MaxValue;
        }, inner: echo);
        var body = Encoding.UTF8.GetBytes($$"""{"messages":[{"role":"user","content":"{{new string('x', length)}}"}],"model":"caller's"}""");
        var sent = body.Length + (model is null ? 0 : model.Length - "caller's".Length);
        long[] allocated = [await Allocated(0), await Allocated(1)];
        allocated = [await Allocated(0), await Allocated(1)]; // the first calls filled the pool of buffers
        (allocated[1] - allocated[0]).Should().BeLessThan(length / 10);
        allocated[1].Should().BeLessThan(length / 4, "nor is the first copy made anew for each call");

        async Task<long> Allocated(int failures)
        {
            echo.Failures = failures;
            echo.Received.Clear();
            var content = new ByteArrayContent(body) { Headers = { { "Content-Type", "application/json" } } };
            var before = GC.GetAllocatedBytesForCurrentThread();
            using var response = await http.SendAsync(content);
            var after = GC.GetAllocatedBytesForCurrentThread();
            echo.Received.Should().Equal(Enumerable.Repeat((long)sent, failures + 1));
            return after - before;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task What_cannot_be_sent_again_is_sent_once_and_the_error_says_so(int failures)
    {
        var bytes = Bytes(5_000_000);
        await using var http = new HttpPool(2, inner: new Echo { Failures = failures });
        var call = http.SendAsync(new StreamContent(new ForwardOnly(bytes)), "files");
        if (failures == 0)
            (await (await call).Content.ReadAsByteArrayAsync(Ct)).Should().Equal(bytes);
        else
            (await call.Awaiting(c => c).Should().ThrowAsync<RequestNotRepeatableException>()).WithMessage("*sent once*'a' failed*MaxReplayBytes*");
        http.Sent.Should().HaveCount(1);
        http.InFlight.Should().Be(failures == 0 ? http.InFlight : 0);
    }

    [Fact]
    public async Task A_body_that_failed_before_it_was_read_is_not_spent()
    {
        var bytes = Bytes(5_000_000);
        await using var http = new HttpPool(2, inner: new Echo { Refusals = 1 });
        using var response = await http.SendAsync(new StreamContent(new ForwardOnly(bytes)), "files");
        (await response.Content.ReadAsByteArrayAsync(Ct)).Should().Equal(bytes);
        http.Sent.Should().HaveCount(2);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public async Task A_long_body_that_its_content_can_write_but_once_is_sent_once(int failures, int refusals)
    {
        var bytes = Bytes(5_000_000);
        await using var http = new HttpPool(2, inner: new Echo { Failures = failures, Refusals = refusals });
        var call = http.SendAsync(new Pushed(bytes) { MayRepeat = false }, "files");
        if (failures == 0)
            (await (await call).Content.ReadAsByteArrayAsync(Ct)).Should().Equal(bytes);
        else
            (await call.Awaiting(c => c).Should().ThrowAsync<RequestNotRepeatableException>()).WithMessage("*sent once*'a' failed*MaxReplayBytes*");
        http.Sent.Should().HaveCount(1 + refusals);
    }

    [Fact]
    public async Task A_long_body_that_no_attempt_took_leaves_nobody_writing()
    {
        var content = new Pushed(Bytes(5_000_000)) { MayRepeat = false };
        await using var http = new HttpPool(1, inner: new Echo { Refusals = 100 });
        var call = http.SendAsync(content, "files");
        http.Time.Advance(TimeSpan.FromMinutes(3));
        await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>();
        content.Writing!.IsCompleted.Should().BeTrue();
    }

    [Fact]
    public async Task Long_json_of_unknown_length_is_written_again_for_each_attempt()
    {
        await using var http = new HttpPool(2, inner: new Echo { Failures = 1 });
        using var response = await http.SendAsync(System.Net.Http.Json.JsonContent.Create(new string('x', 5_000_000)), "files");
        (await response.Content.ReadAsByteArrayAsync(Ct)).Should().HaveCount(5_000_002);
        http.Sent.Should().HaveCount(2);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(5_000_000)]
    public async Task A_message_whose_body_cannot_be_read_again_never_goes_out_empty_when_it_comes_again(int length)
    {
        var bytes = Bytes(length);
        var echo = new Echo();
        await using var http = new HttpPool(1);
        using var client = new HttpClient(new Twice { InnerHandler = new EndpointPoolHandler(http.Pool) { InnerHandler = echo } }) { BaseAddress = http.Client.BaseAddress };
        await client.Awaiting(c => c.PostAsync("files", new StreamContent(new ForwardOnly(bytes)), Ct)).Should().ThrowAsync<RequestNotRepeatableException>();
        echo.Calls.Should().Be(1);
    }

    [Fact]
    public async Task Failure_31_retries_from_above_are_noticed_once()
    {
        var lines = new Lines();
        await using var http = new HttpPool(1, parts: p => p.LoggerFactory = lines);
        for (var i = 0; i < 3; i++)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
            request.Headers.Add("x-stainless-retry-count", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            (await http.Client.SendAsync(request, Ct)).Dispose();
            lines.All.Count(l => l.Contains("the code above the pool repeats a request", StringComparison.Ordinal)).Should().Be(Math.Min(i, 1));
        }
    }

    [Fact]
    public async Task Plain_http_beyond_loopback_is_warned_of_once_unless_it_is_allowed()
    {
        foreach (var allowed in new[] { false, true })
        {
            var lines = new Lines();
            await using var http = Echoing(e => e.Address = "http://gpu.example:8000/v1", o => o.Http.AllowPlainHttp = allowed, p => p.LoggerFactory = lines);
            for (var i = 0; i < 2; i++)
                (await http.SendAsync(HttpPool.Chat("hi"))).Dispose();
            lines.All.Count(l => l.Contains("plain http", StringComparison.Ordinal)).Should().Be(allowed ? 0 : 1);
        }
    }

    [Fact]
    public async Task What_a_server_says_is_left_of_its_limit_is_minded()
    {
        await using var http = new HttpPool(1, o => o.Endpoints[0].Limits = new() { RequestsPerMinute = 1000 });
        http.Fakes[0].Faults.Always(FakeFault.None.And(FakeFault.Latency().WithHeader("x-ratelimit-remaining-requests", "0").WithHeader("x-ratelimit-reset-requests", "20s").WithHeader("x-ratelimit-limit-requests", "60")));
        await http.ReadAsync(HttpPool.Chat("hi"));
        var second = http.ReadAsync(HttpPool.Chat("hi"));
        second.IsCompleted.Should().BeFalse("the server has said that nothing is left");
        http.Time.Advance(TimeSpan.FromSeconds(21));
        await second;
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 7))];

    private static HttpPool Echoing(Action<EndpointOptions> endpoint, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null) => new(
        1,
        o =>
        {
            endpoint(o.Endpoints[0]);
            configure?.Invoke(o);
        },
        parts,
        inner: new Echo());

    /// <summary>Reads the request's body synchronously, and keeps nothing of it.</summary>
    private sealed class Swallow : HttpMessageHandler
    {
        public int Failures { get; set; }

        public List<long> Received { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var counter = new Counter();
            await request.Content!.CopyToAsync(counter, cancellationToken);
            Received.Add(counter.Count);
            return Failures-- > 0
                ? throw new HttpIOException(HttpRequestError.ResponseEnded)
                : new HttpResponseMessage { Content = new ByteArrayContent("""{"choices":[{"message":{"content":"x"}}]}"""u8.ToArray()) { Headers = { { "Content-Type", "application/json" } } } };
        }

        private sealed class Counter : MemoryStream
        {
            public long Count { get; private set; }

            public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            {
                Count += buffer.Length;
                return default;
            }

            public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
            {
                Count += count;
                return Task.CompletedTask;
            }
        }
    }

    /// <summary>Sends every message twice, whatever the first answer is.</summary>
    private sealed class Twice : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (await base.SendAsync(request, cancellationToken)).Dispose();
            return await base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Trailing : HttpMessageHandler
    {
        private int _calls;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (_calls++ == 0)
                throw new HttpIOException(HttpRequestError.ResponseEnded);
            var response = new HttpResponseMessage { Content = new ByteArrayContent("""{"choices":[{"message":{"content":"x"}}]}"""u8.ToArray()) { Headers = { { "Content-Type", "application/json" } } } };
            response.TrailingHeaders.Add("x-checksum", "c1");
            return Task.FromResult(response);
        }
    }

    private sealed class Pushed(byte[] bytes) : HttpContent
    {
        private bool _isRead;

        public bool MayRepeat { get; init; } = true;

        public Task? Writing { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Writing = WriteAsync(stream);

        private async Task WriteAsync(Stream stream)
        {
            if (_isRead && !MayRepeat)
                throw new InvalidOperationException("It was read already.");
            _isRead = true;
            for (var at = 0; at < bytes.Length; at += 50_000)
                await stream.WriteAsync(bytes.AsMemory(at, Math.Min(50_000, bytes.Length - at)));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class ForwardOnly(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}

/// <summary>Answers with the request's body.</summary>
internal sealed class Echo : HttpMessageHandler
{
    public int Failures { get; set; }

    public int Refusals { get; set; }

    public int Calls { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Calls++;
        if (Refusals-- > 0)
            throw new HttpRequestException(HttpRequestError.ConnectionError, inner: new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.ConnectionRefused));
        var body = new MemoryStream();
        if (request.Content is not null)
            await request.Content.CopyToAsync(body, cancellationToken);
        if (Failures-- > 0)
            throw new HttpIOException(HttpRequestError.ResponseEnded);
        return new HttpResponseMessage { Content = new ByteArrayContent(body.ToArray()) { Headers = { { "Content-Type", "application/x-echo" } } } };
    }
}
