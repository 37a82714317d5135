using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HaKit.Hosting.Tests;

/// <summary>If an outer handler sends a request again, also as a hedged copy, the new call knows the results of the first call.</summary>
public sealed class RepeatedRequestTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_hedged_copy_goes_to_another_endpoint_than_the_try_that_it_is_a_copy_of()
    {
        await using var world = new World(FakeFault.Hang, services =>
        {
            Client(services).AddStandardHedgingHandler().Configure(static o => o.Endpoint.Timeout.Timeout = TimeSpan.FromSeconds(10));
            Client(services).AddHaEndpointPoolHandler("p").KeepResilience();
        });
        (await world.AskAsync()).Should().Be("b");
        world.Received.Should().Be("a 1, b 1, c 0");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_retry_of_the_standard_handler_leaves_the_silent_endpoint()
    {
        await using var world = new World(FakeFault.Hang, services =>
        {
            Client(services).AddStandardResilienceHandler();
            Client(services).AddHaEndpointPoolHandler("p").KeepResilience();
        });
        (await world.AskAsync()).Should().Be("b");
        world.Received.Should().Be("a 1, b 1, c 0");
        world.Detail!.Attempts.Select(a => a.Endpoint).Should().Equal(["a", "b"], "the story of the request begins with its first try");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_handler_of_the_applications_own_that_gives_up_and_sends_again_is_helped_too()
    {
        await using var world = new World(FakeFault.Hang, services =>
        {
            Client(services).AddHttpMessageHandler(provider => new Impatient(provider.GetRequiredService<TimeProvider>()));
            Client(services).AddHaEndpointPoolHandler("p");
        });
        (await world.AskAsync()).Should().Be("b");
        world.Received.Should().Be("a 1, b 1, c 0");
    }

    [Fact(Timeout = 60_000)]
    public async Task So_is_a_retry_in_a_pipeline_with_failover()
    {
        await using var world = new World(FakeFault.Hang, services => Client(services).AddResilienceHandler("x", static (builder, context) => builder
            .AddRetry(new HttpRetryStrategyOptions { Delay = TimeSpan.Zero, UseJitter = false })
            .AddTimeout(TimeSpan.FromSeconds(7))
            .AddHaEndpointFailover(context.ServiceProvider, "p")));
        (await world.AskAsync()).Should().Be("b");
        world.Received.Should().Be("a 1, b 1, c 0");
    }

    [Fact(Timeout = 60_000)]
    public async Task Each_try_may_make_one_attempt_whatever_the_tries_before_it_have_used_up()
    {
        await using var world = new World(
            FakeFault.Status(503),
            services =>
            {
                Client(services).AddHttpMessageHandler(static _ => new Stubborn(tries: 3));
                Client(services).AddHaEndpointPoolHandler("p");
            },
            static options => options.Retry.MaxRetryAttempts = 0);
        world.Fail("b");
        (await world.AskAsync()).Should().Be("c");
        world.Received.Should().Be("a 1, b 1, c 1");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_answer_ends_the_history_so_that_the_same_message_sent_on_purpose_is_a_new_request()
    {
        await using var world = new World(FakeFault.None, services =>
        {
            Client(services).AddHttpMessageHandler(static _ => new Twice());
            Client(services).AddHaEndpointPoolHandler("p");
        });
        (await world.AskAsync()).Should().Be("a");
        world.Received.Should().Be("a 2, b 0, c 0");
    }

    [Fact(Timeout = 60_000)]
    public async Task Where_no_other_endpoint_is_left_a_copy_is_a_request_like_any_other()
    {
        await using var world = new World(FakeFault.None, services =>
        {
            Client(services).AddStandardHedgingHandler().Configure(static o => o.Endpoint.Timeout.Timeout = TimeSpan.FromSeconds(10));
            Client(services).AddHaEndpointPoolHandler("p").KeepResilience();
        }, static options => options.Endpoints = [options.Endpoints[0]]);
        world.HangOnce("a");
        (await world.AskAsync()).Should().Be("a");
        world.Received.Should().Be("a 2, b 0, c 0");
    }

    [Fact(Timeout = 60_000)]
    public async Task One_caller_that_sends_its_request_again_and_again_is_one_caller()
    {
        await using var world = new World(FakeFault.Hang, services =>
        {
            Client(services).AddStandardResilienceHandler();
            Client(services).AddHaEndpointPoolHandler("p").KeepResilience();
        }, static options => options.Endpoints = [options.Endpoints[0]]);

        await world.Invoking(w => w.AskAsync()).Should().ThrowAsync<Exception>();
        world.Received.Should().StartWith("a 3,", "its timeout of 10 s ends each try");
        world.Health.Should().Match<HaKit.Health.HealthState>(h => h.Status == HaKit.Health.EndpointHealthStatus.Suspect && h.ConsecutiveFailures == 0, "silence counts when three callers agree");

        for (var caller = 0; caller < 2; caller++)
            await world.Invoking(w => w.AskAsync()).Should().ThrowAsync<Exception>();
        world.Health.ConsecutiveFailures.Should().BePositive();
    }

    private static IHttpClientBuilder Client(IServiceCollection services) => services.AddHttpClient("c");

    private sealed class World : IAsyncDisposable
    {
        private readonly ManualTimeProvider _time = new();
        private readonly FakeHttpEndpoint[] _fakes;
        private readonly FakeHttpNetwork _network = new();
        private readonly ServiceProvider _provider;

        public World(FakeFault first, Action<IServiceCollection> register, Action<EndpointPoolOptions>? configure = null)
        {
            _fakes = [.. ((string[])["a", "b", "c"]).Select(name => new FakeHttpEndpoint(new() { Name = name, Time = _time }))];
            foreach (var fake in _fakes)
                _network.Add(new Uri($"http://{fake.Name}.test"), fake);
            _fakes[0].Faults.Always(first);
            var services = new ServiceCollection().AddSingleton<TimeProvider>(_time);
            services.AddHaEndpointPool("p", options =>
            {
                options.Heartbeat.Enabled = false;
                options.Http.AllowPlainHttp = true;
                options.Endpoints = [.. _fakes.Select((fake, i) => new EndpointOptions { Name = fake.Name, Address = $"http://{fake.Name}.test/v1", Tier = i })];
                options.Seed = 1;
                configure?.Invoke(options);
            });
            register(services);
            services.AddHttpClient("c", static h => h.BaseAddress = new Uri("http://a.test/v1/")).ConfigurePrimaryHttpMessageHandler(() => _network);
            _provider = services.BuildServiceProvider();
        }

        public string Received => string.Join(", ", _fakes.Select(f => $"{f.Name} {f.Counts.Received}"));

        public HaKit.Health.HealthState Health => _provider.GetRequiredService<EndpointPool>().Explain(RequestProfile.Default)[0].Health;

        public CallDetail? Detail { get; private set; }

        public void Fail(string name) => _fakes.Single(f => f.Name == name).Faults.Always(FakeFault.Status(503));

        public void HangOnce(string name) => _fakes.Single(f => f.Name == name).Faults.Next(1, FakeFault.Hang);

        /// <summary>Sends one request, and advances the time while it waits. Returns the endpoint that served it.</summary>
        public async Task<string> AskAsync()
        {
            var token = TestContext.Current.CancellationToken;
            using var http = _provider.GetRequiredService<IHttpClientFactory>().CreateClient("c");
            http.Timeout = Timeout.InfiniteTimeSpan;
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions")
            {
                Content = new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}]}""", System.Text.Encoding.UTF8, "application/json"),
            };
            var call = http.SendAsync(request, token);
            while (await Task.WhenAny(call, Task.Delay(2, token)) != call)
                _time.Advance(TimeSpan.FromSeconds(0.5));
            using var response = await call;
            response.EnsureSuccessStatusCode();
            (response.RequestMessage ?? request).Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail);
            Detail = detail;
            return detail!.Endpoint;
        }

        public async ValueTask DisposeAsync()
        {
            await _provider.DisposeAsync();
            _network.Dispose();
        }
    }

    private sealed class Impatient(TimeProvider time) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            while (true)
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(6), time);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
                try
                {
                    return await base.SendAsync(request, both.Token);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                }
            }
        }
    }

    private sealed class Stubborn(int tries) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            for (var left = tries; ; left--)
            {
                try
                {
                    return await base.SendAsync(request, cancellationToken);
                }
                catch (EndpointPoolException) when (left > 1)
                {
                }
            }
        }
    }

    private sealed class Twice : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (await base.SendAsync(request, cancellationToken)).Dispose();
            return await base.SendAsync(request, cancellationToken);
        }
    }
}
