using FsCheck;
using FsCheck.Fluent;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>
/// Tests the rules for all events in every order. A history is a list of numbers, and each number is decoded into one event. So a failing history shrinks when
/// numbers are removed.
/// </summary>
public sealed class HealthPropertyTests
{
    private static readonly Arbitrary<int[]> Histories = Arb.From(
        Gen.Choose(0, int.MaxValue).ArrayOf(100),
        history => Enumerable.Range(0, 6)
            .Select(i => Math.Max(1, history.Length >> i))
            .Distinct()
            .SelectMany(size => Enumerable.Range(0, (history.Length + size - 1) / size)
                .Select(i => history.Where((_, at) => at / size != i).ToArray()))
            .Where(shorter => shorter.Length < history.Length));

    private static void ForAll(int histories, Action<int[]> holds) =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(histories).WithReplay(20_240, 77),
            Prop.ForAll(Histories, history =>
            {
                holds(history);
                return true;
            }));

    [Fact]
    public void No_history_reaches_an_illegal_state_or_leaks_the_trial_slot() => ForAll(1000, history =>
    {
        var world = new HealthWorld();
        foreach (var happening in history)
        {
            world.Happen(happening);
            world.CheckChanges();
            world.CheckStates();
        }

        world.CheckThatNobodyIsLockedOut();
    });

    [Fact]
    public void Nothing_is_ever_sent_before_a_throttled_servers_Retry_After_or_the_cap() => ForAll(1000, history =>
    {
        var world = new HealthWorld();
        foreach (var happening in history)
            world.Happen(happening);
        world.SentTooEarly.Should().Be(0);
    });

    [Fact]
    public void Neutral_outcomes_change_nothing_whenever_they_come() => ForAll(500, history =>
    {
        var with = new HealthWorld();
        var without = new HealthWorld();
        foreach (var happening in history)
        {
            with.Happen(happening);
            with.EndOneNeutrally(happening);
            without.Happen(happening);
        }

        with.Endpoints.Select(e => e.State).Should().Equal(without.Endpoints.Select(e => e.State));
    });

    [Fact]
    public void Neutral_evidence_alone_ejects_no_one() => ForAll(300, history =>
    {
        var world = new HealthWorld();
        foreach (var happening in history)
        {
            world.Bench.Pass(happening % 100 / 10.0);
            for (var i = 0; i < 4; i++)
                world.EndOneNeutrally(happening + i);
        }

        world.Bench.Changes.Should().BeEmpty();
    });

    [Fact]
    public void Time_alone_never_takes_away_what_might_be_sent() => ForAll(300, history =>
    {
        var world = new HealthWorld();
        foreach (var happening in history)
        {
            world.Happen(happening);
            foreach (var endpoint in world.Endpoints)
                TimeOnlyGives(endpoint.State, world.Bench);
        }
    });

    private static void TimeOnlyGives(HealthState state, HealthBench bench)
    {
        // The deadline of a trial is the only time limit whose end is evidence by itself, because the trial was silent.
        if (state.Status == EndpointHealthStatus.Trial)
            return;
        var (eligibility, share) = (0, 0.0);
        var now = bench.Now;
        for (var step = 0; step < 12; step++)
        {
            var settled = HealthReducer.Next(state, new HealthEvidence { Source = EvidenceSource.Time }, now, bench.Options);
            foreach (var seen in new[] { state, settled })
            {
                var next = seen.Admits(now) ? 2 : seen.IsTrialReady(now) ? 1 : 0;
                HealthWorld.Require(next >= eligibility && (next < 2 || seen.SlowStartShare(now) >= share - 1e-9), seen);
                (eligibility, share) = (next, next == 2 ? seen.SlowStartShare(now) : 0);
            }

            var edge = state.NextEdge(now);
            now = edge < now + TimeSpan.FromSeconds(3) ? edge : now + TimeSpan.FromSeconds(1 << step);
        }
    }
}
