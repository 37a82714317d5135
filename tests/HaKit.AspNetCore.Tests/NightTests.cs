using System.Text.Json;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;

namespace HaKit.AspNetCore.Tests;

/// <summary>
/// Tests what the page gets while endpoints are out: the outage in one place, the number of waiting calls, and a log that is not full of trials.
/// </summary>
public sealed class NightTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static async Task<JsonElement> StatusAsync(Site site) => JsonDocument.Parse(await site.Http.GetStringAsync("/ha/status", Ct)).RootElement;

    private static Task<Site> StartAsync(int endpoints, int events = 50) => Site.StartAsync(
        map: a => a.MapHaEndpointPools("/ha", o => o.Events = events),
        pool: o =>
        {
            o.Heartbeat.Enabled = false;
            o.Seed = 1;
            o.Objective = new ObjectiveOptions { TargetPercent = 99.9m };
            for (var i = 0; i < endpoints; i++)
                o.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = $"https://e{i}.test/v1" });
        });

    private static Task<int> BeginCall(Site site, Func<bool> isDown, TimeSpan? deadline = null) => site.Pool().ExecuteAsync(
        new RequestProfile { Deadline = deadline ?? TimeSpan.FromSeconds(100) }, (site, isDown), static async (attempt, s, token) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), s.site.Time, token).ConfigureAwait(false);
            if (s.isDown())
                attempt.ReportFault(new Fault(FaultKind.ServerError) { StatusCode = 500 });
            return 1;
        }, Ct).AsTask();

    private static async Task BreakAsync(Site site)
    {
        for (var i = 0; i < 2000 && site.Pool().GetStatus().Serving > 0; i++)
        {
            var call = BeginCall(site, static () => true, TimeSpan.FromSeconds(0.4));
            site.Time.Advance(TimeSpan.FromSeconds(0.5));
            await Record.ExceptionAsync(() => call);
        }
        site.Pool().GetStatus().Serving.Should().Be(0);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(60)]
    public async Task Trials_of_an_outage_are_one_line_and_the_outage_stays_in_the_log(int endpoints)
    {
        await using var site = await StartAsync(endpoints, events: 12);
        await BreakAsync(site);
        var isDown = true;
        var call = BeginCall(site, () => isDown);
        site.Time.Advance(TimeSpan.FromSeconds(80));
        var (status, calls) = (await StatusAsync(site), call);
        var events = status.GetProperty("events").EnumerateArray().ToArray();
        events.Count(e => e.GetProperty("kind").GetString() == "OutageBegan").Should().Be(1);
        var trials = events.SkipWhile(e => e.GetProperty("kind").GetString() != "OutageBegan").Where(e => e.GetProperty("kind").GetString() == "TrialsFailed").ToArray();
        trials.Should().ContainSingle();
        trials[0].GetProperty("count").GetInt32().Should().BeGreaterThan(20);
        trials[0].GetProperty("until").GetDateTimeOffset().Should().BeWithin(TimeSpan.FromSeconds(5)).Before(site.Time.GetUtcNow());
        trials[0].GetProperty("text").GetString().Should().Match(endpoints == 1 ? "* trials failed; the latest: ServerError (500)" : "* trials of * endpoints failed; the latest: e*, ServerError (500)");
        var pool = status.GetProperty("pools")[0];
        pool.GetProperty("outageSince").GetDateTimeOffset().Should().BeBefore(site.Time.GetUtcNow() - TimeSpan.FromSeconds(80));
        pool.GetProperty("endpoints").EnumerateArray().Should().OnlyContain(e => e.GetProperty("outSince").GetDateTimeOffset() <= pool.GetProperty("outageSince").GetDateTimeOffset());
        isDown = false;
        site.Time.Advance(TimeSpan.FromSeconds(15));
        await calls;
        (await StatusAsync(site)).GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).Should().Contain("OutageEnded");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(FaultKind.Throttled, 20, "paused, as the server asked: *", "*at the time that the server named*")]
    [InlineData(FaultKind.Throttled, null, "paused: *", "*asks again by itself*")]
    [InlineData(FaultKind.BreakerOpen, 20, "paused by the application's own strategies: *", "*circuit breaker or rate limiter*")]
    public async Task A_pause_says_whether_the_server_asked_for_it(FaultKind kind, int? retryAfter, string what, string advice)
    {
        await using var site = await StartAsync(2);
        await site.Pool().ExecuteAsync(RequestProfile.Default, 0, (attempt, _, _) =>
        {
            if (attempt.Endpoint.Name == "e0")
                attempt.ReportFault(new Fault(kind) { RetryAfter = retryAfter is { } s ? TimeSpan.FromSeconds(s) : null });
            return ValueTask.FromResult(1);
        }, Ct);
        var trouble = (await StatusAsync(site)).GetProperty("pools")[0].GetProperty("troubles")[0];
        trouble.GetProperty("what").GetString().Should().Match(what);
        trouble.GetProperty("advice").GetString().Should().Match(advice);
    }

    [Fact(Timeout = 60_000)]
    public async Task Endpoints_that_left_one_after_another_are_one_line_with_the_first_and_the_last_time()
    {
        await using var site = await StartAsync(3);
        var began = site.Time.GetUtcNow();
        await ThrottleAsync("e0");
        site.Time.Advance(TimeSpan.FromSeconds(8));
        await ThrottleAsync("e1");
        var trouble = (await StatusAsync(site)).GetProperty("pools")[0].GetProperty("troubles")[0];
        trouble.GetProperty("endpoints").EnumerateArray().Select(e => e.GetString()).Should().Equal("e0", "e1");
        trouble.GetProperty("since").GetDateTimeOffset().Should().BeCloseTo(began, TimeSpan.FromSeconds(1));
        trouble.GetProperty("lastSince").GetDateTimeOffset().Should().BeCloseTo(began.AddSeconds(8), TimeSpan.FromSeconds(1));

        async Task ThrottleAsync(string name) => await Record.ExceptionAsync(() => site.Pool().ExecuteAsync(new RequestProfile { Endpoints = [name], MaxWait = TimeSpan.Zero }, 0, static (attempt, _, _) =>
        {
            attempt.ReportFault(new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromMinutes(1) });
            return ValueTask.FromResult(1);
        }, Ct).AsTask());
    }

    [Fact(Timeout = 60_000)]
    public async Task Many_endpoints_that_leave_together_are_one_line()
    {
        await using var site = await StartAsync(30);
        var calls = Enumerable.Range(0, 150).Select(_ => BeginCall(site, static () => true, TimeSpan.FromSeconds(1))).ToArray();
        site.Time.Advance(TimeSpan.FromSeconds(2));
        foreach (var call in calls)
            await Record.ExceptionAsync(() => call);
        await BreakAsync(site); // the last admitted endpoint is ejected late
        var events = (await StatusAsync(site)).GetProperty("events").EnumerateArray().ToArray();
        var line = events.First(e => e.GetProperty("kind").GetString() == "EndpointEjected");
        line.GetProperty("count").GetInt32().Should().BeInRange(29, 30);
        line.GetProperty("text").GetString().Should().Match("with e*, e* and 2? more: ejected for * s: ServerError (500), seen by a call");
        events.Should().HaveCountLessThan(6);
    }

    [Fact(Timeout = 60_000)]
    public async Task Calls_that_wait_count_as_not_delivered_in_delivered_budget_and_burn_until_they_are_served()
    {
        await using var site = await StartAsync(2);
        for (var i = 0; i < 90; i++)
        {
            var served = BeginCall(site, static () => false);
            site.Time.Advance(TimeSpan.FromSeconds(0.2));
            await served;
        }
        await BreakAsync(site);
        var lost = (await StatusAsync(site)).GetProperty("pools")[0].GetProperty("availability").GetProperty("failures").GetInt64();
        var isDown = true;
        var calls = Enumerable.Range(0, 10).Select(_ => BeginCall(site, () => isDown)).ToArray();
        site.Time.Advance(TimeSpan.FromSeconds(5));
        var pool = (await StatusAsync(site)).GetProperty("pools")[0];
        var availability = pool.GetProperty("availability");
        pool.GetProperty("waiting").GetInt32().Should().Be(10);
        pool.GetProperty("oldestWait").GetDouble().Should().BeApproximately(5, 0.1);
        pool.GetProperty("firstGivesUpIn").GetDouble().Should().BeApproximately(95, 0.1);
        var (failed, all) = (lost + 10, 90 + lost + 10);
        availability.GetProperty("delivered").GetDouble().Should().BeApproximately(90.0 / (90 + lost), 1e-6, "the field keeps its meaning: of the calls that have ended");
        availability.GetProperty("deliveredNow").GetDouble().Should().BeApproximately(90.0 / all, 1e-6);
        availability.GetProperty("budgetLeftNow").GetDouble().Should().BeApproximately(1 - failed / (0.001 * all), 0.01).And.BeLessThan(availability.GetProperty("budgetLeft").GetDouble());
        var burn = availability.GetProperty("burn")[0];
        burn.GetProperty("longNow").GetDouble().Should().BeApproximately(failed / (0.001 * all), 0.01).And.BeGreaterThan(burn.GetProperty("long").GetDouble());
        isDown = false;
        site.Time.Advance(TimeSpan.FromSeconds(20));
        await Task.WhenAll(calls);
        availability = (await StatusAsync(site)).GetProperty("pools")[0].GetProperty("availability");
        availability.GetProperty("deliveredNow").GetDouble().Should().Be(availability.GetProperty("delivered").GetDouble());
        availability.GetProperty("budgetLeftNow").GetDouble().Should().Be(availability.GetProperty("budgetLeft").GetDouble());
    }
}
