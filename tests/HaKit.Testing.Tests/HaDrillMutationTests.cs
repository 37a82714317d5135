using System.Diagnostics;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Testing.Tests;

/// <summary>A drill finds a change that breaks an application's failover, and the table shows the reason.</summary>
public sealed class HaDrillMutationTests
{
    private static readonly IReadOnlyList<IReadOnlyList<string>> Tiers = [["openai", "azure"], ["standby"]];

    [Fact(Timeout = 120_000)]
    public void A_tier_that_is_missing_is_found()
    {
        var result = Drill(settings =>
        {
            foreach (var key in settings.Keys.Where(k => k.StartsWith("chat:Endpoints:2", StringComparison.Ordinal)).ToArray())
                settings.Remove(key);
        });

        result.Rows[0].Misses.Should().Contain("endpoint 'standby' is not in the pool; there are openai, azure");
    }

    [Fact(Timeout = 120_000)]
    public void A_wrong_order_is_found()
    {
        var result = Drill(settings =>
        {
            settings["chat:Endpoints:0:Tier"] = "1";
            settings["chat:Endpoints:2:Tier"] = "0";
        });

        result.Rows[0].Misses.Should().Contain(m => m.Contains("standby served") || m.Contains("standby, ") || m.Contains(", standby served"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(0)]
    [InlineData(1)]
    public void Too_few_retries_are_found(int retries)
    {
        var result = Drill(settings => settings["chat:Retry:MaxRetryAttempts"] = retries.ToString(System.Globalization.CultureInfo.InvariantCulture));

        Missed(result, DrillFaults.All503).Should().Contain("calls were lost");
    }

    [Fact(Timeout = 120_000)]
    public void A_deadline_that_is_too_short_is_found()
    {
        var result = Drill(settings => settings["chat:TotalRequestTimeout:Timeout"] = "00:00:02");

        Missed(result, DrillFaults.All503).Should().Contain("calls were lost");
        Missed(result, DrillFaults.LongOutage).Should().Contain("calls were lost");
    }

    [Fact(Timeout = 120_000)]
    public void A_single_endpoint_is_found()
    {
        var result = Drill(settings =>
        {
            foreach (var key in settings.Keys.Where(k => !k.StartsWith("chat:Endpoints:0", StringComparison.Ordinal)).ToArray())
                settings.Remove(key);
        }, configure: options => options.Tiers = null);

        Missed(result, DrillFaults.NotFound).Should().Contain("calls were lost");
        Missed(result, DrillFaults.Quota).Should().Contain("calls were lost");
    }

    [Fact(Timeout = 120_000)]
    public void A_handler_outside_that_times_calls_out_is_found()
    {
        var result = Drill(client: builder => builder.AddHttpMessageHandler(provider => new TimeoutHandler(TimeSpan.FromSeconds(2), provider.GetRequiredService<TimeProvider>())));

        Missed(result, DrillFaults.All503).Should().Contain("calls were lost");
    }

    [Fact(Timeout = 120_000)]
    public void A_handler_outside_that_repeats_calls_is_found()
    {
        var result = Drill(client: builder => builder.AddHttpMessageHandler(() => new RepeatHandler()), configure: options =>
        {
            options.MaxRequestsPerCall = 2;
            options.Tiers = null;
        });

        result.Survived.Should().BeFalse(result.ToString());
        result.ToString().Should().Contain("requests for each call");
    }

    [Fact(Timeout = 120_000)]
    public void A_resilience_handler_outside_is_found()
    {
        var result = Drill(client: builder =>
        {
            builder.AddStandardResilienceHandler();
            builder.KeepResilience();
        });

        result.Rows[0].Misses.Should().Contain(m => m.Contains("is outside the pool"));
    }

    [Fact(Timeout = 120_000)]
    public void A_handler_outside_that_waits_in_real_time_is_told()
    {
        var result = Drill(client: builder => builder.AddHttpMessageHandler(() => new RealTimeHandler()));

        result.Rows[0].Misses.Should().Contain(m => m.Contains("waits in real time"));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_exception_is_the_table()
    {
        var act = () => HaDrill.SurvivesAsync(HaDrillTests.Application(s => s["chat:Retry:MaxRetryAttempts"] = "0"), "chat", o => o.Faults = [DrillFaults.Error500, DrillFaults.Slow]);

        (await act.Should().ThrowAsync<HaDrillException>()).Which.Message.Should().Contain("error-500").And.Contain("calls were lost: ").And.Contain("1 of 3 survived");
    }

    [Fact(Timeout = 120_000)]
    public void What_is_not_registered_is_refused_by_name()
    {
        FluentActions.Invoking(() => HaDrill.Run(new ServiceCollection(), "chat")).Should().Throw<InvalidOperationException>().WithMessage("There is no pool 'chat'*");
        FluentActions.Invoking(() => HaDrill.Run(HaDrillTests.Application(), "chat", o => o.Client = "other")).Should().Throw<InvalidOperationException>().WithMessage("*'other'*");
    }

    [Fact(Timeout = 120_000)]
    public void The_same_seed_gives_the_same_table()
    {
        var tables = Enumerable.Range(0, 2).Select(_ => Drill(configure: o => o.Faults = [DrillFaults.All503, DrillFaults.Compound, DrillFaults.Cut.AtRate(0.3)]).ToString()).ToArray();

        tables[0].Should().Be(tables[1]);
    }

    [Fact(Timeout = 120_000)]
    public void Code_of_the_application_s_own_makes_the_calls()
    {
        var result = Drill(configure: o =>
        {
            o.Faults = [DrillFaults.Error500];
            o.Call = async (provider, prompt, token) =>
            {
                using var response = await provider.GetRequiredService<IHttpClientFactory>().CreateClient("ai").SendAsync(ChatExchange.CreateRequest(new Uri("chat/completions", UriKind.Relative), prompt, streamed: false), token);
                return (await ChatExchange.ReadAsync(response, streamed: false, token)).Text;
            };
        });

        result.Survived.Should().BeTrue(result.ToString());
    }

    [Fact(Timeout = 120_000)]
    public void The_whole_matrix_takes_at_most_three_seconds()
    {
        Drill(configure: o => o.Faults = [DrillFaults.Error500]);
        var began = Stopwatch.GetTimestamp();
        Drill();
        var took = Stopwatch.GetElapsedTime(began);

        TestContext.Current.TestOutputHelper?.WriteLine($"{took.TotalSeconds:0.00} s");
        // The promise is 3 s on an idle machine. The test finds a wait in real time, which would last minutes.
        took.Should().BeLessThan(TimeSpan.FromSeconds(30));
    }

    private static HaDrillResult Drill(Action<IDictionary<string, string?>>? mutate = null, Action<IHttpClientBuilder>? client = null, Action<HaDrillOptions>? configure = null) =>
        HaDrill.Run(HaDrillTests.Application(mutate, client), "chat", options =>
        {
            options.Tiers = Tiers;
            configure?.Invoke(options);
        });

    private static string Missed(HaDrillResult result, DrillFault fault) => string.Join('\n', result.Rows.Single(r => r.Fault == fault.Name).Misses);

    private sealed class TimeoutHandler(TimeSpan timeout, TimeProvider time) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var over = new CancellationTokenSource(timeout, time);
            return await base.SendAsync(request, over.Token);
        }
    }

    /// <summary>Sends every request three times, whatever the answer is.</summary>
    private sealed class RepeatHandler : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage? response = null;
            for (var i = 0; i < 3; i++)
            {
                response?.Dispose();
                response = await base.SendAsync(request, cancellationToken);
            }
            return response!;
        }
    }

    private sealed class RealTimeHandler : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return await base.SendAsync(request, cancellationToken);
        }
    }
}
