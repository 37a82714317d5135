using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using Polly;

namespace HaKit.Endpoints;

/// <summary>
/// The living side of an endpoint: its health, limits and counters. One instance for as long as an endpoint of that name belongs to the pool;
/// a reload that changes the identity's details swaps <see cref="Endpoint"/> and keeps the rest.
/// </summary>
internal sealed class EndpointState
{
    private int _inFlight;
    private long _calls;
    private long _successes;
    private long _faults;

    public EndpointState(Endpoint endpoint, EndpointHealth health, Limiter limiter, Limiter accountLimiter, ResiliencePipeline pipeline)
    {
        Endpoint = endpoint;
        Health = health;
        Limiter = limiter;
        AccountLimiter = accountLimiter;
        Pipeline = pipeline;
        health.Tag = this;
    }

    public Endpoint Endpoint { get; private set; }

    public EndpointHealth Health { get; }

    /// <summary>The endpoint's own limits.</summary>
    public Limiter Limiter { get; }

    /// <summary>Limits it shares with the other endpoints of its account.</summary>
    public Limiter AccountLimiter { get; }

    /// <summary>The endpoint's own pipeline: guard, attempt timeout, the user's strategies.</summary>
    public ResiliencePipeline Pipeline { get; private set; }

    /// <summary>How long this endpoint usually takes to its first content, and to a whole plain answer.</summary>
    public LatencyEstimate Latency { get; } = new();

    public int InFlight => Volatile.Read(ref _inFlight);

    public long Calls => Volatile.Read(ref _calls);

    public long Successes => Volatile.Read(ref _successes);

    public long Faults => Volatile.Read(ref _faults);

    /// <summary>May it take ordinary traffic as far as health and limits are concerned?</summary>
    public bool Admits(long tokens, TimeSpan now) => Health.State.Admits(now) && HasRoom(tokens, now);

    public bool HasRoom(long tokens, TimeSpan now) => Limiter.HasRoom(tokens, now) && AccountLimiter.HasRoom(tokens, now);

    /// <summary>The earliest instant at which it may take ordinary traffic or a trial, by time alone.</summary>
    public TimeSpan AvailableAt(long tokens, TimeSpan now)
    {
        var state = Health.State;
        if (state.Status is HealthStatus.Draining or HealthStatus.ForcedDown)
            return TimeSpan.MaxValue;
        var at = now;
        if (state.Status is HealthStatus.Ejected or HealthStatus.Trial)
            at = Max(at, state.Until ?? now);
        at = Max(at, state.CooldownUntil ?? now);
        at = Max(at, Limiter.AvailableAt(tokens, now));
        return Max(at, AccountLimiter.AvailableAt(tokens, now));
    }

    public void Replace(Endpoint endpoint, ResiliencePipeline pipeline)
    {
        Endpoint = endpoint;
        Pipeline = pipeline;
    }

    public void Began()
    {
        Interlocked.Increment(ref _inFlight);
        Interlocked.Increment(ref _calls);
    }

    public void Ended(Fault? fault)
    {
        Interlocked.Decrement(ref _inFlight);
        if (fault is null)
            Interlocked.Increment(ref _successes);
        else if (!fault.IsNeutral)
            Interlocked.Increment(ref _faults);
    }

    public override string ToString() => Endpoint.Name;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
