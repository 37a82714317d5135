using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Limits;
using HaKit.Testing;
using Polly;

namespace HaKit.Tests.Heartbeats;

/// <summary>Tests which outages are reported if several threads change the health and the members at the same time.</summary>
public sealed class PacemakerTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private readonly ManualTimeProvider _time = new();
    private readonly HealthOptions _options = new();
    private readonly HealthTracker _health;
    private readonly PoolClock _clock;
    private readonly Pacemaker _pacemaker;
    private readonly List<TimeSpan?> _outages = [];
    private readonly ManualResetEventSlim _isInside = new();
    private readonly ManualResetEventSlim _mayLeave = new();
    private Action _duringPause = static () => { };
    private Action<TimeSpan?> _duringReport = static _ => { };

    public PacemakerTests()
    {
        _clock = new PoolClock(_time);
        _health = new HealthTracker(_options, new Random(1));
        _pacemaker = new Pacemaker(_clock, _health, new Chance(1), PauseInOutage, ReportOutage);
        _health.Changed += change => _pacemaker.OnHealthChanged(change, _clock.Now);
    }

    [Fact(Timeout = 60_000)]
    public Task An_endpoint_that_recovers_while_its_loss_is_examined_is_no_outage()
    {
        var endpoint = NewMember("a");
        ApplyMembers(endpoint);
        _duringPause = StayInside;
        var holder = Start(() => _pacemaker.ProbeWhileCallsWait(_clock.Now)); // holds the lock of the pacemaker
        RequireInTime(_isInside.Wait(s_limit, TestContext.Current.CancellationToken));
        _duringPause = static () => { };
        var examiner = Start(() => endpoint.Health.Order(HealthOrder.ForceDown, _clock.Now));
        RequireInTime(SpinWait.SpinUntil(() => endpoint.Health.State.Status == EndpointHealthStatus.ForcedDown && examiner.ThreadState.HasFlag(ThreadState.WaitSleepJoin), s_limit));

        endpoint.Health.Order(HealthOrder.BringUp, _clock.Now);
        Leave(holder, examiner);
        _outages.Should().BeEmpty();
        _pacemaker.IsOutage.Should().BeFalse();
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task The_end_of_an_outage_is_reported_after_its_beginning()
    {
        var endpoint = NewMember("a");
        ApplyMembers(endpoint);
        _duringReport = lasted =>
        {
            if (lasted is null)
                StayInside();
        };
        var reporter = Start(() => endpoint.Health.Order(HealthOrder.ForceDown, _clock.Now));
        RequireInTime(_isInside.Wait(s_limit, TestContext.Current.CancellationToken));

        ApplyMembers(endpoint, NewMember("b"));
        Leave(reporter);
        _outages.Should().Equal(null, TimeSpan.Zero);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task An_exception_of_one_report_does_not_keep_later_reports_back()
    {
        var endpoint = NewMember("a");
        ApplyMembers(endpoint);
        _duringReport = static lasted =>
        {
            if (lasted is null)
                throw new InvalidOperationException("the log is full");
        };
        FluentActions.Invoking(() => endpoint.Health.Order(HealthOrder.ForceDown, _clock.Now)).Should().Throw<InvalidOperationException>();
        endpoint.Health.Order(HealthOrder.BringUp, _clock.Now);
        _outages.Should().Equal(TimeSpan.Zero);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _pacemaker.Stop();
        _isInside.Dispose();
        _mayLeave.Dispose();
    }

    private static void RequireInTime(bool isInTime) => isInTime.Should().BeTrue("a hang is a failure");

    private static Thread Start(Action work)
    {
        var thread = new Thread(() => work()) { IsBackground = true };
        thread.Start();
        return thread;
    }

    private void StayInside()
    {
        _isInside.Set();
        RequireInTime(_mayLeave.Wait(s_limit));
    }

    private void Leave(params Thread[] threads)
    {
        _mayLeave.Set();
        Array.ForEach(threads, static thread => RequireInTime(thread.Join(s_limit)));
    }

    private TimeSpan PauseInOutage(TimeSpan age)
    {
        _duringPause();
        return TimeSpan.FromSeconds(1);
    }

    private void ReportOutage(TimeSpan? lasted)
    {
        _duringReport(lasted);
        _outages.Add(lasted);
    }

    private void ApplyMembers(params EndpointState[] members) => _pacemaker.ApplyMembers(members, SetupOf, _options);

    private HeartbeatSetup SetupOf(EndpointState member) => new(
        new DelegateProbe(static (ProbeContext _, CancellationToken _) => default), new ProbeContext { Endpoint = member.Endpoint, Http = null!, Classifier = null!, Time = _time }, new HeartbeatOptions());

    private EndpointState NewMember(string name)
    {
        var endpoint = new PoolEndpoint(new EndpointOptions { Name = name, Address = $"https://{name}.example/v1" });
        return new EndpointState(
            endpoint, _health.Add(name, endpoint.Domains, _clock.Now), Limiter.Unlimited, Limiter.Unlimited, ResiliencePipeline.Empty,
            new UsualTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 3));
    }
}
