using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class SelfSuspicionTests
{
    private readonly HealthBench _bench = new(alone: true);

    [Theory]
    [InlineData(FaultKind.FirstContentTimeout)]
    [InlineData(FaultKind.AttemptTimeout)]
    [InlineData(FaultKind.IdleTimeout)]
    [InlineData(FaultKind.ConnectTimeout)]
    [InlineData(FaultKind.ConnectFailed)]
    [InlineData(FaultKind.ConnectionReset)]
    [InlineData(FaultKind.PartialResponse)]
    public void A_20_s_pause_of_our_own_process_ejects_no_one(FaultKind kind)
    {
        foreach (var toldFirst in new[] { true, false })
        {
            var bench = new HealthBench(alone: true);
            var endpoints = Enumerable.Range(0, 3).Select(i => bench.Add($"e{i}")).ToList();
            var tickets = endpoints.SelectMany(e => Enumerable.Range(0, 20).Select(_ => (e, Ticket: bench.Begin(e)))).ToList();
            bench.Pass(20);
            if (toldFirst)
                bench.Tracker.TimersWereLate(bench.Now, TimeSpan.FromSeconds(20));
            foreach (var (endpoint, ticket) in tickets)
                endpoint.Complete(ticket, new Fault(kind), bench.Now);
            if (!toldFirst)
                bench.Tracker.TimersWereLate(bench.Now, TimeSpan.FromSeconds(20));

            endpoints.Should().OnlyContain(e => e.State.Admits(bench.Now) && e.State.Ejections == 0 && e.State.ConsecutiveFailures == 0);
            foreach (var endpoint in endpoints)
                bench.Succeed(endpoint);
            endpoints.Should().OnlyContain(e => e.State.Status == EndpointHealthStatus.Healthy);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_clock_that_jumps_an_hour_changes_no_state(int hours)
    {
        var endpoints = new[] { _bench.Add("a"), _bench.Add("b") };
        _bench.Fail(endpoints[1], FaultKind.ServerError, 4);
        var ticket = _bench.Begin(endpoints[0]);
        var states = endpoints.Select(e => e.State).ToList();
        var jumped = _bench.Now + TimeSpan.FromHours(hours);
        _bench.Tracker.Advance(jumped);
        endpoints[0].Complete(ticket, null, jumped);
        endpoints[0].TryBegin(BeginMode.Normal, jumped, out var other).Should().BeTrue();
        endpoints[0].Complete(other, null, _bench.Now);
        endpoints.Select(e => e.State).Should().Equal(states);
        endpoints.Should().OnlyContain(e => e.State.Admits(jumped) && e.State.Admits(_bench.Now));
    }

    [Fact]
    public void What_the_pause_does_not_explain_still_counts()
    {
        _bench.Add("another");
        var endpoint = _bench.Add("a");
        var tickets = Enumerable.Range(0, 5).Select(_ => _bench.Begin(endpoint)).ToList();
        _bench.Pass(20);
        _bench.Tracker.TimersWereLate(_bench.Now, TimeSpan.FromSeconds(20));
        foreach (var ticket in tickets)
            endpoint.Complete(ticket, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void Timeouts_count_again_when_the_grace_after_a_pause_is_over()
    {
        var endpoint = _bench.Add("a");
        _bench.Tracker.TimersWereLate(_bench.Now, TimeSpan.FromSeconds(20));
        _bench.Fail(endpoint, FaultKind.FirstContentTimeout, 20);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        _bench.Pass(5);
        _bench.Fail(endpoint, FaultKind.FirstContentTimeout, 5);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void Timers_a_little_late_are_no_pause()
    {
        var endpoint = _bench.Add("a");
        _bench.Tracker.TimersWereLate(_bench.Now, TimeSpan.FromSeconds(2));
        _bench.Fail(endpoint, FaultKind.FirstContentTimeout, 5);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void A_trial_that_slept_with_us_has_not_failed()
    {
        _bench.Add("another");
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Pass(40);
        endpoint.State.Ejections.Should().Be(2, "its deadline passed while we slept");
        _bench.Tracker.TimersWereLate(_bench.Now, TimeSpan.FromSeconds(35));
        endpoint.State.Ejections.Should().Be(1);
        endpoint.State.IsTrialReady(_bench.Now).Should().BeTrue();

        var second = _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Tracker.TimersWereLate(_bench.Now, TimeSpan.FromSeconds(3));
        endpoint.Complete(second, new Fault(FaultKind.FirstContentTimeout), _bench.Now);
        endpoint.State.Ejections.Should().Be(1);
        endpoint.State.IsTrialReady(_bench.Now).Should().BeTrue("the slot is free again");
    }

    [Fact]
    public void Connecting_that_fails_everywhere_at_once_is_our_own_fault()
    {
        var endpoints = Enumerable.Range(0, 3).Select(i => _bench.Add($"e{i}")).ToList();
        for (var call = 0; call < 50; call++)
        {
            foreach (var endpoint in endpoints)
                _bench.Fail(endpoint, FaultKind.ConnectFailed);
            _bench.Pass(0.1);
        }

        endpoints.Should().OnlyContain(e => e.State.Status == EndpointHealthStatus.Suspect && e.State.Ejections == 0);
        _bench.Succeed(endpoints[0]);
        _bench.Fail(endpoints[1], FaultKind.ConnectFailed);
        endpoints[0].State.Status.Should().Be(EndpointHealthStatus.Healthy);
        endpoints[1].State.Status.Should().Be(EndpointHealthStatus.Ejected, "somebody connects, so the verdict is put off no longer");
    }

    [Fact]
    public void The_first_ejected_in_such_a_moment_is_taken_back_when_the_last_one_fails_too()
    {
        var endpoints = Enumerable.Range(0, 3).Select(i => _bench.Add($"e{i}")).ToList();
        for (var call = 0; call < 3; call++)
        {
            _bench.Pass(5);
            foreach (var endpoint in endpoints)
                _bench.Fail(endpoint, FaultKind.ConnectFailed);
        }

        _bench.Changes.Should().Contain(c => c.After.Status == EndpointHealthStatus.Ejected);
        endpoints.Should().OnlyContain(e => e.State.Status == EndpointHealthStatus.Suspect && e.State.Ejections == 0);
    }

    [Fact]
    public void One_that_still_connects_shows_that_it_is_not_us()
    {
        var down = _bench.Add("a");
        var up = _bench.Add("b");
        for (var call = 0; call < 3; call++)
        {
            _bench.Fail(down, FaultKind.ConnectFailed);
            _bench.Fail(up, FaultKind.ConnectFailed);
            _bench.Succeed(up);
        }

        down.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        up.State.Admits(_bench.Now).Should().BeTrue();
    }

    [Fact]
    public void A_single_endpoint_cannot_clear_itself_by_suspecting_us()
    {
        var only = _bench.Add("a");
        _bench.AddEjected("b");
        _bench.Fail(only, FaultKind.ConnectFailed, 3);
        only.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void Heartbeats_that_miss_everywhere_eject_no_one_and_one_that_hits_again_convicts_the_others()
    {
        var endpoints = Enumerable.Range(0, 3).Select(i => _bench.Add($"e{i}")).ToList();
        var missed = new Fault(FaultKind.ConnectTimeout);
        for (var round = 0; round < 6; round++)
        {
            foreach (var endpoint in endpoints)
            {
                _bench.Pass(3.3);
                endpoint.Probe(ProbeLevel.Reachable, missed, _bench.Now);
            }
        }

        endpoints.Should().OnlyContain(e => e.State.Status == EndpointHealthStatus.Suspect);
        for (var round = 0; round < 3; round++)
        {
            _bench.Pass(3.3);
            endpoints[0].Probe(ProbeLevel.Reachable, null, _bench.Now);
            _bench.Pass(3.3);
            endpoints[1].Probe(ProbeLevel.Reachable, missed, _bench.Now);
        }

        endpoints[0].State.Status.Should().Be(EndpointHealthStatus.Healthy);
        endpoints[1].State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void A_trial_that_is_under_way_in_a_pause_gets_the_grace_and_never_less_time_than_it_had()
    {
        foreach (var (passed, left) in new[] { (28, 5), (1, 29) })
        {
            var bench = new HealthBench();
            var endpoint = bench.AddEjected("a");
            bench.PassTo(endpoint.State.Until!.Value);
            bench.Begin(endpoint, BeginMode.Trial);
            bench.Pass(passed);
            bench.Tracker.TimersWereLate(bench.Now, TimeSpan.FromSeconds(3));
            bench.Pass(left - 0.001);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.Trial);
            bench.Pass(0.001);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        }
    }

    [Fact]
    public void What_was_counted_before_a_pause_is_forgotten_with_it_and_what_it_took_back_is_told()
    {
        var endpoint = _bench.Add("a");
        for (var pair = 0; pair < 5; pair++)
        {
            _bench.Fail(endpoint, FaultKind.ServerError, pair < 4 ? 1 : 0);
            _bench.Succeed(endpoint);
        }

        var other = _bench.Add("b");
        _bench.Fail(other, FaultKind.FirstContentTimeout, 5);
        _bench.Tracker.TimersWereLate(_bench.Now, TimeSpan.FromSeconds(3));
        _bench.Changes[^1].After.Status.Should().Be(EndpointHealthStatus.Suspect);
        _bench.Fail(endpoint, FaultKind.ServerError);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect, "5 of 10 otherwise");
    }

    [Fact]
    public void Two_that_both_cannot_be_connected_to_are_enough_to_suspect_us()
    {
        var endpoints = new[] { _bench.Add("a"), _bench.Add("b") };
        for (var call = 0; call < 10; call++)
        {
            foreach (var endpoint in endpoints)
                _bench.Fail(endpoint, FaultKind.ConnectFailed);
        }

        endpoints.Should().OnlyContain(e => e.State.Status == EndpointHealthStatus.Suspect);
    }

    [Fact]
    public void What_was_taken_back_is_convicted_by_its_next_failure_once_somebody_connects()
    {
        var endpoints = Enumerable.Range(0, 3).Select(i => _bench.Add($"e{i}")).ToList();
        for (var call = 0; call < 3; call++)
        {
            _bench.Pass(5);
            foreach (var endpoint in endpoints)
                _bench.Fail(endpoint, FaultKind.ConnectFailed);
        }

        _bench.Succeed(endpoints[2]);
        _bench.Fail(endpoints[0], FaultKind.ConnectFailed);
        endpoints[0].State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoints[2].State.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(60, true)]
    [InlineData(60, false)]
    public void A_trial_that_timed_out_during_a_pause_leaves_the_ejection_as_it_was(double wait, bool isOutageTrial)
    {
        foreach (var isTimeAppliedFirst in new[] { true, false })
        {
            var bench = new HealthBench(new HealthOptions { BreakDuration = TimeSpan.FromSeconds(50), MaxBreakDuration = TimeSpan.FromSeconds(500) });
            var endpoint = bench.Add("a");
            bench.Fail(endpoint, FaultKind.ConnectFailed, 3);
            endpoint.Probe(ProbeLevel.Reachable, null, bench.Now);
            bench.Pass(wait);
            var before = endpoint.State;
            bench.Begin(endpoint, isOutageTrial ? BeginMode.OutageTrial : BeginMode.Trial);
            if (isTimeAppliedFirst)
                bench.Pass(40);
            var now = bench.Now + TimeSpan.FromSeconds(isTimeAppliedFirst ? 0 : 40);
            bench.Tracker.TimersWereLate(now, TimeSpan.FromSeconds(35));
            endpoint.State.Should().Be(before with { Since = now, IsOutageTrial = endpoint.State.IsOutageTrial, TrialUntil = endpoint.State.TrialUntil, JudgedAt = null, Epoch = endpoint.State.Epoch, EpochSince = now });
            bench.PassTo(now);
            endpoint.Probe(ProbeLevel.Reachable, null, now);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart, "the probe that could bring the endpoint back before the trial still can");
        }
    }

    [Fact]
    public void A_cooldown_trial_that_timed_out_during_a_pause_causes_no_ejection()
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, new Fault(FaultKind.QuotaExhausted));
        _bench.Pass(60);
        _bench.Begin(endpoint, BeginMode.Trial);
        _bench.Pass(40);
        _bench.Tracker.TimersWereLate(_bench.Now, TimeSpan.FromSeconds(35));
        (endpoint.State.Status, endpoint.State.Ejections).Should().Be((EndpointHealthStatus.Healthy, 0));
        endpoint.State.IsTrialReady(_bench.Now).Should().BeTrue("the cooldown goes on");
    }
}
