using System.Runtime.CompilerServices;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Runs any sequence of events on four endpoints that share domains, and checks the rules that must always hold.</summary>
internal sealed class HealthWorld
{
    private static readonly Fault[] Faults =
    [
        .. Enum.GetValues<FaultKind>().Select(kind => new Fault(kind)),
        .. new[] { 0.5, 20, 400, 7200, 1e9 }.SelectMany(seconds => new[]
        {
            HealthBench.Throttled(seconds),
            HealthBench.Throttled(seconds) with { Reach = FaultReach.Account },
            new Fault(FaultKind.QuotaExhausted) { RetryAfter = TimeSpan.FromSeconds(seconds) },
            new Fault(FaultKind.Overloaded) { RetryAfter = TimeSpan.FromSeconds(seconds), Reach = FaultReach.Model },
            new Fault(FaultKind.BreakerOpen) { RetryAfter = TimeSpan.FromSeconds(seconds) },
        }),
        new(FaultKind.ModelNotFound) { UntilCleared = true },
        new(FaultKind.ServerError) { Reach = FaultReach.Region },
    ];

    private static readonly Fault[] Neutral = [.. Faults.Where(f => f.IsNeutral)];

    private static readonly PeerWord[] Words = Enum.GetValues<PeerWord>();

    private static readonly double[] Waits = [0, 0.001, 0.1, 1, 3, 6, 20, 60, 400, 4000];

    private readonly List<(EndpointHealth Endpoint, HealthTicket Ticket)> _open = [];
    private readonly Dictionary<EndpointHealth, TimeSpan> _notBefore = [];
    private int _checked;

    public HealthWorld()
    {
        Bench = new HealthBench(alone: true);
        Endpoints =
        [
            Bench.Add("a", new FailureDomains { Provider = "p", Account = "1", KeyName = "1", Model = "m", Region = "r" }),
            Bench.Add("b", new FailureDomains { Provider = "p", Account = "1", KeyName = "2", Model = "m", Region = "s" }),
            Bench.Add("c", new FailureDomains { Provider = "p", Account = "2", KeyName = "3", Model = "m", Region = "r" }),
            Bench.Add("d", new FailureDomains { Provider = "q", Account = "1", KeyName = "1", Model = "n" }),
        ];
    }

    public HealthBench Bench { get; }

    public EndpointHealth[] Endpoints { get; }

    public int SentTooEarly { get; private set; }

    public void Happen(int happening)
    {
        var endpoint = Endpoints[happening % 4];
        var detail = happening / 4 / 16;
        switch (happening / 4 % 16)
        {
            case 0:
                Bench.Pass(Waits[detail % Waits.Length]);
                break;
            case 1:
                Bench.PassTo(Earliest(Bench.Tracker.NextChange, Bench.Now + TimeSpan.FromHours(2)));
                break;
            case 2:
                endpoint.Probe((ProbeLevel)(detail % 3), null, Bench.Now, detail % 5 == 0);
                break;
            case 3:
                Probe(endpoint, (ProbeLevel)(detail % 3), Faults[detail / 3 % Faults.Length], detail % 7 == 0);
                break;
            case 4:
                if (detail % 4 == 0)
                    endpoint.Order((HealthOrder)(detail / 4 % 3), Bench.Now);
                break;
            case 5:
                if (detail % 4 == 0)
                    Bench.Tracker.TimersWereLate(Bench.Now, TimeSpan.FromSeconds(detail % 40));
                break;
            case 6:
                End(detail, null);
                break;
            case 7:
                if (_open.Count > 0)
                    FirstContent(detail);
                break;
            case 8:
                foreach (var kind in new[] { FaultKind.ServerError, FaultKind.ConnectFailed })
                    Burst(endpoint, kind);
                break;
            case 9 or 10:
                End(detail, Faults[detail / 8 % Faults.Length]);
                break;
            case 11:
                Hear(endpoint, detail);
                break;
            default:
                Begin(endpoint, (BeginMode)(detail % 4));
                break;
        }
    }

    /// <summary>
    /// An attempt begins, and ends with an outcome that is not the endpoint's fault. It is not a trial, because a trial stays reserved for some time.
    /// </summary>
    public void EndOneNeutrally(int choice)
    {
        var endpoint = Endpoints[choice % 4];
        if (endpoint.TryBegin(BeginMode.Normal, Bench.Now, out var ticket))
            endpoint.Complete(ticket, Neutral[choice / 4 % Neutral.Length], Bench.Now);
        endpoint.Probe(ProbeLevel.Generating, Neutral[choice / 4 % Neutral.Length], Bench.Now);
    }

    private void Hear(EndpointHealth endpoint, int detail) => endpoint.ApplyPeerFact(
        Words[detail % Words.Length], Faults[detail / 4 % Faults.Length], Bench.Now - TimeSpan.FromSeconds(Waits[detail / 8 % Waits.Length]), TimeSpan.FromSeconds(Waits[detail / 16 % Waits.Length]),
        isLast: detail % 11 == 0, Bench.Now);

    public void CheckChanges()
    {
        for (; _checked < Bench.Changes.Count; _checked++)
        {
            var change = Bench.Changes[_checked];
            var before = HealthTransitions.ApplyElapsedTime(change.Before, Bench.Now, 0.5, Bench.Options);
            Require(IsLegal(change.Evidence.Source, before, change.After), change);
            Require(change.Evidence.Fault is not { IsNeutral: true } || change.After.Ejections == before.Ejections, change);
        }
    }

    public void CheckStates()
    {
        Bench.Tracker.Advance(Bench.Now);
        Require(Bench.Tracker.NextChange > Bench.Now, Bench.Tracker.NextChange);
        foreach (var endpoint in Endpoints)
        {
            var state = endpoint.State;
            Require(Bench.Tracker.NextChange <= state.NextEdge(Bench.Now), state);
            CheckState(state);
            var holders = _open.Count(o => o.Endpoint == endpoint && o.Ticket.IsTrial && o.Ticket.Epoch == state.Epoch);
            Require(state.Status != EndpointHealthStatus.Trial || holders == 1, state);
        }
    }

    public void CheckThatNobodyIsLockedOut()
    {
        while (_open.Count > 0)
            End(0, Neutral[0]);
        foreach (var endpoint in Endpoints)
            Require(endpoint.State.Status != EndpointHealthStatus.Trial, endpoint.State);
        Bench.Pass(Bench.Options.CooldownCap.TotalSeconds + 360);
        foreach (var endpoint in Endpoints)
        {
            var state = endpoint.State;
            var isOrderedOut = state.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown;
            Require(isOrderedOut || state.Admits(Bench.Now) || state.IsTrialReady(Bench.Now), state);
        }
    }

    /// <summary>This check runs a million times, so the message is created only if it fails.</summary>
    public static void Require(bool holds, object subject, [CallerArgumentExpression(nameof(holds))] string rule = "")
    {
        if (!holds)
            Assert.Fail($"{rule}: {subject}");
    }

    private static TimeSpan Earliest(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static bool IsLegal(EvidenceSource source, HealthState before, HealthState after) => (source, before.Status) switch
    {
        (EvidenceSource.Order, _) => after.IsInService || after.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown,
        (_, EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown) => after.Status == before.Status,
        (EvidenceSource.TrialBegun, _) => after.Status == EndpointHealthStatus.Trial,
        (EvidenceSource.Time or EvidenceSource.TrialElsewhere, _) => after.Status == before.Status,
        // A trial that has timed out may be answered late.
        (EvidenceSource.Traffic, EndpointHealthStatus.Ejected) => after.Status == EndpointHealthStatus.Ejected || after.Status == EndpointHealthStatus.SlowStart && before.Cause!.Kind == FaultKind.FirstContentTimeout,
        (EvidenceSource.Traffic, EndpointHealthStatus.Trial) => after.Status is not (EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown),
        (EvidenceSource.Peer, EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial) => after.Status == before.Status,
        (EvidenceSource.Probe or EvidenceSource.SelfSuspicion or EvidenceSource.ClearedElsewhere, EndpointHealthStatus.Trial) => after.Status == EndpointHealthStatus.Trial,
        (EvidenceSource.Probe or EvidenceSource.SelfSuspicion, EndpointHealthStatus.Ejected) => after.Status == EndpointHealthStatus.Ejected || after.IsInService,
        (EvidenceSource.ClearedElsewhere, EndpointHealthStatus.Ejected) => after.Status == EndpointHealthStatus.Ejected,
        (EvidenceSource.ClearedElsewhere or EvidenceSource.SelfSuspicion, _) => after.IsInService,
        _ => after.IsInService || after.Status == EndpointHealthStatus.Ejected,
    };

    private void CheckState(HealthState state)
    {
        var (now, options) = (Bench.Now, Bench.Options);
        Require(state.Status == EndpointHealthStatus.Trial || state.Until.HasValue == (state.Status == EndpointHealthStatus.Ejected), state);
        Require(state.Status is not (EndpointHealthStatus.Ejected or EndpointHealthStatus.Suspect) || state.Cause is not null, state);
        Require(state.Status != EndpointHealthStatus.Trial || (state.TrialUntil > now && state.TrialUntil <= now + options.TrialTimeout), state);
        Require(state.Status != EndpointHealthStatus.SlowStart || state.Return.Until > now, state);
        // A trial of an endpoint that was in service and cools down keeps the counts, because the trial may end without a result.
        Require(state.IsInService || state.Status == EndpointHealthStatus.Trial || (state.ConsecutiveFailures | state.ProbeMisses) == 0, state);
        Require(state.ConnectFailures >= 0 && state.ConnectFailures <= state.ConsecutiveFailures, state);
        Require(state.ConnectFailures < options.ConnectFailuresToEject && state.ConsecutiveFailures < (state.IsSpared ? 4 : 1) * options.FailuresToEject, state);
        Require(state.ProbeMisses >= 0 && state.ProbeMisses < options.MissesToEject, state);
        Require(state.ProbeHits >= 0 && state.ProbeHits < options.HitsToRecover, state);
        Require(state.Ejections >= 0, state);
        Require(state.SlowStartShare(now) >= options.SlowStartInitialShare && state.SlowStartShare(now) <= 1, state);
        Require(state.Cooldown is not { } c || (c.Until > now && c.TrialAt <= c.Until && c.Since <= now), state);
        Require(!(state.Admits(now) && state.IsTrialReady(now)), state);
        Require(!state.IsTrialReady(now) || state.IsTrialAllowedInOutage(now), state);
    }

    private void Begin(EndpointHealth endpoint, BeginMode mode)
    {
        if (!endpoint.TryBegin(mode, Bench.Now, out var ticket))
            return;
        if (_notBefore.TryGetValue(endpoint, out var at) && Bench.Now < at)
            SentTooEarly++;
        _open.Add((endpoint, ticket));
    }

    private void FirstContent(int choice)
    {
        var (endpoint, ticket) = _open[choice % _open.Count];
        endpoint.RecordFirstContent(ticket, Bench.Now);
    }

    private void Probe(EndpointHealth endpoint, ProbeLevel level, Fault fault, bool isDecisive)
    {
        Remember(endpoint, fault);
        endpoint.Probe(level, fault, Bench.Now, isDecisive);
    }

    private void Burst(EndpointHealth endpoint, FaultKind kind)
    {
        for (var i = 0; i < 5; i++)
        {
            if (endpoint.TryBegin(BeginMode.Normal, Bench.Now, out var ticket))
                endpoint.Complete(ticket, new Fault(kind), Bench.Now);
        }
    }

    private void End(int choice, Fault? fault)
    {
        if (_open.Count == 0)
            return;
        var (endpoint, ticket) = _open[choice % _open.Count];
        _open.RemoveAt(choice % _open.Count);
        if (fault is not null)
            Remember(endpoint, fault);
        endpoint.Complete(ticket, fault, Bench.Now);
    }

    private void Remember(EndpointHealth endpoint, Fault fault)
    {
        if (fault is not { Kind: FaultKind.Throttled, RetryAfter: { } wait })
            return;
        var until = Bench.Now + Earliest(wait, Bench.Options.CooldownCap);
        foreach (var other in Endpoints)
        {
            if (other == endpoint || endpoint.Domains.Shares(other.Domains, fault.Reach))
                _notBefore[other] = _notBefore.TryGetValue(other, out var at) && at > until ? at : until;
        }
    }
}
