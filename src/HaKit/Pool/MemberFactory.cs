using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Telemetry;

namespace HaKit.Pool;

/// <summary>
/// Creates the state of new members, and keeps the state of members that stay. It owns the objects that members share: the limits of accounts, the usual
/// latency of the pool, and the meter of its traffic. Not thread-safe: <see cref="PoolMembers"/> calls it under its lock.
/// </summary>
internal sealed class MemberFactory(
    PoolClock clock, HealthTracker health, EndpointPipelines pipelines, PoolTelemetry telemetry, PoolObjective objective, AttemptObserver observer,
    IAttemptRecorder? recorder = null)
{
    private readonly LatencyEstimate _latency = new();
    private readonly Dictionary<string, Limiter> _accounts = new(StringComparer.Ordinal);

    /// <summary>Gets the meter of the calls' demand; the members count into it.</summary>
    public TrafficMeter Traffic { get; } = new();

    /// <summary>
    /// Gets the members that the options list. Members of <paramref name="old"/> with the same name, address and failure domains keep their state.
    /// </summary>
    public EndpointState[] MembersOf(EndpointPoolOptions options, EndpointState[] old)
    {
        UseAccountLimits(options);
        return [.. options.Endpoints.Select(e => ReuseOrCreate(old, new PoolEndpoint(e), options))];
    }

    public EndpointState Create(PoolEndpoint endpoint, EndpointPoolOptions options)
    {
        var pipeline = pipelines.ForAttempts(endpoint);
        var own = health.Add(endpoint.Name, endpoint.Domains, clock.Now);
        objective.Watch(own);
        return new EndpointState(
            endpoint,
            own,
            NewLimiter(endpoint),
            LimiterOfAccount(endpoint),
            pipeline,
            new UsualTimes(options.FirstContent.Minimum, options.FirstContent.Timeout, options.FirstContent.Multiplier),
            _latency,
            TelemetryOf(endpoint),
            observer)
        {
            Traffic = Traffic,
            Recorder = recorder,
        };
    }

    private EndpointState ReuseOrCreate(EndpointState[] old, PoolEndpoint endpoint, EndpointPoolOptions options)
    {
        var member = Array.Find(old, m => m.Endpoint.Name == endpoint.Name && m.Endpoint.Domains == endpoint.Domains && m.Endpoint.Address == endpoint.Address);
        if (member is null)
            return Create(endpoint, options);
        // An unchanged endpoint keeps its pipeline too, because the application's own breakers and limiters in it have state.
        if (!endpoint.IsAlike(member.Endpoint))
        {
            member.Replace(endpoint, pipelines.ForAttempts(endpoint), TelemetryOf(endpoint), clock.Now);
            member.Health.RecordNewCredential(clock.Now); // the key may be the same, but a trial costs only one request
        }
        if (member.Limiter != Limiter.Unlimited)
            member.Limiter.UseOptions(endpoint.Limits ?? new LimitOptions());
        member.UseLimiters(
            member.Limiter == Limiter.Unlimited ? NewLimiter(endpoint) : member.Limiter,
            member.AccountLimiter == Limiter.Unlimited ? LimiterOfAccount(endpoint) : member.AccountLimiter);
        return member;
    }

    private EndpointTelemetry TelemetryOf(PoolEndpoint endpoint) =>
        new(telemetry, endpoint.Name, endpoint.Address, endpoint.Domains.Provider, endpoint.Domains.Model);

    private static Limiter NewLimiter(PoolEndpoint endpoint) => endpoint.Limits is { } limits ? new Limiter(limits) : Limiter.Unlimited;

    private Limiter LimiterOfAccount(PoolEndpoint endpoint) =>
        endpoint.Domains.Account is { } account && _accounts.TryGetValue(account, out var limiter) ? limiter : Limiter.Unlimited;

    // If the limits of an account are removed, its limiter stays, because reservations in flight belong to it; it then has no limits.
    private void UseAccountLimits(EndpointPoolOptions options)
    {
        foreach (var (account, limiter) in _accounts)
            limiter.UseOptions(options.AccountLimits.TryGetValue(account, out var limits) ? limits : new LimitOptions());
        foreach (var (account, limits) in options.AccountLimits)
        {
            if (!_accounts.ContainsKey(account))
                _accounts.Add(account, new Limiter(limits));
        }
    }
}
