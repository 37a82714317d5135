using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class DomainTests
{
    private readonly HealthBench _bench = new();

    private static FailureDomains Openai(string account, string key, string model = "m") =>
        new() { Account = account, KeyName = key, Provider = "openai", Model = model };

    [Fact]
    public void Exhausted_quota_takes_every_key_of_the_account_out_so_that_failover_goes_to_another_account()
    {
        var siblings = Enumerable.Range(0, 5).Select(i => _bench.Add($"a{i}", Openai("acme", $"k{i}"))).ToList();
        var other = _bench.Add("b", Openai("other", "k"));
        _bench.Fail(siblings[2], FaultKind.QuotaExhausted);
        siblings.Should().OnlyContain(s => !s.State.Admits(_bench.Now) && s.State.CooldownUntil == TimeSpan.MaxValue);
        siblings.Should().OnlyContain(s => s.State.CooldownCause!.Kind == FaultKind.QuotaExhausted);
        other.State.Admits(_bench.Now).Should().BeTrue();
    }

    [Fact]
    public void Exhausted_quota_is_no_throttle_in_three_days_it_is_asked_once_an_hour_by_one_key_of_the_account()
    {
        var siblings = Enumerable.Range(0, 3).Select(i => _bench.Add($"a{i}", Openai("acme", $"k{i}"))).ToList();
        _bench.Fail(siblings[0], FaultKind.QuotaExhausted);
        var asked = 0;
        for (var minute = 0; minute < 3 * 24 * 60; minute++)
        {
            _bench.Pass(60);
            foreach (var sibling in siblings)
            {
                _bench.MayBegin(sibling, BeginMode.Normal).Should().BeFalse();
                if (!sibling.TryBegin(BeginMode.Trial, _bench.Now, out var trial))
                    continue;
                asked++;
                sibling.Complete(trial, new Fault(FaultKind.QuotaExhausted), _bench.Now);
            }
        }

        asked.Should().Be(76);
        siblings.Should().OnlyContain(s => s.State.Ejections == 0);
    }

    [Fact]
    public void When_one_trial_shows_that_the_quota_is_back_the_whole_account_returns_on_a_ramp()
    {
        var first = _bench.Add("a", Openai("acme", "1"));
        var second = _bench.Add("b", Openai("acme", "2"));
        _bench.Fail(first, FaultKind.QuotaExhausted);
        _bench.Pass(3600);
        var trial = _bench.Begin(second, BeginMode.Trial);
        _bench.MayBegin(first, BeginMode.Trial).Should().BeFalse("one at a time asks for all");
        second.RecordFirstContent(trial, _bench.Now);
        first.State.Admits(_bench.Now).Should().BeTrue();
        first.State.SlowStartShare(_bench.Now).Should().BeApproximately(0.1, 1e-12);
    }

    [Fact]
    public void A_trial_for_the_account_that_nobody_answers_leaves_the_next_to_a_sibling()
    {
        var first = _bench.Add("a", Openai("acme", "1"));
        var second = _bench.Add("b", Openai("acme", "2"));
        _bench.Fail(first, FaultKind.QuotaExhausted);
        _bench.Pass(3600);
        _bench.Begin(first, BeginMode.Trial);
        _bench.Pass(29);
        _bench.MayBegin(second, BeginMode.Trial).Should().BeFalse();
        _bench.Pass(1);
        first.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        _bench.Begin(second, BeginMode.Trial);
    }

    [Theory]
    [InlineData(FaultKind.QuotaExhausted, ProbeLevel.Generating)]
    [InlineData(FaultKind.Unauthorized, ProbeLevel.Authorized)]
    public void Only_a_probe_of_the_level_that_failed_or_an_operator_clears_what_lasts_until_cleared(FaultKind kind, ProbeLevel needed)
    {
        var first = _bench.Add("a", Openai("acme", "1"));
        var second = _bench.Add("b", Openai("acme", "1"));
        foreach (var byOperator in new[] { false, true })
        {
            _bench.Fail(first, kind);
            second.State.Admits(_bench.Now).Should().BeFalse();
            for (var level = ProbeLevel.Reachable; level < needed; level++)
                second.Probe(level, null, _bench.Now);
            second.State.CooldownUntil.Should().Be(TimeSpan.MaxValue);
            _bench.Pass(1);
            if (byOperator)
                second.Order(HealthOrder.BringUp, _bench.Now);
            else
                second.Probe(needed, null, _bench.Now);
            second.State.Admits(_bench.Now).Should().BeTrue();
            first.State.Admits(_bench.Now).Should().BeTrue("it was one fact, and it is over");
            _bench.Pass(60);
        }
    }

    [Fact]
    public void A_refused_key_takes_out_that_key_only()
    {
        var bad = _bench.Add("a", Openai("acme", "1"));
        var same = _bench.Add("b", Openai("acme", "1", "other"));
        var good = _bench.Add("c", Openai("acme", "2"));
        _bench.Fail(bad, FaultKind.Unauthorized);
        bad.State.Admits(_bench.Now).Should().BeFalse();
        same.State.Admits(_bench.Now).Should().BeFalse();
        good.State.Admits(_bench.Now).Should().BeTrue();
        bad.State.Ejections.Should().Be(0);
    }

    [Fact]
    public void An_operators_order_does_not_cut_a_throttled_servers_Retry_After_short()
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, HealthBench.Throttled(60));
        endpoint.Order(HealthOrder.Drain, _bench.Now);
        endpoint.Order(HealthOrder.BringUp, _bench.Now);
        _bench.MayBegin(endpoint, BeginMode.Normal).Should().BeFalse();
        _bench.Pass(60);
        _bench.Begin(endpoint);
    }

    [Fact]
    public void An_overloaded_model_ejects_all_that_serve_it_and_no_other_model()
    {
        var overloaded = new Fault(FaultKind.Overloaded) { StatusCode = 529, Reach = FaultReach.Model };
        var first = _bench.Add("a", Openai("acme", "1", "big"));
        var second = _bench.Add("b", Openai("other", "2", "big"));
        var small = _bench.Add("c", Openai("acme", "1", "small"));
        _bench.Fail(first, overloaded, 5);
        first.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        second.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        small.State.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public void An_overload_seen_elsewhere_does_not_outweigh_an_endpoints_own_successes()
    {
        var overloaded = new Fault(FaultKind.Overloaded) { StatusCode = 529, Reach = FaultReach.Model };
        var first = _bench.Add("a", Openai("acme", "1"));
        var second = _bench.Add("b", Openai("other", "2"));
        for (var i = 0; i < 20; i++)
        {
            if (first.State.Admits(_bench.Now))
                _bench.Fail(first, overloaded);
            _bench.Succeed(second);
        }

        first.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        second.State.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public void A_straggler_may_cool_its_domain_but_not_eject_it()
    {
        var first = _bench.Add("a", Openai("acme", "1"));
        var second = _bench.Add("b", Openai("acme", "2"));
        var stragglers = Enumerable.Range(0, 6).Select(_ => _bench.Begin(first)).ToList();
        _bench.Fail(first, FaultKind.ServerError, 5);
        var overloaded = new Fault(FaultKind.Overloaded) { Reach = FaultReach.Model };
        foreach (var ticket in stragglers[..5])
            first.Complete(ticket, overloaded, _bench.Now);
        second.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        first.State.Ejections.Should().Be(1);

        first.Complete(stragglers[5], HealthBench.Throttled(50) with { Reach = FaultReach.Account }, _bench.Now);
        first.State.CooldownUntil.Should().Be(_bench.Now + TimeSpan.FromSeconds(50));
        second.State.CooldownUntil.Should().Be(first.State.CooldownUntil);
        _bench.PassTo(first.State.Until!.Value);
        first.State.IsTrialReady(_bench.Now).Should().BeFalse("its ejection is over, what the server asked for is not");
        first.State.IsTrialAllowedInOutage(_bench.Now).Should().BeFalse();
    }

    [Fact]
    public void What_was_said_before_the_account_was_cleared_does_not_exhaust_it_again()
    {
        var endpoint = _bench.Add("a", Openai("acme", "1"));
        var old = _bench.Begin(endpoint);
        _bench.Fail(endpoint, FaultKind.QuotaExhausted);
        _bench.Pass(10);
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        _bench.Pass(1);
        endpoint.Complete(old, new Fault(FaultKind.QuotaExhausted), _bench.Now);
        endpoint.State.Admits(_bench.Now).Should().BeTrue();
        _bench.Fail(endpoint, FaultKind.QuotaExhausted);
        endpoint.State.Admits(_bench.Now).Should().BeFalse();
    }
}
