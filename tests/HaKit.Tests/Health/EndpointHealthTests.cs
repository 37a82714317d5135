using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Tests which data an endpoint keeps about its attempts, and which attempts it reports to the tracker.</summary>
public sealed class EndpointHealthTests
{
    private static readonly TimeSpan s_tick = TimeSpan.FromTicks(1);
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    private readonly HealthBench _bench = new();

    [Fact]
    public void Endpoint_has_served_within_a_time_up_to_exactly_that_time_after_its_success()
    {
        var endpoint = _bench.Add("a");
        endpoint.HasServedWithin(s_hour, _bench.Now).Should().BeFalse("it has served nothing yet");
        _bench.Fail(endpoint, FaultKind.ServerError);
        endpoint.HasServedWithin(s_hour, _bench.Now).Should().BeFalse("a failure serves nothing");
        _bench.Succeed(endpoint);
        endpoint.HasServedWithin(s_hour, _bench.Now).Should().BeTrue();
        endpoint.HasServedWithin(s_hour, _bench.Now + s_hour).Should().BeTrue();
        endpoint.HasServedWithin(s_hour, _bench.Now + s_hour + s_tick).Should().BeFalse();
    }

    [Theory]
    [InlineData(0, 5_000, 0)]
    [InlineData(0, 9_999, 0)]
    [InlineData(0, 10_000, 10_000)]
    [InlineData(5_000, 6_000, 5_000)]
    [InlineData(1_000_000_000, 1_000_009_999, 1_000_000_000)]
    [InlineData(1_000_000_000, 1_000_010_000, 1_000_010_000)]
    [InlineData(1_000_000_000, 2_000_000_000, 2_000_000_000)]
    public void Time_of_the_latest_success_is_kept_in_steps_of_a_millisecond_from_the_first_one_on(long first, long second, long kept)
    {
        var endpoint = new HealthTracker(new HealthOptions(), new Random(1)).Add("a", new FailureDomains(), TimeSpan.Zero);
        foreach (var ticks in new[] { first, second })
        {
            var at = TimeSpan.FromTicks(ticks);
            endpoint.TryBegin(BeginMode.Normal, at, out var ticket).Should().BeTrue();
            endpoint.Complete(ticket, null, at);
        }
        endpoint.HasServedWithin(s_hour, TimeSpan.FromTicks(kept) + s_hour).Should().BeTrue();
        endpoint.HasServedWithin(s_hour, TimeSpan.FromTicks(kept) + s_hour + s_tick).Should().BeFalse();
    }

    [Fact]
    public void Successes_that_change_nothing_draw_no_jitter_so_the_next_ejection_has_the_same_length()
    {
        var quiet = Eject(static (_, _) => { });
        Eject(static (bench, endpoint) => bench.Succeed(endpoint, 3)).Should().Be(quiet, "the endpoint is healthy");
        Eject(static (bench, endpoint) =>
        {
            for (var late = 0; late < 3; late++)
                endpoint.Complete(new HealthTicket(endpoint.State.Epoch + 1, bench.Now, isTrial: false), null, bench.Now);
        }, failsFirst: true).Should().Be(quiet, "the successes belong to another epoch");
        Eject(static (bench, endpoint) => bench.Succeed(endpoint), failsFirst: true).Should().NotBe(quiet, "the success ends a streak");
    }

    private static TimeSpan Eject(Action<HealthBench, EndpointHealth> before, bool failsFirst = false)
    {
        var bench = new HealthBench();
        var endpoint = bench.Add("a");
        var fails = failsFirst ? 1 : 0;
        bench.Fail(endpoint, FaultKind.ServerError, fails);
        before(bench, endpoint);
        while (endpoint.State.Status != EndpointHealthStatus.Ejected)
            bench.Fail(endpoint, FaultKind.ServerError);
        return endpoint.State.Until!.Value;
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void Silence_counts_unless_the_endpoint_has_served_an_attempt_that_began_later(int ticksLater, int failures)
    {
        var endpoint = _bench.Add("a");
        var ticket = _bench.Begin(endpoint);
        _bench.Pass(30);
        endpoint.Complete(ticket, new Fault(FaultKind.FirstContentTimeout), _bench.Now, servedBegan: ticket.Began + ticksLater * s_tick);
        endpoint.State.ConsecutiveFailures.Should().Be(failures);
    }

    [Fact]
    public void Attempt_that_its_caller_left_in_silence_makes_the_endpoint_suspect_but_a_trial_stays_a_trial()
    {
        var silence = new Fault(FaultKind.FirstContentTimeout);
        var endpoint = _bench.Add("a");
        endpoint.RecordLeftInSilence(_bench.Begin(endpoint), silence, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        endpoint.State.Cause.Should().Be(silence);
        endpoint.State.ConsecutiveFailures.Should().Be(0);

        var ejected = _bench.AddEjected("b");
        _bench.PassTo(ejected.State.Until!.Value);
        var trial = _bench.Begin(ejected, BeginMode.Trial);
        var before = ejected.State;
        ejected.RecordLeftInSilence(trial, silence, _bench.Now);
        ejected.State.Should().BeSameAs(before);
    }

    [Fact]
    public void Trial_that_its_caller_left_in_silence_after_its_success_leaves_the_slow_start_as_it_is()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        var trial = _bench.Begin(endpoint, BeginMode.Trial);
        endpoint.RecordFirstContent(trial, _bench.Now);
        var before = endpoint.State;
        before.Status.Should().Be(EndpointHealthStatus.SlowStart);
        endpoint.RecordLeftInSilence(trial, new Fault(FaultKind.FirstContentTimeout), _bench.Now);
        endpoint.State.Should().BeSameAs(before);
    }

    [Fact]
    public void Fact_of_another_replica_changes_the_state_and_is_reported_as_such()
    {
        var endpoint = _bench.Add("a");
        endpoint.ApplyPeerFact(PeerWord.Cooldown, HealthBench.Throttled(), _bench.Now, TimeSpan.FromSeconds(20), isLast: false, _bench.Now);
        endpoint.State.CooldownUntil.Should().Be(_bench.Now + TimeSpan.FromSeconds(20));
        _bench.Changes.Should().ContainSingle().Which.Evidence.Should().Match<HealthEvidence>(e => e.IsFromPeer && e.Source == EvidenceSource.Peer && !e.IsLast);
    }
}
