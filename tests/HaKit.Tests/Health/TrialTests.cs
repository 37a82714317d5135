using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class TrialTests
{
    private readonly HealthBench _bench = new();

    [Fact]
    public void Ejected_endpoint_gets_exactly_one_trial_after_its_period()
    {
        var endpoint = _bench.AddEjected("a");
        var until = endpoint.State.Until!.Value;
        _bench.Tracker.NextChange.Should().Be(until);
        _bench.PassTo(until - TimeSpan.FromTicks(1));
        endpoint.State.IsTrialReady(_bench.Now).Should().BeFalse();
        _bench.MayBegin(endpoint, BeginMode.Trial).Should().BeFalse();

        _bench.PassTo(until);
        endpoint.State.IsTrialReady(_bench.Now).Should().BeTrue();
        _bench.Begin(endpoint, BeginMode.Trial).IsTrial.Should().BeTrue();
        _bench.MayBegin(endpoint, BeginMode.Trial).Should().BeFalse();
        _bench.MayBegin(endpoint, BeginMode.OutageTrial).Should().BeFalse();
        _bench.MayBegin(endpoint, BeginMode.Normal).Should().BeFalse();
    }

    [Fact]
    public void A_trial_is_resolved_at_first_content_and_the_endpoint_returns_on_a_ramp()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        var ticket = _bench.Begin(endpoint, BeginMode.Trial);
        endpoint.RecordFirstContent(ticket, _bench.Now);

        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        endpoint.State.SlowStartShare(_bench.Now).Should().BeApproximately(0.1, 1e-12);
        endpoint.State.SlowStartShare(_bench.Now + TimeSpan.FromSeconds(15)).Should().BeApproximately(0.55, 1e-12);
        _bench.Pass(30);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        endpoint.State.SlowStartShare(_bench.Now).Should().Be(1);
        endpoint.Complete(ticket, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public void A_trial_whose_stream_is_cut_after_its_first_content_has_failed()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        var ticket = _bench.Begin(endpoint, BeginMode.Trial);
        endpoint.RecordFirstContent(ticket, _bench.Now);
        endpoint.Complete(ticket, new Fault(FaultKind.PartialResponse), _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.State.Ejections.Should().Be(2);
    }

    [Theory]
    [InlineData(FaultKind.CallerCancelled)]
    [InlineData(FaultKind.DeadlineExceeded)]
    [InlineData(FaultKind.InvalidRequest)]
    [InlineData(FaultKind.ContextLength)]
    [InlineData(FaultKind.ContentFilter)]
    public void A_neutral_outcome_frees_the_half_open_slot_without_a_verdict(FaultKind kind)
    {
        var endpoint = _bench.AddEjected("a");
        var (until, ejections) = (endpoint.State.Until!.Value, endpoint.State.Ejections);
        _bench.PassTo(until);
        for (var i = 0; i < 3; i++)
        {
            endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), new Fault(kind), _bench.Now);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
            endpoint.State.Until.Should().Be(until);
            endpoint.State.Ejections.Should().Be(ejections);
        }
    }

    [Fact]
    public void A_trial_without_an_answer_frees_the_slot_at_its_deadline_and_doubles_the_period()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        var hung = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Tracker.NextChange.Should().Be(_bench.Now + TimeSpan.FromSeconds(30));
        _bench.Pass(30);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.State.Ejections.Should().Be(2);

        endpoint.Complete(hung, new Fault(FaultKind.FirstContentTimeout), _bench.Now);
        endpoint.State.Ejections.Should().Be(2, "its slot was given up");
        _bench.PassTo(endpoint.State.Until!.Value);
        _bench.Begin(endpoint, BeginMode.Trial);
    }

    [Fact]
    public void The_late_failure_of_an_abandoned_trial_does_not_decide_the_next_one()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        var hung = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Pass(30);
        _bench.PassTo(endpoint.State.Until!.Value);
        var next = _bench.Begin(endpoint, BeginMode.Trial);
        endpoint.Complete(hung, new Fault(FaultKind.PartialResponse), _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Trial);
        endpoint.Complete(next, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.State.Ejections.Should().Be(3);
    }

    [Fact]
    public void Stragglers_never_decide_a_trial()
    {
        var endpoint = _bench.Add("a");
        var good = _bench.Begin(endpoint);
        var bad = _bench.Begin(endpoint);
        _bench.Fail(endpoint, FaultKind.ServerError, 5);
        _bench.PassTo(endpoint.State.Until!.Value);
        var trial = _bench.Begin(endpoint, BeginMode.Trial);
        var state = endpoint.State;
        endpoint.Complete(good, null, _bench.Now);
        endpoint.Complete(bad, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.State.Should().BeSameAs(state);
        endpoint.Complete(trial, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void In_an_outage_the_period_does_not_matter_and_failed_trials_do_not_double_it()
    {
        var endpoint = _bench.AddEjected("a");
        var until = endpoint.State.Until;
        for (var i = 0; i < 20; i++)
        {
            _bench.Pass(0.1);
            endpoint.State.IsTrialReady(_bench.Now).Should().BeFalse();
            endpoint.State.IsTrialAllowedInOutage(_bench.Now).Should().BeTrue();
            endpoint.Complete(_bench.Begin(endpoint, BeginMode.OutageTrial), new Fault(FaultKind.ServerError), _bench.Now);
        }

        endpoint.State.Ejections.Should().Be(1);
        endpoint.State.Until.Should().Be(until);
        endpoint.Complete(_bench.Begin(endpoint, BeginMode.OutageTrial), null, _bench.Now);
        endpoint.State.Admits(_bench.Now).Should().BeTrue();
    }

    [Fact]
    public void Fail_open_takes_the_slot_if_it_is_free_and_otherwise_decides_nothing()
    {
        var endpoint = _bench.AddEjected("a");
        var trial = _bench.Begin(endpoint, BeginMode.FailOpen);
        var other = _bench.Begin(endpoint, BeginMode.FailOpen);
        (trial.IsTrial, other.IsTrial).Should().Be((true, false));
        var state = endpoint.State;
        endpoint.Complete(other, null, _bench.Now);
        endpoint.State.Should().BeSameAs(state);
        endpoint.Complete(trial, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        _bench.Begin(endpoint, BeginMode.FailOpen).IsTrial.Should().BeFalse();
    }

    [Theory]
    [InlineData(HealthOrder.Drain)]
    [InlineData(HealthOrder.ForceDown)]
    public void Nothing_passes_an_operators_order_but_another_order(HealthOrder order)
    {
        var endpoint = _bench.Add("a");
        var inFlight = _bench.Begin(endpoint);
        endpoint.Order(order, _bench.Now);
        foreach (var mode in Enum.GetValues<BeginMode>())
            _bench.MayBegin(endpoint, mode).Should().BeFalse();
        endpoint.Complete(inFlight, null, _bench.Now);
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        _bench.Pass(10_000);
        foreach (var mode in Enum.GetValues<BeginMode>())
            _bench.MayBegin(endpoint, mode).Should().BeFalse();

        endpoint.Order(HealthOrder.BringUp, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        _bench.Begin(endpoint);
    }

    [Fact]
    public void Asked_before_its_time_or_in_an_outage_it_is_not_put_off_for_failing()
    {
        foreach (var (mode, isReady) in new[] { (BeginMode.FailOpen, false), (BeginMode.OutageTrial, true), (BeginMode.OutageTrial, false) })
        {
            var endpoint = _bench.AddEjected("a");
            if (isReady)
                _bench.PassTo(endpoint.State.Until!.Value);
            endpoint.Complete(_bench.Begin(endpoint, mode), new Fault(FaultKind.ServerError), _bench.Now);
            endpoint.State.Ejections.Should().Be(1, "{0}", mode);
            endpoint.State.Until.Should().BeGreaterThan(_bench.Now);
            (endpoint.State.Until!.Value - _bench.Now).TotalSeconds.Should().BeLessThanOrEqualTo(6);
        }
    }

    [Fact]
    public void A_trial_that_a_breaker_refuses_waits_for_the_later_of_breaker_and_ejection()
    {
        foreach (var breaker in new[] { 1, 60 })
        {
            var endpoint = _bench.AddEjected("a");
            var until = endpoint.State.Until!.Value;
            var trial = _bench.Begin(endpoint, BeginMode.OutageTrial);
            endpoint.Complete(trial, new Fault(FaultKind.BreakerOpen) { RetryAfter = TimeSpan.FromSeconds(breaker) }, _bench.Now);
            endpoint.State.Until.Should().Be(breaker == 1 ? until : _bench.Now + TimeSpan.FromSeconds(60));
            endpoint.State.Ejections.Should().Be(1);
        }
    }

    [Fact]
    public void Without_a_ramp_an_endpoint_is_back_in_full_at_once()
    {
        var bench = new HealthBench(new HealthOptions { SlowStartDuration = TimeSpan.Zero });
        var endpoint = bench.AddEjected("a");
        bench.PassTo(endpoint.State.Until!.Value);
        endpoint.Complete(bench.Begin(endpoint, BeginMode.Trial), null, bench.Now);
        endpoint.State.SlowStartShare(bench.Now).Should().Be(1);
    }

    [Fact]
    public void The_begin_of_a_trial_is_told_at_once()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Changes[^1].After.Status.Should().Be(EndpointHealthStatus.Trial);
    }
}
