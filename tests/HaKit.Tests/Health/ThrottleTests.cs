using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class ThrottleTests
{
    private readonly HealthBench _bench = new();

    [Fact]
    public void A_429_storm_sends_nothing_before_Retry_After_ejects_no_one_and_returns_on_a_ramp()
    {
        var random = new Random(5);
        var endpoints = Enumerable.Range(0, 4).Select(i => _bench.Add($"e{i}")).ToList();
        var notBefore = endpoints.ToDictionary(e => e, _ => TimeSpan.Zero);
        int sent = 0, refused = 0;
        for (var tick = 0; tick < 6000; tick++)
        {
            _bench.Pass(0.01);
            foreach (var endpoint in endpoints)
            {
                if (!endpoint.TryBegin(BeginMode.Normal, _bench.Now, out var ticket))
                    continue;
                sent++;
                _bench.Now.Should().BeGreaterThanOrEqualTo(notBefore[endpoint]);
                if (random.NextDouble() < 0.5)
                {
                    endpoint.Complete(ticket, null, _bench.Now);
                    continue;
                }

                refused++;
                var seconds = 1 + 4 * random.NextDouble();
                endpoint.Complete(ticket, HealthBench.Throttled(seconds), _bench.Now);
                notBefore[endpoint] = _bench.Now + TimeSpan.FromSeconds(seconds);
                var until = endpoint.State.CooldownUntil!.Value;
                until.Should().BeGreaterThanOrEqualTo(notBefore[endpoint], "from the fourth in a row the named time is doubled");
                endpoint.State.SlowStartShare(until).Should().BeApproximately(0.1, 1e-9);
            }
        }

        refused.Should().BeGreaterThan(20);
        sent.Should().BeGreaterThan(refused);
        _bench.Changes.Should().OnlyContain(c => c.After.IsInService);
        endpoints.Should().OnlyContain(e => e.State.Ejections == 0);
    }

    [Fact]
    public void Without_a_Retry_After_the_wait_is_our_own_and_doubles_from_1_s_to_60_s()
    {
        var endpoint = _bench.Add("a");
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
        {
            _bench.Fail(endpoint, HealthBench.Throttled());
            (endpoint.State.CooldownUntil!.Value - _bench.Now).TotalSeconds.Should().BeInRange(0.8 * seconds, seconds);
            _bench.PassTo(endpoint.State.CooldownUntil.Value + TimeSpan.FromMilliseconds(1));
        }

        _bench.Succeed(endpoint);
        _bench.Fail(endpoint, HealthBench.Throttled());
        (endpoint.State.CooldownUntil!.Value - _bench.Now).TotalSeconds.Should().BeInRange(0.8, 1);
        endpoint.State.Ejections.Should().Be(0);
    }

    [Fact]
    public void A_burst_of_refusals_is_one_refusal()
    {
        var endpoint = _bench.Add("a");
        var tickets = Enumerable.Range(0, 100).Select(_ => _bench.Begin(endpoint)).ToList();
        _bench.Pass(0.2);
        foreach (var ticket in tickets)
            endpoint.Complete(ticket, HealthBench.Throttled(), _bench.Now);
        (endpoint.State.CooldownUntil!.Value - _bench.Now).TotalSeconds.Should().BeLessThanOrEqualTo(1);
        endpoint.State.Throttles.Should().Be(1);
    }

    [Fact]
    public void A_throttle_in_a_trial_frees_the_slot_and_neither_ejects_again_nor_brings_back()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), HealthBench.Throttled(7), _bench.Now);
        endpoint.State.Ejections.Should().Be(1);
        endpoint.State.IsTrialReady(_bench.Now).Should().BeFalse();
        _bench.Pass(7);
        endpoint.State.IsTrialReady(_bench.Now).Should().BeTrue();
    }

    [Fact]
    public void A_short_cooldown_returns_on_a_ramp_of_its_own_length()
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, HealthBench.Throttled(2));
        _bench.Pass(2);
        endpoint.State.SlowStartShare(_bench.Now + TimeSpan.FromSeconds(1)).Should().BeApproximately(0.55, 1e-9);
        _bench.Pass(2);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public void A_stock_breaker_in_the_endpoints_pipeline_neither_counts_nor_starves()
    {
        var endpoint = _bench.Add("a");
        var open = new Fault(FaultKind.BreakerOpen) { RetryAfter = TimeSpan.FromSeconds(8) };
        _bench.Fail(endpoint, open);
        endpoint.State.Ejections.Should().Be(0);
        foreach (var mode in Enum.GetValues<BeginMode>())
            _bench.MayBegin(endpoint, mode).Should().BeFalse();
        _bench.Pass(8);
        _bench.MayBegin(endpoint, BeginMode.Normal).Should().BeFalse("its half-open breaker lets one through, and so do we");
        var trial = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.MayBegin(endpoint, BeginMode.Trial).Should().BeFalse();
        endpoint.Complete(trial, open, _bench.Now);
        endpoint.State.Ejections.Should().Be(0);
        _bench.MayBegin(endpoint, BeginMode.Trial).Should().BeFalse("it said when to ask again");
        _bench.Pass(8);
        endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void A_limiter_that_refuses_without_a_time_costs_a_moment_and_no_ejection()
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, FaultKind.BreakerOpen);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        (endpoint.State.CooldownUntil!.Value - _bench.Now).TotalSeconds.Should().BeInRange(0.8, 1);
    }
}
