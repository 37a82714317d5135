using HaKit.Attempts;

namespace HaKit.Failover;

/// <summary>
/// Where the rest of one cut answer is asked for, in order: endpoints of the same model that have not cut it, then other models, then every endpoint that can
/// go on but the one that cut it last. An endpoint that refused the rest is not asked for it again. For one caller.
/// </summary>
internal sealed class ContinuationRoute
{
    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(30);

    private readonly FailoverEngine _engine;
    private readonly RequestProfile _profile;
    private readonly TimeSpan _deadline;
    private readonly List<PoolEndpoint> _all;
    private readonly Queue<List<PoolEndpoint>> _groups = new();
    private readonly HashSet<string> _asked = [];
    private readonly List<AttemptRecord> _attempts = [];
    private bool _isLast;

    private ContinuationRoute(FailoverEngine engine, RequestProfile profile, PartialResponseException cut, List<PoolEndpoint> all)
    {
        (_engine, _profile, _all) = (engine, profile, all);
        var now = engine.Clock.Now;
        _deadline = cut.Deadline - now > s_least ? cut.Deadline : now + s_least;
        var model = ModelOf(engine, cut.Endpoint);
        _groups.Enqueue(all.FindAll(e => !cut.CutBy.Contains(e.Name) && e.Domains.Model == model));
        _groups.Enqueue(all.FindAll(e => !cut.CutBy.Contains(e.Name) && e.Domains.Model != model));
    }

    /// <summary>Decides whether the rest may be asked for.</summary>
    /// <param name="engine">The pool's engine.</param>
    /// <param name="profile">What is known of the request.</param>
    /// <param name="cut">The cut.</param>
    /// <param name="obstacle">What in the request or in what was delivered stands in the way; null for nothing.</param>
    /// <exception cref="NotContinuedException">It may not.</exception>
    public static ContinuationRoute Begin(FailoverEngine engine, RequestProfile profile, PartialResponseException cut, NotContinuedReason? obstacle)
    {
        var all = Others(engine, profile, cut.CutBy[^1]);
        var decision = new ContinuationCase
        {
            IsAllowed = IsAllowed(engine, profile),
            MayRepeat = profile.MayRepeat,
            Obstacle = obstacle,
            Cut = cut.Fault,
            Seams = cut.CutBy.Count - 1,
            Endpoints = all.Count,
        };
        return decision.FindReason() is { } reason ? throw new NotContinuedException(reason) : new ContinuationRoute(engine, profile, cut, all);
    }

    /// <summary>Does the pool or the call ask for it, and can any endpoint go on from a beginning?</summary>
    public static bool IsPossible(FailoverEngine engine, RequestProfile profile) =>
        IsAllowed(engine, profile) && Array.Exists(engine.Snapshot.Members, static m => m.Endpoint.Continuation != Continuation.None);

    /// <summary>The profile of the next call for the rest.</summary>
    /// <exception cref="NotContinuedException">Every endpoint has been asked, or the time is over.</exception>
    public RequestProfile Next()
    {
        var now = _engine.Clock.Now;
        while (!_isLast && now < _deadline)
        {
            if (!_groups.TryDequeue(out var group))
            {
                (_isLast, group) = (true, _all);
            }
            if (group.FindAll(e => !_asked.Contains(e.Name)) is { Count: > 0 } left)
            {
                return _profile with
                {
                    Endpoints = left.ConvertAll(static e => e.Name),
                    Deadline = _deadline - now,
                    MaxWait = _isLast ? null : TimeSpan.Zero,
                    IdempotencyKey = null,
                    IsContinuation = true,
                };
            }
        }
        throw new NotContinuedException(NotContinuedReason.Failed, _attempts, null);
    }

    /// <summary>An endpoint is being asked for the rest.</summary>
    public void Ask(PoolEndpoint endpoint)
    {
        lock (_asked)
            _asked.Add(endpoint.Name);
    }

    /// <summary>A call for the rest has failed.</summary>
    public void Fail(IReadOnlyList<AttemptRecord> attempts) => _attempts.AddRange(attempts);

    private static bool IsAllowed(FailoverEngine engine, RequestProfile profile) => profile.MayContinue ?? engine.Settings.Streaming.Continuation == StreamContinuation.On;

    private static List<PoolEndpoint> Others(FailoverEngine engine, RequestProfile profile, string cutLast)
    {
        var others = new List<PoolEndpoint>();
        foreach (var member in engine.Snapshot.Members)
        {
            if (member.Endpoint is { Continuation: not Continuation.None } endpoint && endpoint.Name != cutLast
                && (profile.Endpoints.Count == 0 || profile.Endpoints.Contains(endpoint.Name)))
            {
                others.Add(endpoint);
            }
        }
        return others;
    }

    private static string? ModelOf(FailoverEngine engine, string name) => Array.Find(engine.Snapshot.Members, m => m.Endpoint.Name == name)?.Endpoint.Domains.Model;
}
