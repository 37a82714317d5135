using HaKit.Faults;
using HaKit.Heartbeats;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.Http;

/// <summary>Tests which credentials calls and heartbeats send to endpoints.</summary>
public sealed class HttpCredentialTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_endpoints_own_credential_replaces_the_callers_and_a_reload_rotates_it()
    {
        var settings = new Dictionary<string, string?>
        {
            ["Endpoints:0:Name"] = "a",
            ["Endpoints:0:Address"] = "http://127.0.0.1/v1",
            ["Endpoints:0:Dialect"] = "AzureOpenAI",
            ["Endpoints:0:Credential"] = "first",
            ["Heartbeat:Enabled"] = "false",
        };
        await using var world = new World(settings, (_, _) => { });
        (await world.AskAsync()).Headers.GetValues("api-key").Should().Equal("first");
        world.Configuration["Endpoints:0:Credential"] = "second";
        world.Configuration.Reload();
        var sent = await world.AskAsync();
        sent.Headers.GetValues("api-key").Should().Equal("second");
        sent.Headers.Contains("Authorization").Should().BeFalse("the caller's is somebody else's");
    }

    [Fact]
    public async Task Each_endpoint_has_its_own_source_and_each_attempt_asks_anew()
    {
        var settings = Two();
        settings["Secrets:A"] = "a1";
        var vault = "b1";
        await using var world = new World(settings, (pool, _) => pool.UseCredentialFromConfiguration("a", "Secrets:A").UseCredential("b", (_, _) => new(vault)));
        (await KeysAsync()).Should().BeEquivalentTo("Bearer a1", "Bearer b1");
        (world.Configuration["Secrets:A"], vault) = ("a2", "b2");
        (await KeysAsync()).Should().BeEquivalentTo("Bearer a2", "Bearer b2");

        async Task<string[]> KeysAsync() => [.. (await world.AskAsync()).Headers.GetValues("Authorization"), .. (await world.AskAsync()).Headers.GetValues("Authorization")];
    }

    [Fact]
    public async Task An_endpoint_whose_credential_has_gone_is_not_asked_with_the_callers()
    {
        var settings = Two();
        settings["Secrets:A"] = "a1";
        await using var world = new World(settings, (pool, _) => pool.UseCredentialFromConfiguration("a", "Secrets:A"));
        await world.AskAsync();
        world.Configuration["Secrets:A"] = null;
        world.Sent.Clear();
        for (var i = 0; i < 3; i++)
            (await world.AskAsync()).RequestUri!.Host.Should().Be("b.example");
        world.Sent.Should().OnlyContain(r => r.RequestUri!.Host == "b.example");
    }

    [Theory]
    [InlineData("k\r\nX-Admin: 1")]
    [InlineData("k\n")]
    public async Task A_credential_that_would_inject_a_header_is_refused_and_not_shown(string secret)
    {
        var options = new EndpointPoolOptions { Endpoints = { new EndpointOptions { Name = "a", Address = "http://127.0.0.1/v1", Credential = secret } } };
        FluentActions.Invoking(() => new EndpointPool("p", options)).Should().Throw<OptionsValidationException>().WithMessage("*Credential of 'a'*").Which.Message.Should().NotContain("k\n").And.NotContain("X-Admin");

        await using var http = new HttpPool(1, parts: p => p.Credential = (_, _) => new(secret));
        var call = http.SendAsync(HttpPool.Chat("hi"));
        http.Time.Advance(TimeSpan.FromMinutes(3));
        (await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>()).Which.ToString().Should().NotContain("X-Admin");
        http.Sent.Should().BeEmpty();
    }

    [Theory]
    [InlineData("X-A\r\nX-Admin", "1")]
    [InlineData("X-A", "1\r\nX-Admin: 1")]
    [InlineData("X A", "1")]
    public void A_configured_header_that_would_be_two_is_refused(string name, string value)
    {
        var options = new EndpointPoolOptions { Endpoints = { new EndpointOptions { Name = "a", Address = "http://127.0.0.1/v1", Headers = { [name] = value } } } };
        FluentActions.Invoking(() => new EndpointPool("p", options)).Should().Throw<OptionsValidationException>().WithMessage("*Headers of 'a'*");
    }

    [Theory]
    [InlineData(WireDialect.OpenAI)]
    [InlineData(WireDialect.Anthropic)]
    public async Task A_heartbeat_asks_with_the_credential_that_calls_have_at_that_moment(WireDialect dialect)
    {
        var time = new ManualTimeProvider();
        var seen = new List<string?>();
        var fake = new FakeHttpEndpoint(new FakeAiOptions { Time = time, ApiKey = "right", Observe = r => seen.Add(r.ApiKey) });
        var secret = "wrong";
        var options = new EndpointPoolOptions { Seed = 1, Endpoints = { new EndpointOptions { Name = "a", Address = "http://fake.test/v1", Dialect = dialect } } };
        using var invoker = new HttpMessageInvoker(fake);
        await using var pool = new EndpointPool("p", options, new EndpointPoolParts
        {
            TimeProvider = time,
            Probe = _ => new ModelsProbe(),
            ProbeHttp = invoker,
            Credential = (_, _) => new(secret),
        });
        time.Advance(TimeSpan.FromSeconds(60));
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("cooldown", "a key that is refused takes the endpoint out");
        secret = "right";
        time.Advance(TimeSpan.FromMinutes(10));
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull("the key was rotated, and the heartbeat found that it is accepted");
        seen.Distinct().Should().Equal("wrong", "right");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_source_of_credentials_that_hangs_delays_no_call_that_another_endpoint_can_serve()
    {
        var isHanging = false;
        var asked = 0;
        var key = new TaskCompletionSource<string?>();
        await using var http = new HttpPool(2, parts: p => p.Credential = (endpoint, _) =>
        {
            if (endpoint.Name != "a" || !isHanging)
                return new($"key of {endpoint.Name}");
            asked++;
            return new(key.Task);
        });
        http.Fakes[0].Faults.Always(FakeFaults.OpenAI.BadKey());
        await http.ReadAsync(HttpPool.Chat("hi"));
        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("cooldown", "a has refused its key");
        isHanging = true;
        for (var i = 0; i < 3; i++)
        {
            var call = http.ReadAsync(HttpPool.Chat("hi"));
            call.IsCompleted.Should().BeTrue("b serves");
            await call;
        }
        asked.Should().Be(1, "the source is not asked again while it owes an answer");

        http.Fakes[0].Faults.Clear();
        key.SetResult("another key of a");
        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull("the key was replaced");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_changed_credential_that_comes_late_serves_the_calls_that_have_no_other_endpoint()
    {
        var asked = 0;
        var key = new TaskCompletionSource<string?>();
        await using var http = await RefusedAsync(() => asked++, () => key.Task);
        var one = http.ReadAsync(HttpPool.Chat("hi"));
        var two = http.ReadAsync(HttpPool.Chat("hi"));
        http.Time.Advance(TimeSpan.FromSeconds(1));
        asked.Should().Be(1, "calls at once share one ask");
        (one.IsCompleted || two.IsCompleted).Should().BeFalse("the credential may come");
        key.SetResult("new");
        (await one).Should().NotBeEmpty();
        (await two).Should().NotBeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_that_is_cancelled_does_not_end_the_ask_that_another_call_awaits()
    {
        var key = new TaskCompletionSource<string?>();
        await using var http = await RefusedAsync(() => { }, () => key.Task);
        using var caller = new CancellationTokenSource();
        var cancelled = http.SendAsync(HttpPool.Chat("hi"), ct: caller.Token);
        var call = http.ReadAsync(HttpPool.Chat("hi"));
        await caller.CancelAsync();
        await cancelled.Awaiting(c => c).Should().ThrowAsync<OperationCanceledException>();
        call.IsCompleted.Should().BeFalse();
        key.SetResult("new");
        (await call).Should().NotBeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_source_of_credentials_that_hung_is_asked_again_after_30_s()
    {
        var asked = 0;
        await using var http = await RefusedAsync(() => asked++, () => asked == 1 ? new TaskCompletionSource<string?>().Task : Task.FromResult<string?>("new"));
        var call = http.ReadAsync(HttpPool.Chat("hi"));
        http.Time.Advance(TimeSpan.FromSeconds(9));
        call.IsCompleted.Should().BeFalse();
        http.Time.Advance(TimeSpan.FromSeconds(2));
        await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>("a call waits 10 s at most");
        asked.Should().Be(1);
        http.Time.Advance(TimeSpan.FromSeconds(20));
        (await http.ReadAsync(HttpPool.Chat("hi"))).Should().NotBeEmpty();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(60)]
    public async Task A_call_that_waits_for_a_changed_credential_keeps_its_deadline(double deadline)
    {
        var key = new TaskCompletionSource<string?>();
        await using var http = await RefusedAsync(() => { }, () => key.Task);
        http.Fakes[0].Faults.Always(FakeFault.Refused);
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { Deadline = TimeSpan.FromSeconds(deadline) });
        var call = http.Client.SendAsync(request, TestContext.Current.CancellationToken);
        http.Time.Advance(TimeSpan.FromSeconds(deadline / 8));
        key.SetResult("new");
        // The key may reach the call on another thread. So the time stops at the deadline, and the call ends there however late that thread runs.
        for (var i = 0; i < 80; i++)
            http.Time.Advance(TimeSpan.FromSeconds(deadline / 100));
        http.Time.Advance(TimeSpan.FromSeconds((deadline * 0.075) + 0.1));
        await call.Awaiting(c => c.WaitAsync(TimeSpan.FromSeconds(20), CancellationToken.None)).Should().ThrowAsync<EndpointPoolException>();
    }

    // Creates a pool of one endpoint that has refused its key. The key's next trial is an hour away, and later asks for the key go to the given source.
    private static async Task<HttpPool> RefusedAsync(Action onAsk, Func<Task<string?>> source)
    {
        var isRotated = false;
        var http = new HttpPool(1, parts: p => p.Credential = (_, _) =>
        {
            if (!isRotated)
                return new("old");
            onAsk();
            return new(source());
        });
        http.Fakes[0].Faults.Always(FakeFaults.OpenAI.BadKey());
        await http.SendAsync(HttpPool.Chat("hi")).Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>();
        http.Fakes[0].Faults.Clear();
        isRotated = true;
        return http;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_credential_that_comes_after_the_end_of_its_call_sends_nothing(bool isCancelled)
    {
        var key = new TaskCompletionSource<string?>();
        await using var http = new HttpPool(1, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5), p => p.Credential = (_, _) => new(key.Task));
        using var caller = new CancellationTokenSource();
        var call = http.SendAsync(HttpPool.Chat("hi"), ct: caller.Token);
        if (isCancelled)
            await caller.CancelAsync();
        http.Time.Advance(TimeSpan.FromSeconds(6));
        (await Record.ExceptionAsync(() => call)).Should().NotBeNull();
        key.SetResult("late");
        http.Sent.Should().BeEmpty();
        http.InFlight.Should().Be(0);
    }

    private static Dictionary<string, string?> Two() => new()
    {
        ["Origin"] = "http://127.0.0.1/v1",
        ["Selection:Preset"] = "RoundRobin",
        ["Endpoints:0:Name"] = "a",
        ["Endpoints:0:Address"] = "http://a.example/v1",
        ["Endpoints:1:Name"] = "b",
        ["Endpoints:1:Address"] = "http://b.example/v1",
        ["Heartbeat:Enabled"] = "false",
    };

    /// <summary>Creates a pool from a container. Its requests are answered in memory.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly ServiceProvider _provider;

        public World(Dictionary<string, string?> settings, Action<IEndpointPoolBuilder, IServiceCollection> configure)
        {
            Configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
            var services = new ServiceCollection();
            services.AddSingleton<IConfiguration>(Configuration);
            configure(services.AddHaEndpointPool("p", Configuration), services);
            services.AddHttpClient("c").AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler(() => new Answers(Sent));
            _provider = services.BuildServiceProvider();
        }

        public IConfigurationRoot Configuration { get; }

        public List<HttpRequestMessage> Sent { get; } = [];

        /// <summary>Gets the request that was sent last.</summary>
        public async Task<HttpRequestMessage> AskAsync()
        {
            using var client = _provider.GetRequiredService<IHttpClientFactory>().CreateClient("c");
            var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
            request.Headers.Add("Authorization", "Bearer callers");
            (await client.SendAsync(request, Ct)).Dispose();
            return Sent[^1];
        }

        public ValueTask DisposeAsync() => _provider.DisposeAsync();
    }

    private sealed class Answers(List<HttpRequestMessage> sent) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            sent.Add(request);
            return Task.FromResult(new HttpResponseMessage { Content = new ByteArrayContent("""{"choices":[{"message":{}}]}"""u8.ToArray()) { Headers = { { "Content-Type", "application/json" } } } });
        }
    }
}
