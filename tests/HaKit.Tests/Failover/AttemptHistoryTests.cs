using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests what a call remembers about its attempts.</summary>
public sealed class AttemptHistoryTests
{
    private static readonly Fault ServerError = new(FaultKind.ServerError);
    private static readonly Fault Named = new(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(5) };
    private readonly ManualTimeProvider _time = new();
    private readonly AttemptHistory _history = new();

    [Fact(Timeout = 60_000)]
    public async Task A_trial_that_is_refused_with_a_time_is_subtracted_once()
    {
        await using var pool = TestPool.Create(_time, 1);
        var member = pool.Engine.Snapshot.Members[0];
        Add(member, Named);
        for (var i = 0; i < 10; i++)
            Add(member, Named, isPaced: true);
        for (var i = 0; i < 6; i++)
            Add(member, ServerError);
        (_history.Begun, _history.Counted, _history.OrdinaryRetries).Should().Be((17, 6, 5));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_trial_that_fails_in_another_way_is_no_retry()
    {
        await using var pool = TestPool.Create(_time, 1);
        var member = pool.Engine.Snapshot.Members[0];
        Add(member, ServerError);
        for (var i = 0; i < 10; i++)
            Add(member, ServerError, isPaced: true);
        (_history.Counted, _history.OrdinaryRetries).Should().Be((11, 0));
    }

    [Fact(Timeout = 60_000)]
    public async Task Attempts_that_are_no_longer_remembered_one_by_one_still_count_for_their_endpoint()
    {
        await using var pool = TestPool.Create(_time, 4);
        var members = pool.Engine.Snapshot.Members;
        for (var i = 0; i < 1000; i++)
            Add(members[i % 4], i % 8 < 4 ? ServerError : Named);
        foreach (var member in members)
        {
            _history.TimesTried(member).Should().Be(250);
            var findings = _history.FindingsOf(member);
            (findings.Attempts, findings.Counted, findings.WasInService).Should().Be((250, 125, true));
        }
        _history.Entries.Length.Should().BeLessThanOrEqualTo(256);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_word_that_a_request_must_not_be_repeated_is_never_forgotten()
    {
        await using var pool = TestPool.Create(_time, 2);
        var members = pool.Engine.Snapshot.Members;
        for (var i = 0; i < 1000; i++)
            Add(members[1], i == 100 ? ServerError with { MayAskAgain = false } : ServerError);
        (_history.ForbidsRepeat, _history.WasRefusedBy(members[1]), _history.WasRefusedBy(members[0])).Should().Be((true, true, false));
        _history.Clear();
        (_history.ForbidsRepeat, _history.WasRefusedBy(members[1]), _history.TimesTried(members[1])).Should().Be((false, false, 0));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_attempt_that_runs_through_a_long_outage_is_never_forgotten()
    {
        await using var pool = TestPool.Create(_time, 2);
        var members = pool.Engine.Snapshot.Members;
        for (var i = 0; i < 1000; i++)
        {
            if (i == 100)
                _history.Add(members[0], TimeSpan.Zero);
            else
                Add(members[1], ServerError);
        }
        _history.FindingsOf(members[0]).IsUnderWay.Should().BeTrue();
        var billed = _history.PerhapsBilled;
        _history.RecordEnd(101, ServerError, TimeSpan.Zero);
        _history.PerhapsBilled.Should().Be(billed + 1);
    }

    private void Add(EndpointState member, Fault fault, bool isPaced = false)
    {
        _history.Add(member, TimeSpan.Zero, isInService: true, isPaced);
        _history.RecordEnd(_history.Begun, fault, TimeSpan.Zero);
    }
}
