using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Health;
using HaKit.Selection;
using Microsoft.Extensions.Options;

namespace HaKit.Pool;

/// <summary>
/// Manages the membership of the pool: it applies new options, adds and removes endpoints, and replaces the snapshot when membership or eligibility changes.
/// Its lock orders these changes; calls never take it. Thread-safe.
/// </summary>
internal sealed class PoolMembers
{
    private readonly Lock _gate = new();
    private readonly string _pool;
    private readonly CurrentOptions _options;
    private readonly CurrentSnapshot _snapshot;
    private readonly MemberFactory _factory;
    private readonly HealthTracker _health;
    private readonly PoolObjective _objective;
    private readonly PoolJournal _journal;
    private readonly FailoverEngine _engine;
    private readonly SelectorFactory _selectors;
    private readonly PoolClock _clock;
    private int _returned;

    public PoolMembers(
        string pool, PoolClock clock, CurrentOptions options, CurrentSnapshot snapshot, MemberFactory factory, HealthTracker health,
        PoolObjective objective, PoolJournal journal, FailoverEngine engine, SelectorFactory selectors)
    {
        (_pool, _clock, _options, _snapshot, _factory, _health) = (pool, clock, options, snapshot, factory, health);
        (_objective, _journal, _engine, _selectors) = (objective, journal, engine, selectors);
    }

    public static EndpointPoolOptions Validated(string pool, EndpointPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(pool, "name");
        var copy = options.Copy();
        return copy.Validate(pool) is { Count: > 0 } wrong ? throw new OptionsValidationException(pool, typeof(EndpointPoolOptions), wrong) : copy;
    }

    /// <summary>Applies new options: settings, and the endpoints that they list.</summary>
    /// <exception cref="OptionsValidationException">The options have mistakes; nothing was changed.</exception>
    public void Update(EndpointPoolOptions options)
    {
        List<EndpointState> renewed;
        lock (_gate)
        {
            var next = Validated(_pool, WithAdded(options));
            var members = _factory.MembersOf(next, _snapshot.Value.Members, out renewed); // the application's strategies may throw; the pool is then unchanged
            _journal.RecordNotApplied(FixedSettings.ChangedBetween(_options.Value, next));
            _journal.RecordWarnings(next);
            _options.Value = next;
            _health.UseOptions(next.CircuitBreaker);
            _engine.Settings = EngineSettings.From(_pool, next);
            _engine.Selector = _selectors.Create(next);
            SwapWhileLocked(members);
        }
        // If the key of a renewed endpoint was refused, this ends its cooldown. The key may be the same: then the next request is refused, and the cooldown
        // starts again. This code does not run under the lock, because it lets waiting calls continue, and their code may change the pool.
        foreach (var member in renewed)
            member.Health.RecordNewCredential(_clock.Now);
    }

    /// <exception cref="OptionsValidationException">The endpoint's options have mistakes; nothing was changed.</exception>
    public void Add(EndpointOptions endpoint)
    {
        lock (_gate)
        {
            var options = Validated(_pool, _options.Value.With([.. _options.Value.Endpoints, endpoint]));
            options.Endpoints[^1].IsAdded = true;
            var member = _factory.Create(new PoolEndpoint(options.Endpoints[^1]), options); // the application's strategies may throw; the pool is then unchanged
            _options.Value = options;
            SwapWhileLocked([.. _snapshot.Value.Members, member]);
        }
    }

    /// <summary>Removes an endpoint; its attempts in flight run to their end. False if the pool has no endpoint of this name.</summary>
    /// <exception cref="InvalidOperationException">The endpoint is the last one.</exception>
    public bool Remove(string name)
    {
        lock (_gate)
        {
            var members = Array.FindAll(_snapshot.Value.Members, m => m.Endpoint.Name != name);
            if (members.Length == _snapshot.Value.Members.Length)
                return false;
            if (members.Length == 0 && !_options.Value.AllowEmpty)
                throw new InvalidOperationException($"Pool '{_pool}': '{name}' is its last endpoint, and a pool needs at least one. Add another endpoint first, or set AllowEmpty.");
            var options = _options.Value.With([.. _options.Value.Endpoints.Where(e => e.Name != name)]);
            options.HasRemovedEndpoints = true;
            _options.Value = options;
            SwapWhileLocked(members);
            return true;
        }
    }

    /// <summary>Makes a tier the first tier. Null: the lowest tier is the first tier again, as usual.</summary>
    /// <returns>The tier that is first now. Null if the pool has no endpoint in the tier; nothing was changed.</returns>
    public int? UseFirstTier(int? tier)
    {
        lock (_gate)
        {
            var members = _snapshot.Value.Members;
            if (tier is { } wanted && !Array.Exists(members, m => m.Endpoint.Tier == wanted))
                return null;
            _snapshot.Value = new PoolSnapshot(members, tier ?? 0);
            return tier ?? members.Select(m => m.Endpoint.Tier).DefaultIfEmpty().Min();
        }
    }

    /// <summary>Makes a change of an endpoint's health visible to choices.</summary>
    public void OnHealthChanged(HealthChange change)
    {
        if (HealthEvents.IsReturn(change))
            _snapshot.Value.MemberOf(change.Endpoint)?.Failure.Reset();
        if (!IsPlain(change.Before) || !IsPlain(change.After))
        {
            lock (_gate)
                _snapshot.Value = _snapshot.Value.Renewed();
        }

        // A cooldown that ends by itself releases no call here, because one waiting call wakes at this time, and the others follow after its success.
        var now = _clock.Now;
        if (change.After.Admits(now) && !change.Before.Admits(now))
            Interlocked.Increment(ref _returned);
        else if (IsSeenBack(change))
            Interlocked.Increment(ref _returned);
        if (IsSeenBack(change))
            _snapshot.Value.MemberOf(change.Endpoint)?.RecordSeenBack();
    }

    // A probe, another replica or an operator has shown that the endpoint is back, so one waiting call may use the endpoint at once.
    private static bool IsSeenBack(in HealthChange change) =>
        change.Evidence is { Fault: null } and ({ Source: EvidenceSource.Probe or EvidenceSource.Order } or { IsFromPeer: true })
        && change.After.Status is EndpointHealthStatus.Healthy or EndpointHealthStatus.SlowStart
        && (change.Before.Status == EndpointHealthStatus.Suspect || !change.Before.IsInService);

    /// <summary>
    /// Releases one waiting call for each endpoint that returned. Call this only after all changes have been delivered: a released call may run for a long time
    /// on this thread, and would delay the delivery.
    /// </summary>
    public void ReleaseWaiters()
    {
        if (Volatile.Read(ref _returned) != 0)
            _engine.Queue.Release(Interlocked.Exchange(ref _returned, 0));
    }

    // A reloaded file does not contain the endpoints that code and service discovery added.
    private EndpointPoolOptions WithAdded(EndpointPoolOptions options)
    {
        var added = _options.Value.Endpoints.Where(e => e.IsAdded && options.Endpoints?.Any(o => o?.Name == e.Name) == false).ToArray();
        return added.Length == 0 ? options : options.With([.. options.Endpoints, .. added]);
    }

    private void SwapWhileLocked(EndpointState[] members)
    {
        var old = _snapshot.Value;
        _snapshot.Value = new PoolSnapshot(members, old.FirstTier);
        foreach (var gone in old.Members.Except(members))
        {
            _health.Remove(gone.Health);
            _objective.Unwatch(gone.Health);
            _journal.RecordRemoval(gone.Endpoint.Name);
        }
    }

    // A change from one plain state to another does not change whether the endpoint may be chosen, so the snapshot is not renewed.
    private static bool IsPlain(HealthState state) => state is { Status: EndpointHealthStatus.Healthy or EndpointHealthStatus.Suspect, Cooldown: null };
}

/// <summary>Creates the selector for given options, with the pool's random numbers and the application's own selector.</summary>
internal sealed class SelectorFactory(Chance chance, IEndpointSelector? own)
{
    public Selector Create(EndpointPoolOptions options) => new(new SelectionPolicy(options.Selection, options.CircuitBreaker.MaxBreakDuration), chance, own);
}
