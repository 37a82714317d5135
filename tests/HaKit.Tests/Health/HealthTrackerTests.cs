using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>
/// Tests what the tracker adds to the reducer: the effect on other endpoints, the history of a key, jitter, and the reports of rules in report mode.
/// </summary>
public sealed class HealthTrackerTests
{
    private const double Hours = 3600;

    private static readonly Fault s_error = new(FaultKind.ServerError);

    private static FailureDomains Key(string name) => new() { Provider = "p", Account = "1", KeyName = name };

    [Theory]
    [InlineData(0, false, EndpointHealthStatus.Healthy)]
    [InlineData(1, true, EndpointHealthStatus.Healthy)]
    [InlineData(1, false, EndpointHealthStatus.Ejected)]
    public void Other_replicas_never_eject_the_last_endpoint(int others, bool isLast, EndpointHealthStatus expected)
    {
        var bench = new HealthBench(alone: others == 0);
        var endpoint = bench.Add("a");
        endpoint.ApplyPeerFact(PeerWord.Ejected, s_error, bench.Now, default, isLast, bench.Now);
        endpoint.State.Status.Should().Be(expected);
        bench.Changes.Should().HaveCount(expected == EndpointHealthStatus.Ejected ? 1 : 0);
    }

    [Fact]
    public void A_silence_that_the_caller_left_is_told_at_once()
    {
        var bench = new HealthBench();
        var endpoint = bench.Add("a");
        endpoint.RecordLeftInSilence(bench.Begin(endpoint), new Fault(FaultKind.FirstContentTimeout), bench.Now);
        bench.Changes.Should().ContainSingle().Which.After.Status.Should().Be(EndpointHealthStatus.Suspect);
    }

    [Theory]
    [InlineData("", "", 0, 3600)]
    [InlineData("own", "", 0, 5)]
    [InlineData("own", "", 24 * Hours, 5)]
    [InlineData("own", "", 24 * Hours + 1, 3600)]
    [InlineData("own", "own", 20 * Hours, 5)]
    [InlineData("sibling", "", 1, 5)]
    [InlineData("stranger", "", 1, 3600)]
    public void A_refused_key_is_tried_again_soon_only_if_it_has_served_within_a_day(string served, string servedAgain, double ago, double wait)
    {
        var bench = new HealthBench();
        var endpoints = new Dictionary<string, EndpointHealth>
        {
            ["own"] = bench.Add("own", Key("1")),
            ["sibling"] = bench.Add("sibling", Key("1")),
            ["stranger"] = bench.Add("stranger", Key("2")),
        };
        if (served.Length > 0)
            bench.Succeed(endpoints[served]);
        if (servedAgain.Length > 0)
        {
            bench.Pass(20 * Hours);
            bench.Succeed(endpoints[servedAgain]);
        }

        bench.Pass(ago);
        bench.Fail(endpoints["own"], FaultKind.Unauthorized);
        endpoints["own"].State.Cooldown!.TrialAt.Should().Be(bench.Now + TimeSpan.FromSeconds(wait));
        endpoints["sibling"].State.Cooldown!.TrialAt.Should().Be(bench.Now + TimeSpan.FromSeconds(wait));
        endpoints["stranger"].State.Cooldown.Should().BeNull();
    }

    [Theory]
    [InlineData(0, 1, EndpointHealthStatus.Ejected)]
    [InlineData(0, 2, EndpointHealthStatus.Suspect)]
    [InlineData(1, 2, EndpointHealthStatus.Suspect)]
    [InlineData(1.001, 2, EndpointHealthStatus.Ejected)]
    public void Two_failures_to_connect_to_the_other_endpoint_within_a_second_undo_the_ejection(double later, int failures, EndpointHealthStatus expected)
    {
        var bench = new HealthBench(alone: true);
        var first = bench.Add("a");
        var second = bench.Add("b");
        bench.Fail(first, FaultKind.ConnectFailed, 3);
        first.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        bench.Pass(later);
        bench.Fail(second, FaultKind.ConnectFailed, failures);
        first.State.Status.Should().Be(expected);
    }

    [Fact]
    public void Failures_to_connect_during_a_cooldown_eject()
    {
        var bench = new HealthBench();
        var endpoint = bench.Add("a");
        var tickets = Enumerable.Range(0, 3).Select(_ => bench.Begin(endpoint)).ToList();
        bench.Fail(endpoint, HealthBench.Throttled(60));
        foreach (var ticket in tickets)
            endpoint.Complete(ticket, new Fault(FaultKind.ConnectFailed), bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Late_failures_to_connect_and_those_of_a_cooling_endpoint_do_not_excuse_another_endpoint(bool isCooling)
    {
        var bench = new HealthBench(alone: true);
        var failing = bench.Add("a");
        var other = bench.Add("b");
        var late = bench.Begin(other);
        if (!isCooling)
        {
            bench.Fail(other, s_error, 5);
            other.Order(HealthOrder.BringUp, bench.Now);
        }

        bench.Fail(failing, FaultKind.ConnectFailed, 3);
        bench.Fail(other, FaultKind.ConnectFailed);
        if (isCooling)
            bench.Fail(other, HealthBench.Throttled(60));
        other.Complete(late, new Fault(FaultKind.ConnectFailed), bench.Now);
        failing.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void The_last_endpoint_is_spared_from_the_failure_that_would_eject_it(int failures, bool isSpared)
    {
        var bench = new HealthBench(alone: true);
        var endpoint = bench.Add("a");
        bench.Fail(endpoint, s_error, failures);
        (endpoint.State.Status, endpoint.State.ConsecutiveFailures, endpoint.State.IsSpared).Should().Be((EndpointHealthStatus.Suspect, failures, isSpared));
    }

    [Fact]
    public void A_fault_of_the_region_counts_on_an_endpoint_with_another_number_of_epochs()
    {
        var bench = new HealthBench();
        var region = new FailureDomains { Provider = "p", Region = "r" };
        var returned = bench.AddEjected("returned", region);
        var sibling = bench.Add("sibling", region);
        returned.Order(HealthOrder.BringUp, bench.Now);
        returned.State.Epoch.Should().NotBe(sibling.State.Epoch);
        bench.Fail(returned, s_error with { Reach = FaultReach.Region });
        sibling.State.ConsecutiveFailures.Should().Be(1);
    }

    [Fact]
    public void A_trial_for_one_endpoint_does_not_postpone_the_trial_of_an_endpoint_with_the_same_domains()
    {
        var bench = new HealthBench();
        var domains = Key("1");
        var first = bench.Add("a", domains);
        var second = bench.Add("b", domains);
        var fault = new Fault(FaultKind.QuotaExhausted) { Reach = FaultReach.Endpoint };
        bench.Fail(first, fault);
        bench.Fail(second, fault);
        bench.Pass(60);
        bench.Begin(first, BeginMode.Trial);
        bench.MayBegin(second, BeginMode.Trial).Should().BeTrue();
    }

    [Fact]
    public void The_period_after_a_trial_without_an_answer_has_jitter()
    {
        var periods = Enumerable.Range(1, 20).Select(seed =>
        {
            var bench = new HealthBench(seed: seed);
            var endpoint = bench.AddEjected("a");
            bench.Pass(6);
            bench.Begin(endpoint, BeginMode.Trial);
            bench.Pass(30);
            return (endpoint.State.Until!.Value - bench.Now).TotalSeconds;
        }).ToList();
        periods.Should().OnlyHaveUniqueItems().And.OnlyContain(p => p > 8 && p < 12);
    }

    [Fact]
    public void Beside_a_trial_the_fail_open_rule_begins_an_attempt_that_is_no_trial_and_no_evidence()
    {
        var bench = new HealthBench();
        var endpoint = bench.AddEjected("a");
        bench.Pass(6);
        bench.Begin(endpoint, BeginMode.Trial);
        var ticket = bench.Begin(endpoint, BeginMode.FailOpen);
        (ticket.IsTrial, ticket.Epoch).Should().Be((false, HealthTicket.NoEpoch));
        endpoint.Order(HealthOrder.Drain, bench.Now);
        bench.MayBegin(endpoint, BeginMode.FailOpen).Should().BeFalse("an operator's order always holds");
    }

    [Fact]
    public void A_rule_in_report_mode_reports_at_its_limit_and_then_once_per_period()
    {
        var bench = new HealthBench(new HealthOptions { FailuresRule = RuleMode.Report, FailureRatioRule = RuleMode.Off });
        var endpoint = bench.Add("a");
        foreach (var (failures, wait, reports) in new[] { (4, 0, 0), (1, 0, 1), (3, 0, 1), (1, 4.999, 1), (1, 0.001, 2), (1, 0, 2) })
        {
            bench.Pass(wait);
            bench.Fail(endpoint, s_error, failures);
            bench.Changes.Count(c => c.IsReport).Should().Be(reports);
        }
    }

    [Fact]
    public void A_removed_endpoint_is_not_reported()
    {
        var bench = new HealthBench(new HealthOptions { FailuresRule = RuleMode.Report, FailureRatioRule = RuleMode.Off });
        var endpoint = bench.Add("a");
        bench.Fail(endpoint, s_error, 4);
        bench.Tracker.Remove(endpoint);
        bench.Fail(endpoint, s_error);
        bench.Changes.Should().NotContain(c => c.IsReport);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void A_refused_key_is_reported_unless_the_quota_has_taken_the_endpoint_out_already(bool isOut, int reports)
    {
        var bench = new HealthBench(new HealthOptions { KeyRule = RuleMode.Report });
        var endpoint = bench.Add("a");
        var ticket = bench.Begin(endpoint);
        if (isOut)
            bench.Fail(endpoint, FaultKind.QuotaExhausted);
        endpoint.Complete(ticket, new Fault(FaultKind.Unauthorized), bench.Now);
        bench.Changes.Count(c => c.IsReport).Should().Be(reports);
    }

    [Fact]
    public void A_handler_that_throws_delays_no_change_and_hides_none_from_the_other_handlers()
    {
        var tracker = new HealthTracker(new HealthOptions(), new Random(1));
        var (told, ends) = (new List<EndpointHealthStatus>(), 0);
        EndpointHealth? endpoint = null;
        tracker.Changed += change =>
        {
            if (change.After.Status == EndpointHealthStatus.Suspect)
                endpoint!.Order(HealthOrder.Drain, default);
            throw new InvalidOperationException($"{change.After.Status}");
        };
        tracker.Changed += change => told.Add(change.After.Status);
        tracker.Delivered += () => ends++;
        endpoint = tracker.Add("a", FailureDomains.None, default);
        endpoint.TryBegin(BeginMode.Normal, default, out var ticket);
        var failing = () => endpoint.Complete(ticket, s_error, default);
        failing.Should().Throw<InvalidOperationException>().WithMessage("Suspect");
        told.Should().Equal(EndpointHealthStatus.Suspect, EndpointHealthStatus.Draining);
        ends.Should().Be(1);
    }
}
