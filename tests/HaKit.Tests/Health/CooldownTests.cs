using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class CooldownTests
{
    private readonly HealthBench _bench = new();

    [Fact]
    public void A_throttled_endpoint_is_not_sent_anything_before_its_Retry_After_and_is_not_ejected()
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, HealthBench.Throttled(20));
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        endpoint.State.CooldownUntil.Should().Be(_bench.Now + TimeSpan.FromSeconds(20));
        _bench.Tracker.NextChange.Should().Be(_bench.Now + TimeSpan.FromSeconds(20));
        _bench.Pass(19.999);
        foreach (var mode in Enum.GetValues<BeginMode>())
            _bench.MayBegin(endpoint, mode).Should().BeFalse();
        _bench.Pass(0.001);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        endpoint.State.SlowStartShare(_bench.Now).Should().BeApproximately(0.1, 1e-12);
        _bench.Begin(endpoint);
    }

    [Fact]
    public void A_later_longer_cooldown_replaces_an_earlier_one_and_a_shorter_one_never_does()
    {
        var endpoint = _bench.Add("a");
        var tickets = Enumerable.Range(0, 3).Select(_ => _bench.Begin(endpoint)).ToArray();
        var start = _bench.Now;
        endpoint.Complete(tickets[0], HealthBench.Throttled(10), _bench.Now);
        _bench.Pass(1);
        endpoint.Complete(tickets[1], HealthBench.Throttled(30), _bench.Now);
        endpoint.State.CooldownUntil.Should().Be(start + TimeSpan.FromSeconds(31));
        _bench.Pass(1);
        endpoint.Complete(tickets[2], HealthBench.Throttled(5), _bench.Now);
        endpoint.State.CooldownUntil.Should().Be(start + TimeSpan.FromSeconds(31));
    }

    [Fact]
    public void A_Retry_After_of_24_h_allows_one_trial_at_the_cap_of_1_h()
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, HealthBench.Throttled(24 * 3600));
        _bench.Pass(3599.9);
        _bench.MayBegin(endpoint, BeginMode.Trial).Should().BeFalse();
        _bench.Pass(0.1);
        endpoint.State.IsTrialReady(_bench.Now).Should().BeTrue();
        _bench.MayBegin(endpoint, BeginMode.Normal).Should().BeFalse();
        var trial = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.MayBegin(endpoint, BeginMode.Trial).Should().BeFalse();

        endpoint.Complete(trial, HealthBench.Throttled(23 * 3600), _bench.Now);
        endpoint.State.Admits(_bench.Now).Should().BeFalse();
        endpoint.State.Ejections.Should().Be(0);
        _bench.MayBegin(endpoint, BeginMode.Trial).Should().BeFalse();
        _bench.Pass(3600);
        endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), null, _bench.Now);
        endpoint.State.Admits(_bench.Now).Should().BeTrue();
        endpoint.State.CooldownUntil.Should().BeNull();
    }

    [Fact]
    public void Siblings_of_one_throttled_account_all_wait_and_another_account_serves()
    {
        var first = _bench.Add("a", new FailureDomains { Account = "acme", KeyName = "1" });
        var second = _bench.Add("b", new FailureDomains { Account = "acme", KeyName = "2" });
        var other = _bench.Add("c", new FailureDomains { Account = "other", KeyName = "3" });
        _bench.Fail(first, HealthBench.Throttled(10) with { Reach = FaultReach.Account });
        second.State.CooldownUntil.Should().Be(first.State.CooldownUntil);
        other.State.CooldownUntil.Should().BeNull();
    }

    [Fact]
    public void A_throttles_own_wait_goes_on_when_the_quota_above_it_is_cleared()
    {
        var endpoint = _bench.Add("a");
        var tickets = Enumerable.Range(0, 2).Select(_ => _bench.Begin(endpoint)).ToArray();
        endpoint.Complete(tickets[0], HealthBench.Throttled(60), _bench.Now);
        var until = endpoint.State.CooldownUntil;
        endpoint.Complete(tickets[1], new Fault(FaultKind.QuotaExhausted), _bench.Now);
        endpoint.State.CooldownUntil.Should().Be(TimeSpan.MaxValue);
        _bench.Pass(1);
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        endpoint.State.CooldownUntil.Should().Be(until);
        _bench.MayBegin(endpoint, BeginMode.Normal).Should().BeFalse();
        _bench.Pass(59);
        _bench.Begin(endpoint);
    }

    [Fact]
    public void What_the_server_said_during_a_trial_outlives_the_trials_success()
    {
        var endpoint = _bench.Add("a");
        var straggler = _bench.Begin(endpoint);
        _bench.Fail(endpoint, FaultKind.ServerError, 5);
        _bench.PassTo(endpoint.State.Until!.Value);
        var trial = _bench.Begin(endpoint, BeginMode.Trial);
        endpoint.Complete(straggler, HealthBench.Throttled(9), _bench.Now);
        endpoint.Complete(trial, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        _bench.MayBegin(endpoint, BeginMode.Normal).Should().BeFalse();
        _bench.Pass(9);
        _bench.Begin(endpoint);
    }

    [Fact]
    public void A_short_cooldown_does_not_shorten_a_recovery_that_is_under_way()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), null, _bench.Now);
        var back = _bench.Now + TimeSpan.FromSeconds(30);
        _bench.Fail(endpoint, HealthBench.Throttled(2));
        _bench.Pass(2);
        endpoint.State.SlowStartShare(_bench.Now).Should().BeApproximately(0.1, 1e-9);
        endpoint.State.SlowStartShare(_bench.Now + TimeSpan.FromSeconds(14)).Should().BeApproximately(0.55, 1e-9);
        _bench.PassTo(back - TimeSpan.FromTicks(1));
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        _bench.PassTo(back);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public void Of_a_refused_key_and_an_exhausted_quota_clearing_the_key_does_not_clear_the_quota()
    {
        foreach (var kinds in new[] { new[] { FaultKind.QuotaExhausted, FaultKind.Unauthorized }, [FaultKind.Unauthorized, FaultKind.QuotaExhausted] })
        {
            var endpoint = _bench.Add("a");
            var tickets = kinds.Select(_ => _bench.Begin(endpoint)).ToArray();
            for (var i = 0; i < 2; i++)
            {
                _bench.Pass(1);
                endpoint.Complete(new HealthTicket(tickets[i].Epoch, _bench.Now, isTrial: false), new Fault(kinds[i]), _bench.Now);
            }

            _bench.Pass(1);
            endpoint.Probe(ProbeLevel.Authorized, null, _bench.Now);
            endpoint.State.Admits(_bench.Now).Should().BeFalse();
            endpoint.State.CooldownCause!.Kind.Should().Be(FaultKind.QuotaExhausted);
            endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
            endpoint.State.Admits(_bench.Now).Should().BeTrue();
        }
    }

    [Fact]
    public void A_wait_longer_than_ten_years_is_ten_years()
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.MaxValue });
        endpoint.State.CooldownUntil.Should().Be(_bench.Now + TimeSpan.FromDays(3650));
    }

    [Fact]
    public void A_breakers_refusal_is_believed_up_to_the_cap()
    {
        foreach (var (said, waited) in new[] { (3599, 3599), (3600, 3600), (7200, 3600) })
        {
            var endpoint = _bench.Add("a");
            _bench.Fail(endpoint, new Fault(FaultKind.BreakerOpen) { RetryAfter = TimeSpan.FromSeconds(said) });
            endpoint.State.Until.Should().Be(_bench.Now + TimeSpan.FromSeconds(waited));
        }
    }

    [Fact]
    public void Whatever_lasts_until_cleared_is_cleared_by_a_probe_that_exercises_it()
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, new Fault(FaultKind.ModelNotFound) { UntilCleared = true });
        endpoint.State.Admits(_bench.Now).Should().BeFalse();
        _bench.Pass(1);
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        endpoint.State.Admits(_bench.Now).Should().BeTrue();
    }

    [Fact]
    public void A_long_cooldown_returns_on_a_ramp_of_30_s_and_the_next_change_is_known_at_each_step()
    {
        var endpoint = _bench.Add("a");
        var start = _bench.Now;
        _bench.Fail(endpoint, HealthBench.Throttled(7200));
        _bench.Tracker.NextChange.Should().Be(start + TimeSpan.FromHours(1), "from the cap on a trial may ask");
        _bench.Pass(3600);
        _bench.Tracker.NextChange.Should().Be(start + TimeSpan.FromHours(2));
        _bench.Pass(3600);
        _bench.Tracker.NextChange.Should().Be(_bench.Now + TimeSpan.FromSeconds(30));
        endpoint.State.SlowStartShare(_bench.Now + TimeSpan.FromSeconds(15)).Should().BeApproximately(0.55, 1e-9);
        _bench.Changes[^1].After.Status.Should().Be(EndpointHealthStatus.SlowStart);
        _bench.Pass(30);
        _bench.Changes[^1].After.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public void Of_two_throttles_beneath_an_exhausted_quota_the_longer_goes_on()
    {
        foreach (var (first, second) in new[] { (10, 60), (60, 10) })
        {
            var endpoint = _bench.Add("a");
            var tickets = Enumerable.Range(0, 3).Select(_ => _bench.Begin(endpoint)).ToArray();
            endpoint.Complete(tickets[0], new Fault(FaultKind.QuotaExhausted), _bench.Now);
            endpoint.Complete(tickets[1], HealthBench.Throttled(first), _bench.Now);
            endpoint.Complete(tickets[2], HealthBench.Throttled(second), _bench.Now);
            var until = _bench.Now + TimeSpan.FromSeconds(60);
            _bench.Pass(1);
            endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
            endpoint.State.CooldownUntil.Should().Be(until);
        }
    }

    [Fact]
    public void What_a_returning_endpoint_takes_later_is_known_before_its_cooldown_is_over()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), null, _bench.Now);
        _bench.Fail(endpoint, HealthBench.Throttled(2));
        endpoint.State.SlowStartShare(_bench.Now + TimeSpan.FromSeconds(16)).Should().BeApproximately(0.55, 1e-9, "from 2 s to the 30 s of its recovery");
        var well = _bench.Add("b");
        _bench.Fail(well, HealthBench.Throttled(2));
        well.State.SlowStartShare(_bench.Now + TimeSpan.FromSeconds(3)).Should().BeApproximately(0.55, 1e-9);
        well.State.SlowStartShare(_bench.Now + TimeSpan.FromSeconds(4)).Should().Be(1);
    }

    [Fact]
    public void After_a_cooldown_the_cause_is_what_is_held_against_it_or_else_what_was_said()
    {
        var failing = _bench.Add("a");
        _bench.Fail(failing, FaultKind.ServerError);
        _bench.Fail(failing, HealthBench.Throttled(5));
        var throttled = _bench.Add("b");
        _bench.Fail(throttled, HealthBench.Throttled(5));
        _bench.Pass(5);
        failing.State.Cause!.Kind.Should().Be(FaultKind.ServerError);
        throttled.State.Cause!.Kind.Should().Be(FaultKind.Throttled);
        _bench.Pass(30);
        failing.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        throttled.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        throttled.State.Cause.Should().BeNull();
    }
}
