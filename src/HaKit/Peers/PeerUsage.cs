using HaKit.Attempts;
using HaKit.Limits;

namespace HaKit.Peers;

/// <summary>
/// Shares the usage of rate limits between replicas. Each replica publishes its usage of the last 60 s, and reserves the usage of the other replicas. Guarded
/// by its owner's lock.
/// </summary>
internal sealed class PeerUsage(PeerDomains domains)
{
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan RepeatedEvery = TimeSpan.FromSeconds(20);

    // If there are more replicas than this allows, each replica publishes less often, so that all messages together stay at twenty a second.
    private const double MessagesPerSecond = 20;

    private readonly Dictionary<string, Dictionary<string, Taken>> _others = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long Requests, long Tokens, TimeSpan At)> _published = new(StringComparer.Ordinal);
    private Dictionary<string, Limiter> _limiters = new(StringComparer.Ordinal);
    private int _replicas = 1;
    private bool _isHeld;

    /// <summary>
    /// Records the usage of another replica, for limits that this pool has, and for at most 1,000 replicas for each limit. False if the fact is not used.
    /// </summary>
    public bool TryRecordUsage(PeerFact fact, EndpointState[] members, TimeSpan now)
    {
        if (_limiters.Count == 0)
            FindLimiters(members);
        if (fact.Requests < 0 || fact.Tokens < 0 || !_limiters.ContainsKey(fact.Subject))
            return false;
        if (!_others.TryGetValue(fact.Subject, out var others))
            _others.Add(fact.Subject, others = new(StringComparer.Ordinal));
        if (!(others.TryGetValue(fact.Replica, out var known) ? fact.Version >= known.Version : others.Count < PeerBook.MostReplicas))
            return false;
        others[fact.Replica] = new Taken(fact.Version, Math.Min(fact.Requests, uint.MaxValue), Math.Min(fact.Tokens, uint.MaxValue), now + fact.Left);
        return true;
    }

    /// <summary>Adds this replica's own usage to the facts that it publishes, if the usage has changed.</summary>
    public void AddFacts(EndpointState[] members, string replica, int replicas, OwnFacts own, TimeSpan now)
    {
        FindLimiters(members);
        foreach (var subject in _published.Keys)
        {
            if (!_limiters.ContainsKey(subject))
                _published.Remove(subject);
        }
        var every = TimeSpan.FromSeconds(Math.Max(0.9, replicas / MessagesPerSecond));
        foreach (var (subject, limiter) in _limiters)
        {
            var levels = limiter.Levels(now);
            if (levels is { RequestsLimit: null, TokensLimit: null })
                continue;
            var known = _published.TryGetValue(subject, out var published);
            var isNew = known ? (levels.RequestsSpent, levels.TokensSpent) != (published.Requests, published.Tokens) : levels.RequestsSpent + levels.TokensSpent > 0;
            var isDue = known && levels.RequestsSpent + levels.TokensSpent > 0 && now - published.At >= RepeatedEvery;
            if (!isDue && (!isNew || known && now - published.At < every))
                continue;
            _published[subject] = (levels.RequestsSpent, levels.TokensSpent, now);
            var fact = new PeerFact
            {
                Kind = PeerFactKind.Usage,
                Subject = subject,
                Replica = replica,
                Version = own.NextVersion(),
                Length = Window,
                Requests = levels.RequestsSpent,
                Tokens = levels.TokensSpent,
            };
            own.Add(fact, now + Window, now);
        }
    }

    /// <summary>
    /// Reserves the usage of the other replicas. If the store is down, it reserves the whole limit except this replica's equal share, by the last known number
    /// of replicas.
    /// </summary>
    public void Apply(bool isConnected, int replicas, TimeSpan now)
    {
        if (isConnected)
            _replicas = replicas;
        foreach (var (subject, limiter) in _limiters)
        {
            long requests = 0, tokens = 0;
            if (_others.TryGetValue(subject, out var others))
            {
                foreach (var taken in others.Values)
                {
                    if (taken.Until > now)
                        (requests, tokens) = (requests + taken.Requests, tokens + taken.Tokens);
                }
            }
            var levels = limiter.Levels(now);
            limiter.HoldForOthers(AmountHeldFor(levels.RequestsLimit, requests, isConnected), AmountHeldFor(levels.TokensLimit, tokens, isConnected));
        }
        _isHeld = true;
    }

    /// <summary>Ends the reservations, because sharing was switched off and this replica may use the whole limit.</summary>
    public void Release()
    {
        if (!_isHeld)
            return;
        _isHeld = false;
        foreach (var limiter in _limiters.Values)
            limiter.HoldForOthers(0, 0);
    }

    public void RemoveExpired(TimeSpan now)
    {
        foreach (var (subject, others) in _others)
        {
            foreach (var (replica, taken) in others)
            {
                if (taken.Until <= now)
                    others.Remove(replica);
            }
            if (others.Count == 0)
                _others.Remove(subject);
        }
    }

    private uint AmountHeldFor(int? limit, long taken, bool isConnected) => limit is not { } known
        ? 0
        : SharedLimits.HeldFor(new SharedLimit { Limit = known, TakenByOthers = taken, Replicas = _replicas, IsConnected = isConnected });

    private void FindLimiters(EndpointState[] members)
    {
        var found = new Dictionary<string, Limiter>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            if (member.Limiter != Limiter.Unlimited)
                found.TryAdd(domains.LimitSubject("endpoint", member.Endpoint.Name), member.Limiter);
            if (member.AccountLimiter != Limiter.Unlimited && member.Endpoint.Domains.Account is { } account)
                found.TryAdd(domains.LimitSubject("account", account), member.AccountLimiter);
        }
        _limiters = found;
    }

    private readonly record struct Taken(long Version, long Requests, long Tokens, TimeSpan Until);
}
