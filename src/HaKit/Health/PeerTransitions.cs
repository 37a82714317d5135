using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// Applies facts of other replicas to an endpoint's state. Such facts may start a cooldown, take the endpoint out for a short time, and delay its trial. After
/// that only evidence of this replica decides.
/// </summary>
internal static class PeerTransitions
{
    /// <summary>The longest cooldown from a fact. It limits the effect of a store with false facts.</summary>
    public static readonly TimeSpan LongestCooldown = TimeSpan.FromHours(1);

    private static readonly TimeSpan ShortestDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);
    private const int ManyDelays = 20;

    // While another replica makes a trial, half of the delay is enough to receive its result.
    private const double WhileAsked = 0.5;

    // After a failed trial the other replicas take turns, and most of them come before the replica whose trial has just failed.
    private const double Turns = 0.2;

    public static HealthState ApplyPeerFact(this HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options) => evidence.Word switch
    {
        PeerWord.Cooldown => Cool(state, evidence, now, options),
        PeerWord.Ejected => Eject(state, evidence, now, options),
        PeerWord.TrialBegun => DelayTrial(state, evidence.Began, WhileAsked, now),
        PeerWord.TrialFailed => DelayTrial(state, evidence.Began, 1 - Turns * evidence.Jitter, now),
        PeerWord.Recovered => AllowTrial(state, evidence.Began, now),
        _ => state,
    };

    /// <summary>
    /// Gets the delay of this replica's trial while another replica makes a trial, or after that trial has failed: 5 s or a tenth of the outage, whichever is
    /// more, at most 30 s.
    /// </summary>
    public static TimeSpan Delay(TimeSpan outage)
    {
        var share = outage / 10;
        return new TimeSpan(Math.Clamp(share.Ticks, ShortestDelay.Ticks, LongestDelay.Ticks));
    }

    // If this replica has cleared a cooldown, older facts do not start the cooldown again.
    private static HealthState Cool(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        if (evidence.IsLast || evidence.Began <= state.ClearedAt || evidence.Length <= TimeSpan.Zero)
            return state;
        var length = evidence.Length < LongestCooldown ? evidence.Length : LongestCooldown;
        return state.Cool(Cooldown.For(evidence.Fault!, length, now, options) with { Since = evidence.Began });
    }

    // The ejection is not counted, because the length of later ejections depends only on this replica's own evidence.
    private static HealthState Eject(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        if (evidence.IsLast || !state.IsInService)
            return state;
        var cause = evidence.Fault!;
        return state.WithoutCounts() with
        {
            Status = EndpointHealthStatus.Ejected,
            Since = now,
            Cause = cause,
            CauseLevel = cause.Level(),
            Until = now + HealthTransitions.Jittered(options.BreakDuration, evidence.Jitter, options),
            JudgedAt = null,
            FailedTrial = null,
            IsOutForRefusals = false,
            IsByPeers = true,
            IsDoubted = (state.ConsecutiveFailures | state.ProbeMisses) > 0,
            OutSince = now,
            Epoch = state.Epoch + 1,
            EpochSince = now,
        };
    }

    // Replicas that cannot reach the endpoint must not delay the trial for ever. All their trials together delay it by at most twenty times the delay of one
    // trial. If this replica has seen no failure itself, those trials together delay its trial by at most the delay of one trial.
    private static HealthState DelayTrial(HealthState state, TimeSpan asked, double share, TimeSpan now)
    {
        if (state.Status != EndpointHealthStatus.Ejected || state.Until is not { } until || state.HasRecoveredAtPeer)
            return state;
        var due = state.OwnUntil ?? until;
        var delay = Delay(now - state.OutSince);
        var most = due + (state.IsByPeers && !state.IsDoubted ? delay : ManyDelays * delay);
        var after = asked + delay * share;
        var later = after < most ? after : most;
        return later <= until ? state : state with { Until = later, OwnUntil = due };
    }

    // A success from before this replica's ejection is older than this replica's own evidence.
    private static HealthState AllowTrial(HealthState state, TimeSpan succeeded, TimeSpan now) =>
        state.Status != EndpointHealthStatus.Ejected || succeeded < state.Since || state.HasRecoveredAtPeer && !(state.Until > now)
            ? state
            : state with { Until = state.Until < now ? state.Until : now, OwnUntil = null, HasRecoveredAtPeer = true };
}
