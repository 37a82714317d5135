using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Timeout;

namespace HaKit.Hosting.Tests;

/// <summary>Tests that the defaults that an Aspire solution adds to every client do not switch off a pool's failover.</summary>
public sealed class AspireTests
{
    private const int Calls = 18;

    public static TheoryData<string> Registrations => [.. ByName.Keys];

    private static readonly Dictionary<string, (Action<IHttpClientBuilder>? Defaults, Action<IHttpClientBuilder>? Client)> ByName = new()
    {
        ["service defaults"] = (null, null),
        ["hedging for all clients"] = (d => d.AddStandardHedgingHandler(), null),
        ["HttpClient.Timeout of 5 s, set before"] = (null, c => c.ConfigureHttpClient(h => h.Timeout = TimeSpan.FromSeconds(5)).AddHaEndpointPoolHandler("models")),
        ["HttpClient.Timeout of 5 s, set after"] = (null, c => c.AddHaEndpointPoolHandler("models").ConfigureHttpClient(h => h.Timeout = TimeSpan.FromSeconds(5))),
        ["HttpClient.Timeout of 5 s for all clients"] = (d => d.ConfigureHttpClient(h => h.Timeout = TimeSpan.FromSeconds(5)).AddStandardResilienceHandler(), null),
        ["own standard handler before the pool"] = (null, c => { c.AddStandardResilienceHandler(); c.AddHaEndpointPoolHandler("models"); }
        ),
        ["own standard handler after the pool"] = (null, c => c.AddHaEndpointPoolHandler("models").AddStandardResilienceHandler()),
        ["own hedging handler before the pool"] = (null, c => { c.AddStandardHedgingHandler(); c.AddHaEndpointPoolHandler("models"); }
        ),
        ["own hedging handler after the pool"] = (null, c => c.AddHaEndpointPoolHandler("models").AddStandardHedgingHandler()),
        ["own standard handler beside a custom one"] = (null, c =>
        {
            c.AddStandardResilienceHandler();
            c.AddResilienceHandler("mine", static _ => { });
            c.AddHaEndpointPoolHandler("models").AddStandardHedgingHandler();
        }
        ),
        ["custom handler for all clients"] = (d => d.AddResilienceHandler("all", b => b.AddTimeout(new TimeoutStrategyOptions { Timeout = TimeSpan.FromSeconds(1) })), null),
        ["service discovery of its own"] = (null, c => { c.AddServiceDiscovery(); c.AddHaEndpointPoolHandler("models"); }
        ),
    };

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Registrations))]
    public async Task Every_call_is_served_though_one_server_is_silent(string registration)
    {
        var (defaults, client) = ByName[registration];
        await using var app = await AspireApp.StartAsync(defaults, client);
        app.Servers[0].Faults.Always(FakeFault.Hang);

        (await app.AskAsync(Calls)).Should().Be(Calls);

        app.Servers[1].Counts.AnsweredWhole.Should().BePositive();
        app.Servers[2].Counts.AnsweredWhole.Should().BePositive();
        app.Servers[0].Counts.Received.Should().BeInRange(1, 8, "it is ejected, and then asked by trials alone");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_was_taken_off_is_told_once_for_each_client()
    {
        await using var app = await AspireApp.StartAsync();
        await app.AskAsync(2);

        app.Logs.Entries.Where(e => e.Id.Id == 20).Should().ContainSingle().Which.Message.Should().Contain("llm").And.Contain("models").And.Contain("KeepResilience");
        app.Logs.Entries.Should().NotContain(e => e.Level >= LogLevel.Warning && e.Message.Contains("resilience", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_custom_resilience_handler_stays_and_is_warned_of()
    {
        var seen = 0;
        await using var app = await AspireApp.StartAsync(client: c =>
        {
            c.AddResilienceHandler("mine", b => b.AddStrategy(_ => new Counting(() => seen++), new Named()));
            c.AddHaEndpointPoolHandler("models");
        });
        (await app.AskAsync(3)).Should().Be(3);

        seen.Should().Be(3);
        app.Logs.Entries.Where(e => e.Id.Id == 21).Should().ContainSingle().Which.Level.Should().Be(LogLevel.Warning);
    }

    [Fact(Timeout = 60_000)]
    public async Task Resilience_that_is_kept_stays_where_it_was_and_is_not_spoken_of()
    {
        await using var app = await AspireApp.StartAsync(
            defaults: d => d.AddResilienceHandler("all", b => b.AddStrategy(_ => new Failing(), new Named())),
            client: c => c.AddHaEndpointPoolHandler("models").KeepResilience());

        (await app.AskAsync(2)).Should().Be(0, "the kept handler fails every call");
        app.Logs.Entries.Should().NotContain(e => e.Id.Id == 20 || e.Id.Id == 21);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_without_a_pool_keeps_what_all_clients_get()
    {
        await using var app = await AspireApp.StartAsync(defaults: d => d.AddResilienceHandler("all", b => b.AddStrategy(_ => new Failing(), new Named())));
        using var other = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient("other");

        await other.Invoking(o => o.GetAsync(app.Servers[0].Address, TestContext.Current.CancellationToken)).Should().ThrowAsync<NotSupportedException>();
        (await app.AskAsync(1)).Should().Be(1);
    }

    [Fact]
    public void A_pool_for_all_clients_is_refused() =>
        new ServiceCollection().Invoking(s => s.ConfigureHttpClientDefaults(d => d.AddHaEndpointPoolHandler("models"))).Should().Throw<ArgumentException>().WithMessage("*AddHttpClient*");

    private sealed class Named : ResilienceStrategyOptions;

    private sealed class Counting(Action seen) : ResilienceStrategy<HttpResponseMessage>
    {
        protected override ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
        {
            seen();
            return callback(context, state);
        }
    }

    private sealed class Failing : ResilienceStrategy<HttpResponseMessage>
    {
        protected override ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state) =>
            new(Outcome.FromException<HttpResponseMessage>(new NotSupportedException("kept")));
    }
}
