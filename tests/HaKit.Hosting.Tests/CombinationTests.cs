using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.Timeout;

namespace HaKit.Hosting.Tests;

/// <summary>
/// Tests the combinations of a pool and resilience handlers on docs/http.md: under each fault, each combination gives the same result as the pool alone.
/// </summary>
public sealed class CombinationTests
{
    private static readonly Dictionary<string, Action<IServiceCollection>> Combinations = new()
    {
        ["the standard handler for all clients"] = s => { s.ConfigureHttpClientDefaults(d => d.AddStandardResilienceHandler()); Client(s).AddHaEndpointPoolHandler("p"); },
        ["the standard hedging handler for all clients"] = s => { s.ConfigureHttpClientDefaults(d => d.AddStandardHedgingHandler()); Client(s).AddHaEndpointPoolHandler("p"); },
        ["a custom handler for all clients"] = s => { s.ConfigureHttpClientDefaults(d => d.AddResilienceHandler("all", b => b.AddTimeout(Short()))); Client(s).AddHaEndpointPoolHandler("p"); },
        ["the standard handler outside"] = s => { Client(s).AddStandardResilienceHandler(); Client(s).AddHaEndpointPoolHandler("p"); },
        ["the standard handler inside"] = s => { Client(s).AddHaEndpointPoolHandler("p"); Client(s).AddStandardResilienceHandler(); },
        ["the standard hedging handler outside"] = s => { Client(s).AddStandardHedgingHandler(); Client(s).AddHaEndpointPoolHandler("p"); },
        ["the standard hedging handler inside"] = s => { Client(s).AddHaEndpointPoolHandler("p"); Client(s).AddStandardHedgingHandler(); },
        ["a custom handler outside, beside the standard one"] = s => { Client(s).AddResilienceHandler("mine", b => b.AddTimeout(Long())); Client(s).AddStandardResilienceHandler(); Client(s).AddHaEndpointPoolHandler("p"); },
        ["a custom handler inside"] = s => { Client(s).AddHaEndpointPoolHandler("p"); Client(s).AddResilienceHandler("mine", b => b.AddTimeout(Long())); },
        ["failover in a resilience pipeline"] = s => Client(s).AddResilienceHandler("x", (b, context) => b.AddHaEndpointFailover(context.ServiceProvider, "p")),
    };

    private static readonly Dictionary<string, (FakeFault Fault, bool Stream, bool IsSlow)> Troubles = new()
    {
        ["none"] = (FakeFault.None, false, false),
        ["500"] = (FakeFault.Status(500), false, false),
        ["503"] = (FakeFault.Status(503), false, false),
        ["429"] = (FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(20)), false, false),
        ["quota"] = (FakeFaults.OpenAI.QuotaExhausted(), false, false),
        ["bad key"] = (FakeFaults.OpenAI.BadKey(), false, false),
        ["400"] = (FakeFault.Status(400, """{"error":{"message":"Invalid value for temperature","type":"invalid_request_error","param":"temperature","code":null}}"""), false, false),
        ["reset"] = (FakeFault.Reset, false, false),
        ["empty"] = (FakeFault.EmptyBody, false, false),
        ["cut"] = (FakeFault.TruncatedBody, false, false),
        ["error in a 200"] = (FakeFault.ErrorIn200(), false, false),
        ["page"] = (FakeFault.Status(502, "<html></html>", "text/html"), false, false),
        ["silence"] = (FakeFault.Hang, false, true),
        ["stream"] = (FakeFault.None, true, false),
        ["stream, cut"] = (FakeFault.CutAfter(3), true, false),
        ["stream, ends early"] = (FakeFault.EndAfter(3), true, false),
        ["stream, error at once"] = (FakeFault.ErrorEventAfter(0), true, false),
    };

    public static TheoryData<string, string> Cases => [.. from c in Combinations.Keys from t in Troubles.Keys select new TheoryDataRow<string, string>(c, t)];

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Cases))]
    public async Task A_combination_does_what_the_pool_alone_does(string combination, string trouble)
    {
        var alone = await RunAsync(s => Client(s).AddHaEndpointPoolHandler("p"), trouble);
        var together = await RunAsync(Combinations[combination], trouble);

        together.Should().Be(alone);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_of_a_pipeline_with_failover_counts_no_503_as_served_and_tells_where_the_answer_came_from()
    {
        var detail = "";
        await RunAsync(s => Client(s).AddResilienceHandler("x", (b, context) => b
            .AddStrategy(_ => new Noting(c => detail = c), new Named())
            .AddHaEndpointFailover(context.ServiceProvider, "p")), "503");
        detail.Should().Be("b");
    }

    [Fact]
    public void Failover_that_cannot_judge_answers_is_refused()
    {
        using var pool = new EndpointPool("p", Options());
        new ResiliencePipelineBuilder<HttpResponseMessage>().Invoking(b => b.AddEndpointFailover(pool)).Should().Throw<ArgumentException>().WithMessage("*AddHaEndpointFailover*");

        var untyped = new ResiliencePipelineBuilder().AddEndpointFailover(pool).Build();
        untyped.Invoking(p => p.Execute(static () => new HttpResponseMessage())).Should().Throw<InvalidOperationException>().WithMessage("*AddHaEndpointFailover*");
    }

    private static IHttpClientBuilder Client(IServiceCollection services) => services.AddHttpClient("c");

    private static TimeoutStrategyOptions Short() => new() { Timeout = TimeSpan.FromMilliseconds(10) };

    private static TimeoutStrategyOptions Long() => new() { Timeout = TimeSpan.FromHours(1) };

    private static EndpointPoolOptions Options()
    {
        var options = new EndpointPoolOptions { Seed = 1 };
        Describe(options);
        return options;
    }

    private static void Describe(EndpointPoolOptions options)
    {
        options.Heartbeat.Enabled = false;
        options.Http.AllowPlainHttp = true;
        options.Endpoints = [new() { Name = "a", Address = "http://a.test/v1" }, new() { Name = "b", Address = "http://b.test/v1", Tier = 1 }];
        options.Seed = 1;
    }

    private static async Task<string> RunAsync(Action<IServiceCollection> register, string trouble)
    {
        var token = TestContext.Current.CancellationToken;
        var (fault, stream, isSlow) = Troubles[trouble];
        var time = new ManualTimeProvider();
        FakeHttpEndpoint[] fakes = [new(new() { Name = "a", Time = time }), new(new() { Name = "b", Time = time })];
        using var network = new FakeHttpNetwork().Add(new Uri("http://a.test"), fakes[0]).Add(new Uri("http://b.test"), fakes[1]);
        fakes[0].Faults.Always(fault);
        var services = new ServiceCollection().AddSingleton<TimeProvider>(time);
        services.AddHaEndpointPool("p", Describe);
        register(services);
        services.AddHttpClient("c", h => h.BaseAddress = new Uri("http://a.test/v1/")).ConfigurePrimaryHttpMessageHandler(() => network);
        await using var provider = services.BuildServiceProvider();
        using var http = provider.GetRequiredService<IHttpClientFactory>().CreateClient("c");
        http.Timeout = Timeout.InfiniteTimeSpan;
        var call = AskAsync(http, stream, token);
        var pool = provider.GetRequiredService<EndpointPool>();
        while (isSlow && await Task.WhenAny(call, Task.Delay(2, token)) != call)
        {
            if (pool.Explain(RequestProfile.Default)[1].InFlight == 0)
                time.Advance(TimeSpan.FromSeconds(1));
        }

        return $"{await call}; a {fakes[0].Counts.Received}, b {fakes[1].Counts.Received}";
    }

    private static async Task<string> AskAsync(HttpClient http, bool stream, CancellationToken token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions")
        {
            Content = new StringContent($$"""{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":{{(stream ? "true" : "false")}}}""", System.Text.Encoding.UTF8, "application/json"),
        };
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
            var body = await response.Content.ReadAsStringAsync(token);
            return $"{(int)response.StatusCode} {body.Length}";
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return exception.GetType().Name;
        }
    }

    private sealed class Named : ResilienceStrategyOptions;

    private sealed class Noting(Action<string> note) : ResilienceStrategy<HttpResponseMessage>
    {
        protected override async ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
        {
            var outcome = await callback(context, state);
            if (outcome.Result?.RequestMessage?.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail) == true)
                note(detail.Endpoint);
            return outcome;
        }
    }
}
