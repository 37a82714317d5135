using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class EjectionTests
{
    private static readonly Fault ServerError = new(FaultKind.ServerError);
    private readonly HealthBench _bench = new();

    [Fact]
    public void New_endpoint_is_healthy_and_takes_its_full_share()
    {
        var endpoint = _bench.Add("a");
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        endpoint.State.Admits(_bench.Now).Should().BeTrue();
        endpoint.State.SlowStartShare(_bench.Now).Should().Be(1);
        _bench.Tracker.NextChange.Should().Be(TimeSpan.MaxValue);
    }

    [Theory]
    [InlineData(FaultKind.ConnectFailed)]
    [InlineData(FaultKind.ConnectTimeout)]
    [InlineData(FaultKind.DnsFailed)]
    [InlineData(FaultKind.TlsFailed)]
    public void Connection_refused_ejects_after_three_in_a_row(FaultKind kind)
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, kind, 2);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        _bench.Fail(endpoint, kind);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.State.Cause!.Kind.Should().Be(kind);
    }

    [Theory]
    [InlineData(FaultKind.ServerError)]
    [InlineData(FaultKind.Overloaded)]
    [InlineData(FaultKind.FirstContentTimeout)]
    [InlineData(FaultKind.BrokenBody)]
    [InlineData(FaultKind.ModelNotFound)]
    [InlineData(FaultKind.PartialResponse)]
    [InlineData(FaultKind.Unknown)]
    public void Other_failures_of_the_endpoint_eject_after_five_in_a_row(FaultKind kind)
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, kind, 4);
        endpoint.State.Admits(_bench.Now).Should().BeTrue();
        _bench.Fail(endpoint, kind);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.State.Admits(_bench.Now).Should().BeFalse();
        _bench.MayBegin(endpoint, BeginMode.Normal).Should().BeFalse();
    }

    [Fact]
    public void A_success_in_between_starts_the_count_again()
    {
        var endpoint = _bench.Add("a");
        for (var round = 0; round < 4; round++)
        {
            _bench.Fail(endpoint, FaultKind.ServerError, 4);
            _bench.Succeed(endpoint);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
            _bench.Pass(31);
        }
    }

    [Fact]
    public void Half_of_ten_within_the_window_eject()
    {
        var endpoint = _bench.Add("a");
        for (var pair = 0; pair < 4; pair++)
        {
            _bench.Succeed(endpoint);
            _bench.Fail(endpoint, FaultKind.ServerError);
        }

        _bench.Succeed(endpoint);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        _bench.Fail(endpoint, FaultKind.ServerError);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void Refusals_in_a_row_do_not_eject_while_more_of_those_begun_since_are_under_way()
    {
        var endpoint = _bench.Add("a");
        // Each refusal arrives after two more attempts have begun. So after five refusals, eight attempts may still be answered.
        for (var failures = 1; failures <= 5; failures++)
            endpoint.Complete(_bench.Begin(endpoint), ServerError, _bench.Now, begun: 100 + 3 * failures, inFlight: 50);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        // These attempts fail too, and no more attempts have begun.
        for (var failures = 6; failures <= 7; failures++)
        {
            endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
            endpoint.Complete(_bench.Begin(endpoint), ServerError, _bench.Now, begun: 115, inFlight: 50);
        }
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void What_the_caller_ended_is_not_under_way()
    {
        var endpoint = _bench.Add("a");
        for (var failures = 1; failures <= 5; failures++)
            endpoint.Complete(_bench.Begin(endpoint), ServerError, _bench.Now, begun: 100 + 3 * failures, inFlight: 4);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected, "of the eight begun since that have not failed four have ended otherwise");
    }

    [Fact]
    public void Those_under_way_do_not_speak_for_an_endpoint_that_is_silent()
    {
        var endpoint = _bench.Add("a");
        for (var failures = 1; failures <= 5; failures++)
            endpoint.Complete(_bench.Begin(endpoint), new Fault(FaultKind.FirstContentTimeout), _bench.Now, begun: 100 + 3 * failures, inFlight: 50);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void What_had_begun_before_the_first_failure_of_a_row_does_not_speak_for_the_endpoint()
    {
        var endpoint = _bench.Add("a");
        for (var failures = 1; failures <= 5; failures++)
            endpoint.Complete(_bench.Begin(endpoint), ServerError, _bench.Now, begun: 1000 + failures, inFlight: 500);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void Half_of_those_that_have_ended_do_not_eject_while_as_many_are_under_way()
    {
        var endpoint = _bench.Add("a");
        for (var pair = 0; pair < 6; pair++)
        {
            _bench.Succeed(endpoint);
            endpoint.Complete(_bench.Begin(endpoint), ServerError, _bench.Now, begun: 12, inFlight: 12);
        }
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        endpoint.Complete(_bench.Begin(endpoint), ServerError, _bench.Now, begun: 12, inFlight: 1);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void What_is_older_than_the_window_does_not_count_for_the_ratio()
    {
        var endpoint = _bench.Add("a");
        for (var pair = 0; pair < 4; pair++)
        {
            _bench.Succeed(endpoint);
            _bench.Fail(endpoint, FaultKind.ServerError);
        }

        _bench.Pass(31);
        _bench.Succeed(endpoint);
        _bench.Fail(endpoint, FaultKind.ServerError);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
    }

    [Fact]
    public void Failures_on_second_and_later_attempts_count_once_each()
    {
        var first = _bench.Add("a");
        var second = _bench.Add("b");
        for (var call = 1; call <= 4; call++)
        {
            _bench.Fail(first, FaultKind.ServerError);
            _bench.Fail(second, FaultKind.ServerError);
            first.State.ConsecutiveFailures.Should().Be(call);
            second.State.ConsecutiveFailures.Should().Be(call);
        }
    }

    [Theory]
    [InlineData(FaultKind.CallerCancelled)]
    [InlineData(FaultKind.DeadlineExceeded)]
    [InlineData(FaultKind.InvalidRequest)]
    [InlineData(FaultKind.RequestTooLarge)]
    [InlineData(FaultKind.ContextLength)]
    [InlineData(FaultKind.ContentFilter)]
    public void The_callers_cancellation_and_the_requests_own_faults_count_for_nothing(FaultKind kind)
    {
        var endpoint = _bench.Add("a");
        _bench.Fail(endpoint, kind, 1000);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        _bench.Changes.Should().BeEmpty();
    }

    [Fact]
    public void Ejections_double_from_5_s_to_300_s_within_a_fifth()
    {
        var endpoint = _bench.AddEjected("a");
        foreach (var seconds in new[] { 5, 10, 20, 40, 80, 160, 300, 300 })
        {
            var length = endpoint.State.Until!.Value - _bench.Now;
            length.TotalSeconds.Should().BeInRange(0.8 * seconds, 1.2 * seconds);
            _bench.PassTo(endpoint.State.Until.Value);
            endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), new Fault(FaultKind.ServerError), _bench.Now);
        }
    }

    [Fact]
    public void A_failure_of_an_attempt_from_before_the_ejection_changes_nothing()
    {
        var endpoint = _bench.Add("a");
        var straggler = _bench.Begin(endpoint);
        _bench.Fail(endpoint, FaultKind.ServerError, 5);
        var ejected = endpoint.State;
        endpoint.Complete(straggler, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.State.Should().BeSameAs(ejected);
    }

    [Fact]
    public void Changes_are_told_in_order_even_when_a_listener_reports_in_turn()
    {
        EndpointHealth? endpoint = null;
        var told = new List<EndpointHealthStatus>();
        var depth = 0;
        var tracker = new HealthTracker(new HealthOptions(), new Random(1));
        tracker.Changed += change =>
        {
            depth++.Should().Be(0);
            told.Add(change.After.Status);
            if (change.After.Status == EndpointHealthStatus.Ejected)
                endpoint!.Order(HealthOrder.ForceDown, _bench.Now);
            depth--;
        };
        endpoint = tracker.Add("a", FailureDomains.None, _bench.Now);
        _bench.Fail(endpoint, FaultKind.ConnectFailed, 3);
        told.Should().Equal(EndpointHealthStatus.Suspect, EndpointHealthStatus.Suspect, EndpointHealthStatus.Ejected, EndpointHealthStatus.ForcedDown);
    }

    [Fact]
    public void After_a_full_recovery_each_300_s_of_health_make_one_ejection_forgotten()
    {
        foreach (var (healthy, next) in new[] { (299.999, 4), (300, 3), (599.999, 3), (600, 2), (3000, 1) })
        {
            var bench = new HealthBench(new HealthOptions { BreakJitter = 0 });
            var endpoint = bench.AddEjected("a");
            for (var trial = 0; trial < 3; trial++)
            {
                bench.PassTo(endpoint.State.Until!.Value);
                endpoint.Complete(bench.Begin(endpoint, BeginMode.Trial), trial < 2 ? new Fault(FaultKind.ServerError) : null, bench.Now);
            }

            endpoint.State.Ejections.Should().Be(3);
            bench.Pass(30);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
            bench.Pass(healthy);
            bench.Fail(endpoint, FaultKind.ServerError, 5);
            endpoint.State.Ejections.Should().Be(next);
            (endpoint.State.Until!.Value - bench.Now).Should().Be(TimeSpan.FromSeconds(5 * Math.Pow(2, next - 1)));
        }
    }

    [Fact]
    public void Nothing_is_forgotten_before_the_recovery_is_complete()
    {
        var options = new HealthOptions { BreakJitter = 0, EjectionMemory = TimeSpan.FromSeconds(10) };
        var bench = new HealthBench(options);
        var endpoint = bench.AddEjected("a");
        bench.PassTo(endpoint.State.Until!.Value);
        endpoint.Complete(bench.Begin(endpoint, BeginMode.Trial), null, bench.Now);
        bench.Pass(29.999);
        bench.Fail(endpoint, FaultKind.ServerError, 5);
        endpoint.State.Ejections.Should().Be(2);
    }

    [Fact]
    public void Lengths_are_spread_a_fifth_either_way()
    {
        var lengths = Enumerable.Range(0, 300).Select(i =>
        {
            var bench = new HealthBench(seed: i);
            return (bench.AddEjected("a").State.Until!.Value - bench.Now).TotalSeconds;
        }).ToList();
        lengths.Should().OnlyContain(s => s >= 4 && s <= 6);
        lengths.Min().Should().BeLessThan(4.1);
        lengths.Max().Should().BeGreaterThan(5.9);
    }

    [Fact]
    public void Fewer_than_ten_attempts_or_less_than_half_of_them_eject_nobody()
    {
        var few = _bench.Add("a");
        foreach (var answer in "FFFFSFSFF")
        {
            if (answer == 'F')
                _bench.Fail(few, FaultKind.ServerError);
            else
                _bench.Succeed(few);
        }

        few.State.Status.Should().Be(EndpointHealthStatus.Suspect, "7 of 9");
        _bench.Fail(few, FaultKind.ServerError);
        few.State.Status.Should().Be(EndpointHealthStatus.Ejected, "8 of 10");

        var less = _bench.Add("b");
        _bench.Succeed(less, 6);
        _bench.Fail(less, FaultKind.ServerError, 4);
        less.State.Status.Should().Be(EndpointHealthStatus.Suspect, "4 of 10");
        _bench.Succeed(less);
        _bench.Fail(less, FaultKind.ServerError);
        less.State.Status.Should().Be(EndpointHealthStatus.Suspect, "5 of 12");
    }

    [Fact]
    public void A_reload_that_changes_the_window_starts_it_empty_and_any_other_keeps_it()
    {
        foreach (var (seconds, status) in new[] { (30, EndpointHealthStatus.Ejected), (20, EndpointHealthStatus.Suspect) })
        {
            var bench = new HealthBench();
            var endpoint = bench.Add("a");
            for (var pair = 0; pair < 4; pair++)
            {
                bench.Fail(endpoint, FaultKind.ServerError);
                bench.Succeed(endpoint);
            }

            bench.Tracker.UseOptions(new HealthOptions { SamplingDuration = TimeSpan.FromSeconds(seconds), FailuresToEject = 100 });
            bench.Fail(endpoint, FaultKind.ServerError, 2);
            endpoint.State.Status.Should().Be(status);
        }
    }

    [Fact]
    public void Nobody_is_told_of_an_endpoint_that_was_removed()
    {
        var endpoint = _bench.Add("a");
        var ticket = _bench.Begin(endpoint);
        _bench.Tracker.Remove(endpoint);
        endpoint.Complete(ticket, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        _bench.Changes.Should().BeEmpty();
    }

    [Fact]
    public void The_end_of_telling_is_told_once_for_all_changes_and_a_listener_that_throws_stops_nobody()
    {
        var (told, ends, throws) = (0, 0, true);
        var tracker = new HealthTracker(new HealthOptions(), new Random(1));
        tracker.Changed += _ =>
        {
            told++;
            if (throws)
                throw new InvalidOperationException("mine");
        };
        tracker.Delivered += () => ends++;
        var endpoint = tracker.Add("a", FailureDomains.None, _bench.Now);
        FluentActions.Invoking(() => _bench.Fail(endpoint, FaultKind.ServerError)).Should().Throw<InvalidOperationException>();
        (told, ends).Should().Be((1, 1));
        throws = false;
        _bench.Fail(endpoint, FaultKind.ServerError);
        (told, ends).Should().Be((2, 2));
        _bench.Fail(endpoint, FaultKind.CallerCancelled);
        (told, ends).Should().Be((2, 2), "nothing changed");
    }

    [Fact]
    public void A_new_stay_in_service_starts_with_an_empty_window_and_stragglers_do_not_fill_it()
    {
        var bench = new HealthBench(new HealthOptions { FailuresToEject = 100, MinimumThroughput = 4 });
        var endpoint = bench.Add("a");
        var stragglers = Enumerable.Range(0, 20).Select(_ => bench.Begin(endpoint)).ToList();
        bench.Fail(endpoint, FaultKind.ServerError, 4);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.Order(HealthOrder.BringUp, bench.Now);
        foreach (var ticket in stragglers)
            endpoint.Complete(ticket, null, bench.Now);
        bench.Fail(endpoint, FaultKind.ServerError, 3);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart, "3 of 3 are too few");
        bench.Fail(endpoint, FaultKind.ServerError);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected, "4 of 4");
    }

    [Fact]
    public void Attempts_from_before_an_order_count_nowhere_afterwards()
    {
        foreach (var order in new[] { HealthOrder.Drain, HealthOrder.ForceDown })
        {
            var endpoint = _bench.Add("a");
            var stragglers = Enumerable.Range(0, 10).Select(_ => _bench.Begin(endpoint)).ToList();
            endpoint.Order(order, _bench.Now);
            var ordered = endpoint.State;
            endpoint.Order(order, _bench.Now);
            endpoint.State.Should().BeSameAs(ordered);
            endpoint.Order(HealthOrder.BringUp, _bench.Now);
            var state = endpoint.State;
            foreach (var ticket in stragglers)
                endpoint.Complete(ticket, new Fault(FaultKind.ServerError), _bench.Now);
            endpoint.State.Should().BeSameAs(state);
        }
    }

    [Fact]
    public void The_last_one_admitted_is_ejected_for_refusing_only_after_four_times_the_row()
    {
        var bench = new HealthBench(alone: true);
        bench.AddEjectedBeside(out var last);
        bench.Fail(last, FaultKind.ServerError, 19);
        last.State.Admits(bench.Now).Should().BeTrue("to serve some is more than to serve none");
        bench.Fail(last, FaultKind.ServerError);
        last.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void The_last_one_admitted_is_never_ejected_while_it_serves_one_in_ten()
    {
        var bench = new HealthBench(alone: true);
        bench.AddEjectedBeside(out var last);
        for (var round = 0; round < 50; round++)
        {
            bench.Fail(last, FaultKind.ServerError, 9);
            bench.Succeed(last);
        }

        last.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        last.State.Ejections.Should().Be(0);
    }

    [Fact]
    public void The_last_one_is_judged_like_everybody_as_soon_as_another_is_admitted()
    {
        var bench = new HealthBench(alone: true);
        var other = bench.AddEjectedBeside(out var last);
        bench.Fail(last, FaultKind.ServerError, 12);
        other.Order(HealthOrder.BringUp, bench.Now);
        last.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        bench.Fail(last, FaultKind.ServerError);
        last.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void Who_was_removed_is_nobody_beside_the_last_one()
    {
        var bench = new HealthBench(alone: true);
        var gone = bench.Add("gone");
        var last = bench.Add("last");
        bench.Tracker.Remove(gone);
        bench.Fail(last, FaultKind.ServerError, 19);
        last.State.Status.Should().Be(EndpointHealthStatus.Suspect);
    }

    /// <summary>
    /// The time limits of attempts that began at the same time pass at the same time. So five silences of a burst are reported together, although the endpoint
    /// has served later attempts.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Silences_of_a_burst_do_not_eject_an_endpoint_that_has_served_later_attempts(bool servedLater)
    {
        var endpoint = _bench.Add("a");
        var tickets = Enumerable.Range(0, 5).Select(_ => _bench.Begin(endpoint)).ToArray();
        var began = _bench.Now;
        _bench.Pass(10);
        foreach (var ticket in tickets)
            endpoint.Complete(ticket, new Fault(FaultKind.FirstContentTimeout), _bench.Now, servedBegan: began + (servedLater ? TimeSpan.FromSeconds(5) : -TimeSpan.FromSeconds(5)));
        endpoint.State.Status.Should().Be(servedLater ? EndpointHealthStatus.Suspect : EndpointHealthStatus.Ejected);
    }

    [Theory]
    [InlineData(FaultKind.FirstContentTimeout, 5)]
    [InlineData(FaultKind.ConnectFailed, 3)]
    public void The_last_one_is_not_spared_for_silence_and_for_what_cannot_be_reached(FaultKind kind, int failures)
    {
        var bench = new HealthBench(alone: true);
        bench.AddEjectedBeside(out var last);
        bench.Fail(last, kind, failures - 1);
        last.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        bench.Fail(last, kind);
        last.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void One_silence_does_not_convict_the_last_one_of_its_refusals_nor_a_row_of_them_by_halves()
    {
        var bench = new HealthBench(alone: true);
        bench.AddEjectedBeside(out var last);
        bench.Fail(last, FaultKind.ServerError, 12);
        bench.Fail(last, FaultKind.FirstContentTimeout);
        last.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        bench.Fail(last, FaultKind.ConnectTimeout, 2);
        bench.Fail(last, FaultKind.IdleTimeout);
        last.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        bench.Fail(last, FaultKind.AttemptTimeout);
        last.State.Status.Should().Be(EndpointHealthStatus.Ejected, "five in a row that nothing answered");

        var half = new HealthBench(alone: true);
        var only = half.Add("only");
        for (var i = 0; i < 20; i++)
        {
            half.Fail(only, FaultKind.ServerError, 2);
            half.Succeed(only);
        }
        half.Fail(only, FaultKind.FirstContentTimeout);
        only.State.Status.Should().Be(EndpointHealthStatus.Suspect);
    }

    [Fact]
    public void The_last_one_is_not_put_out_because_the_stream_that_answered_its_trial_is_cut()
    {
        var bench = new HealthBench(alone: true);
        var other = bench.AddEjectedBeside(out var last);
        bench.PassTo(other.State.Until!.Value);
        var trial = bench.Begin(other, BeginMode.Trial);
        other.RecordFirstContent(trial, bench.Now);
        last.Order(HealthOrder.ForceDown, bench.Now);
        other.Complete(trial, new Fault(FaultKind.PartialResponse), bench.Now);
        other.State.Admits(bench.Now).Should().BeTrue();
    }

    [Fact]
    public void Each_attempt_under_way_on_the_last_one_outweighs_four_refusals()
    {
        var bench = new HealthBench(alone: true);
        bench.AddEjectedBeside(out var last);
        // Of the attempts that began after the first refusal had arrived, seven do not end.
        for (var refused = 1; refused <= 28; refused++)
        {
            last.State.Status.Should().NotBe(EndpointHealthStatus.Ejected, "{0} refusals are fewer than four times those under way", refused - 1);
            last.Complete(bench.Begin(last), ServerError, bench.Now, begun: refused == 1 ? 10 : 16 + refused, inFlight: 7);
        }

        last.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void A_fault_that_all_share_leaves_the_last_of_them_in_service()
    {
        var bench = new HealthBench(alone: true);
        var domains = new FailureDomains { Region = "r" };
        var sharers = Enumerable.Range(0, 3).Select(i => bench.Add($"e{i}", domains)).ToList();
        var fault = new Fault(FaultKind.ServerError) { Reach = FaultReach.Region };
        bench.Fail(sharers[0], fault, 5);
        sharers.Count(e => e.State.Admits(bench.Now)).Should().Be(1);
    }

    [Fact]
    public void A_success_while_it_returns_clears_the_count_and_nothing_else()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        endpoint.Complete(_bench.Begin(endpoint, BeginMode.Trial), null, _bench.Now);
        var since = endpoint.State.Since;
        _bench.Pass(1);
        _bench.Fail(endpoint, FaultKind.ServerError, 2);
        endpoint.State.Since.Should().Be(since);
        var cause = endpoint.State.Cause;
        _bench.Succeed(endpoint);
        endpoint.State.ConsecutiveFailures.Should().Be(0);
        (endpoint.State.Status, endpoint.State.Since, endpoint.State.Cause).Should().Be((EndpointHealthStatus.SlowStart, since, cause));

        var other = _bench.Add("b");
        _bench.Fail(other, FaultKind.ServerError);
        other.State.Since.Should().Be(_bench.Now);
        _bench.Pass(2);
        _bench.Succeed(other);
        (other.State.Status, other.State.Since, other.State.Cause).Should().Be((EndpointHealthStatus.Healthy, _bench.Now, null));
    }
}
