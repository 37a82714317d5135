using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Selection;
using Microsoft.Extensions.Options;

namespace HaKit;

public sealed partial class EndpointPool
{
    private readonly Lock _membership = new();
    private readonly LatencyEstimate _latency = new();
    private readonly Dictionary<string, Limiter> _accounts = new(StringComparer.Ordinal);

    /// <summary>
    /// Takes new options: members of the same name, address and failure domains keep their state, new ones are added, absent ones are drained and
    /// removed. Calls in flight are not disturbed. What <see cref="AddEndpoint"/> and <see cref="RemoveEndpoint"/> did is undone where the options say otherwise.
    /// </summary>
    /// <param name="options">The new options, whole.</param>
    /// <exception cref="OptionsValidationException">Something is wrong with them; nothing was changed.</exception>
    public void Update(EndpointPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Refuse(Name, options);
        lock (_membership)
        {
            Volatile.Write(ref _options, options);
            _health.UseOptions(options.CircuitBreaker);
            _engine.Settings = Settings(Name, options);
            _engine.Selector = NewSelector(options);
            UseAccountLimits(options);
            var old = _engine.Snapshot.Members;
            Use([.. options.Endpoints.Select(e => Reuse(old, new PoolEndpoint(e)))]);
        }
        Changed();
    }

    /// <summary>Adds an endpoint while calls run.</summary>
    /// <param name="endpoint">The endpoint, of a name that the pool does not have yet.</param>
    /// <exception cref="OptionsValidationException">Something is wrong with it; nothing was changed.</exception>
    public void AddEndpoint(EndpointOptions endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        lock (_membership)
        {
            var options = _options.With([.. _options.Endpoints, endpoint]);
            Refuse(Name, options);
            Volatile.Write(ref _options, options);
            Use([.. _engine.Snapshot.Members, NewMember(new PoolEndpoint(endpoint))]);
        }
        Changed();
    }

    /// <summary>Takes an endpoint out of the pool. It is given nothing new; attempts that it has run to their end.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>False when the pool has no endpoint of this name.</returns>
    /// <exception cref="InvalidOperationException">It is the last one.</exception>
    public bool RemoveEndpoint(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (_membership)
        {
            var members = Array.FindAll(_engine.Snapshot.Members, m => m.Endpoint.Name != name);
            if (members.Length == _engine.Snapshot.Members.Length)
                return false;
            if (members.Length == 0)
                throw new InvalidOperationException($"Pool '{Name}': '{name}' is its last endpoint, and a pool needs at least one.");
            Volatile.Write(ref _options, _options.With([.. _options.Endpoints.Where(e => e.Name != name)]));
            Use(members);
        }
        Changed();
        return true;
    }

    private void Use(EndpointState[] members)
    {
        var old = _engine.Snapshot;
        _engine.Snapshot = new PoolSnapshot(members, old.FirstTier);
        foreach (var gone in old.Members.Except(members))
        {
            _health.Remove(gone.Health);
            _uptimes.TryRemove(gone.Health, out _);
            if (Events.AreWatched)
                Events.Publish(new EndpointRemoved { Pool = Name, At = Events.Now, Endpoint = gone.Endpoint.Name });
        }
    }

    // Outside the lock: whoever waits goes on here, and may find a place among the new ones.
    private void Changed()
    {
        StartHeartbeats();
        WatchLoad();
        WatchObjective();
        _engine.Queue.Release(_engine.Snapshot.Members.Length);
    }

    private EndpointState Reuse(EndpointState[] old, PoolEndpoint endpoint)
    {
        var member = Array.Find(old, m => m.Endpoint.Name == endpoint.Name && m.Endpoint.Domains == endpoint.Domains && m.Endpoint.Address == endpoint.Address);
        if (member is null)
            return NewMember(endpoint);
        // What is unchanged keeps its pipeline too: breakers and limiters of the user's own have a memory.
        if (!endpoint.IsAlike(member.Endpoint))
            member.Replace(endpoint, NewEndpointPipeline(endpoint), TelemetryOf(endpoint));
        if (member.Limiter != Limiter.Unlimited)
            member.Limiter.UseOptions(endpoint.Limits ?? new LimitOptions());
        member.UseLimiters(
            member.Limiter == Limiter.Unlimited ? NewLimiter(endpoint) : member.Limiter,
            member.AccountLimiter == Limiter.Unlimited ? AccountLimiter(endpoint) : member.AccountLimiter);
        return member;
    }

    private EndpointState NewMember(PoolEndpoint endpoint) => new(
        endpoint,
        Recorded(_health.Add(endpoint.Name, endpoint.Domains, _clock.Now)),
        NewLimiter(endpoint),
        AccountLimiter(endpoint),
        NewEndpointPipeline(endpoint),
        new UsualTimes(Options.FirstContent.Minimum, Options.FirstContent.Timeout, Options.FirstContent.Multiplier),
        _latency,
        TelemetryOf(endpoint));

    private static Limiter NewLimiter(PoolEndpoint endpoint) => endpoint.Limits is { } limits ? new Limiter(limits) : Limiter.Unlimited;

    private Limiter AccountLimiter(PoolEndpoint endpoint) =>
        endpoint.Domains.Account is { } account && _accounts.TryGetValue(account, out var limiter) ? limiter : Limiter.Unlimited;

    // A limiter stays when its account's limits go: what is in flight was reserved with it.
    private void UseAccountLimits(EndpointPoolOptions options)
    {
        foreach (var (account, limiter) in _accounts)
            limiter.UseOptions(options.AccountLimits.TryGetValue(account, out var limits) ? limits : new LimitOptions());
        foreach (var (account, limits) in options.AccountLimits)
            if (!_accounts.ContainsKey(account))
                _accounts.Add(account, new Limiter(limits));
    }

    private int _returned;

    private Selector NewSelector(EndpointPoolOptions options) => new(new SelectionPolicy(options.Selection), _chance, _parts.Selector);

    private void OnHealthChanged(HealthChange change)
    {
        var now = _clock.Now;
        try
        {
            Record(change, now);
            Tell(change, now);
        }
#pragma warning disable CA1031 // A log that throws must not keep a change from taking effect, nor a lease from being completed.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
        if (change.After.Status == EndpointHealthStatus.SlowStart && !change.Before.IsInService)
            ((EndpointState)change.Endpoint.Tag!).Failure.Forget();
        if (!IsPlain(change.Before) || !IsPlain(change.After))
            lock (_membership)
                _engine.Snapshot = _engine.Snapshot.Renewed();
        if (change.After.Admits(now) && !change.Before.Admits(now))
            Interlocked.Increment(ref _returned);
    }

    // What a call does that is let in may take long, and nobody hears of a change meanwhile: so after the changes have been told.
    private void LetReturnedIn()
    {
        if (Volatile.Read(ref _returned) != 0)
            _engine.Queue.Release(Interlocked.Exchange(ref _returned, 0));
    }

    // Between such states nothing changes for the choice.
    private static bool IsPlain(HealthState state) => state is { Status: EndpointHealthStatus.Healthy or EndpointHealthStatus.Suspect, Cooldown: null };
}
