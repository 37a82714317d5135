using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Telemetry;
using Polly;

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
    /// <param name="options">The new options.</param>
    /// <param name="old">The current members.</param>
    /// <param name="renewed">The members that stay with changed properties.</param>
    public EndpointState[] MembersOf(EndpointPoolOptions options, EndpointState[] old, out List<EndpointState> renewed)
    {
        // The application's strategies may throw. So all pipelines are built before anything changes.
        var plans = options.Endpoints.Select(e => Plan(old, new PoolEndpoint(e))).ToArray();
        UseAccountLimits(options);
        renewed = [.. plans.Where(static p => p is { Member: not null, Pipeline: not null }).Select(static p => p.Member!)];
        return Array.ConvertAll(plans, plan => plan.Member is { } member ? Renew(member, plan) : Create(plan.Endpoint, plan.Pipeline!, options));
    }

    /// <summary>Creates the state of a new member. Changes nothing if the application's strategies throw.</summary>
    public EndpointState Create(PoolEndpoint endpoint, EndpointPoolOptions options) => Create(endpoint, pipelines.ForAttempts(endpoint), options);

    private EndpointState Create(PoolEndpoint endpoint, ResiliencePipeline pipeline, EndpointPoolOptions options)
    {
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

    private MemberPlan Plan(EndpointState[] old, PoolEndpoint endpoint)
    {
        var member = Array.Find(old, m => m.Endpoint.Name == endpoint.Name && m.Endpoint.Domains == endpoint.Domains && m.Endpoint.Address == endpoint.Address);
        // An unchanged endpoint keeps its pipeline too, because the application's own breakers and limiters in it have state.
        return new(endpoint, member, member is not null && endpoint.IsAlike(member.Endpoint) ? null : pipelines.ForAttempts(endpoint));
    }

    private EndpointState Renew(EndpointState member, in MemberPlan plan)
    {
        var endpoint = plan.Endpoint;
        if (plan.Pipeline is { } pipeline)
            member.Replace(endpoint, pipeline, TelemetryOf(endpoint), clock.Now);
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

    // If the limits of an account are removed, its limiter stays without limits, because reservations in flight belong to this limiter.
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

    /// <param name="Endpoint">The endpoint in the new options.</param>
    /// <param name="Member">The member that stays. Null: the endpoint is new.</param>
    /// <param name="Pipeline">The new pipeline. Null: the member keeps its pipeline.</param>
    private readonly record struct MemberPlan(PoolEndpoint Endpoint, EndpointState? Member, ResiliencePipeline? Pipeline);
}
