using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Tests answers of trials that come late, or that are refusals.</summary>
public sealed class TrialAnswerTests
{
    private static readonly Fault s_error = new(FaultKind.ServerError);
    private readonly HealthBench _bench = new();

    private EndpointHealth AddDue()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        return endpoint;
    }

    private static void Answer(EndpointHealth endpoint, HealthTicket ticket, bool isStream, TimeSpan now)
    {
        if (isStream)
            endpoint.RecordFirstContent(ticket, now);
        else
            endpoint.Complete(ticket, null, now);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Answer_of_a_trial_that_comes_after_the_timeout_of_the_trial_brings_the_endpoint_back(bool isStream)
    {
        var endpoint = AddDue();
        var ticket = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Pass(31);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.State.Ejections.Should().Be(2);
        _bench.Pass(4);
        Answer(endpoint, ticket, isStream, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        endpoint.State.Ejections.Should().Be(1, "the trial has succeeded");
        endpoint.State.SlowStartShare(_bench.Now).Should().BeApproximately(0.1, 1e-12);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Late_answer_brings_the_endpoint_back_although_the_next_trial_of_the_outage_has_begun(bool isStream)
    {
        var endpoint = AddDue();
        var late = _bench.Begin(endpoint, BeginMode.OutageTrial);
        _bench.Pass(31);
        var next = _bench.Begin(endpoint, BeginMode.OutageTrial);
        _bench.Pass(14);
        Answer(endpoint, late, isStream, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart, "otherwise every answer would come too late, for ever");
        _bench.Pass(1);
        endpoint.Complete(next, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void Late_answer_does_not_undo_the_failure_of_the_next_trial()
    {
        var endpoint = AddDue();
        var late = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Pass(31);
        _bench.PassTo(endpoint.State.Until!.Value);
        endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), s_error, _bench.Now);
        var failed = endpoint.State;
        Answer(endpoint, late, isStream: true, _bench.Now);
        Answer(endpoint, late, isStream: false, _bench.Now);
        endpoint.State.Should().BeSameAs(failed);
    }

    [Fact]
    public void Late_answer_of_a_trial_from_before_the_latest_ejection_changes_nothing()
    {
        var endpoint = AddDue();
        var late = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Pass(31);
        endpoint.Order(HealthOrder.BringUp, _bench.Now);
        _bench.Fail(endpoint, s_error, 5);
        _bench.PassTo(endpoint.State.Until!.Value);
        _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Pass(31);
        var ejected = endpoint.State;
        ejected.Status.Should().Be(EndpointHealthStatus.Ejected);
        Answer(endpoint, late, isStream: false, _bench.Now);
        endpoint.State.Should().BeSameAs(ejected);
    }

    [Fact]
    public void Late_answer_does_not_overrule_an_operator()
    {
        var endpoint = AddDue();
        var late = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Pass(31);
        endpoint.Order(HealthOrder.ForceDown, _bench.Now);
        Answer(endpoint, late, isStream: false, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.ForcedDown);
    }

    [Theory]
    [InlineData(FaultKind.Unauthorized)]
    [InlineData(FaultKind.QuotaExhausted)]
    public void Trial_of_a_cooldown_that_a_refusal_ended_is_repeated_only_after_a_growing_wait(FaultKind kind)
    {
        var endpoint = _bench.Add("a");
        _bench.Succeed(endpoint);
        _bench.Pass(1);
        _bench.Fail(endpoint, kind);
        var refusal = new Fault(FaultKind.Forbidden) { IsProvisional = true };
        refusal.IsNeutral.Should().BeTrue();
        var trials = new List<TimeSpan>();
        for (var second = 0; second < 200; second++)
        {
            _bench.Pass(1);
            if (!endpoint.State.IsTrialReady(_bench.Now))
                continue;
            trials.Add(_bench.Now);
            endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), refusal, _bench.Now);
            endpoint.State.IsInService.Should().BeTrue("a refusal ejects no endpoint");
        }
        trials.Count.Should().BeInRange(3, 10);
        trials.Zip(trials.Skip(1), static (a, b) => (b - a).TotalSeconds).Should().OnlyContain(static gap => gap <= 31);
    }
}
