using HaKit.Faults;

namespace HaKit.Health;

/// <summary>What an endpoint's state becomes when other replicas speak. They may cool it, put it out for a short time and time its trial; only evidence of our own decides.</summary>
internal static class PeerTransitions
{
    /// <summary>A store that lies can cool an endpoint for this long.</summary>
    public static readonly TimeSpan LongestCooldown = TimeSpan.FromHours(1);

    private static readonly TimeSpan ShortestDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);
    private const int ManyDelays = 20;

    // While another replica asks, half of the delay is enough to hear its outcome.
    private const double WhileAsked = 0.5;

    // After a failed trial the others take turns, and most of them come before the replica whose trial has just failed.
    private const double Turns = 0.2;

    public static HealthState HearPeers(this HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options) => evidence.Word switch
    {
        PeerWord.Cooldown => Cool(state, evidence, now, options),
        PeerWord.Ejected => Eject(state, evidence, now, options),
        PeerWord.TrialBegun => DelayTrial(state, evidence.Began, WhileAsked, now),
        PeerWord.TrialFailed => DelayTrial(state, evidence.Began, 1 - Turns * evidence.Jitter, now),
        PeerWord.Recovered => AllowTrial(state, evidence.Began, now),
        _ => state,
    };

    /// <summary>How much later a trial may come because another replica asks or its trial has failed: 5 s or a tenth of the outage, whichever is more, at most 30 s.</summary>
    public static TimeSpan Delay(TimeSpan outage)
    {
        var share = outage / 10;
        return new TimeSpan(Math.Clamp(share.Ticks, ShortestDelay.Ticks, LongestDelay.Ticks));
    }

    // What was said before we cleared a cooldown ourselves does not bring it back.
    private static HealthState Cool(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        if (evidence.IsLast || evidence.Began <= state.ClearedAt || evidence.Length <= TimeSpan.Zero)
            return state;
        var length = evidence.Length < LongestCooldown ? evidence.Length : LongestCooldown;
        return state.Cool(Cooldown.For(evidence.Fault!, length, now, options) with { Since = evidence.Began });
    }

    // Not a mark against it: the length of later ejections follows what this replica sees.
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
            IsFailedTrial = false,
            IsOutForRefusals = false,
            IsByPeers = true,
            IsDoubted = (state.ConsecutiveFailures | state.ProbeMisses) > 0,
            OutSince = now,
            Epoch = state.Epoch + 1,
            EpochSince = now,
        };
    }

    // Replicas that cannot reach the endpoint must not put the trial off for ever: all their trials together delay it by twenty times what one does, and by no
    // more than one does where this replica has seen nothing wrong itself.
    private static HealthState DelayTrial(HealthState state, TimeSpan asked, double share, TimeSpan now)
    {
        if (state.Status != EndpointHealthStatus.Ejected || state.Until is not { } until || state.IsToldBack)
            return state;
        var due = state.OwnUntil ?? until;
        var delay = Delay(now - state.OutSince);
        var most = due + (state.IsByPeers && !state.IsDoubted ? delay : ManyDelays * delay);
        var after = asked + delay * share;
        var later = after < most ? after : most;
        return later <= until ? state : state with { Until = later, OwnUntil = due };
    }

    // What succeeded before we ejected it is older than what we have seen ourselves.
    private static HealthState AllowTrial(HealthState state, TimeSpan succeeded, TimeSpan now) =>
        state.Status != EndpointHealthStatus.Ejected || succeeded < state.Since || state.IsToldBack && !(state.Until > now)
            ? state
            : state with { Until = state.Until < now ? state.Until : now, OwnUntil = null, IsToldBack = true };
}
