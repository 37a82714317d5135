using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Failover;

/// <summary>
/// Decides which endpoints get the request for the rest of one cut answer, in steps. The first steps use healthy endpoints that have not cut the answer: first
/// with the same model, then with other models. The next step uses every endpoint that has not cut the answer, with a short wait. The last step uses every
/// endpoint except the endpoint that cut the answer last. An endpoint that refused the request for the rest does not get it again. Used by one caller.
/// </summary>
internal sealed class ContinuationRoute
{
    private const int WellOfSameModel = 0, Well = 1, NotCut = 2, Any = 3;

    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(30);

    // An endpoint that comes back within this time is a better choice than an endpoint that has already cut this answer.
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(5);

    private readonly FailoverEngine _engine;
    private readonly RequestProfile _profile;
    private readonly TimeSpan _deadline;
    private readonly IReadOnlyList<string> _cutBy;
    private readonly string? _model;
    private readonly HashSet<string> _asked = [];
    private readonly HashSet<string> _refused = [];
    private AttemptTotals _attempts = AttemptTotals.None;
    private int _step;

    private ContinuationRoute(FailoverEngine engine, RequestProfile profile, PartialResponseException cut)
    {
        (_engine, _profile, _cutBy) = (engine, profile, cut.CutBy);
        var now = engine.Clock.Now;
        _deadline = cut.Deadline - now > s_least ? cut.Deadline : now + s_least;
        _model = Array.Find(engine.Snapshot.Members, m => m.Endpoint.Name == cut.Endpoint)?.Endpoint.Domains.Model;
    }

    /// <summary>Starts the route, if the answer may be continued.</summary>
    /// <param name="engine">The pool's engine.</param>
    /// <param name="profile">The information about the request that the pool cannot see: requirements, sizes, deadline.</param>
    /// <param name="cut">The cut.</param>
    /// <param name="obstacle">The property of the request or the delivered part that prevents a continuation. Null: none.</param>
    /// <exception cref="NotContinuedException">The answer may not be continued.</exception>
    public static ContinuationRoute Begin(FailoverEngine engine, RequestProfile profile, PartialResponseException cut, NotContinuedReason? obstacle)
    {
        var route = new ContinuationRoute(engine, profile, cut);
        var decision = new ContinuationCase
        {
            IsAllowed = IsAllowed(engine, profile),
            MayRepeat = profile.MayRepeat,
            Obstacle = obstacle,
            Cut = cut.Fault,
            Seams = cut.CutBy.Count - 1,
            Endpoints = route.EndpointsOf(Any).Count,
        };
        return decision.FindReason() is { } reason ? throw new NotContinuedException(reason) : route;
    }

    /// <summary>Checks whether the call's profile allows a continuation. If the profile does not decide this, the pool's setting does.</summary>
    public static bool IsAllowed(FailoverEngine engine, RequestProfile profile) => profile.MayContinue ?? engine.Settings.Streaming.Continuation == StreamContinuation.On;

    /// <summary>Gets the profile of the next call for the rest.</summary>
    /// <exception cref="NotContinuedException">All steps have failed, or the time is over.</exception>
    public RequestProfile Next()
    {
        var now = _engine.Clock.Now;
        for (; _step <= Any && now < _deadline; _step++)
        {
            if (EndpointsOf(_step) is not { Count: > 0 } endpoints)
                continue;
            if (_step == NotCut && EndpointsOf(Any).Count == endpoints.Count)
                continue; // the step Any asks the same endpoints and waits longer
            _asked.Clear();
            var wait = _step == NotCut ? s_wait : TimeSpan.Zero;
            return _profile with
            {
                Endpoints = endpoints,
                Deadline = _deadline - now,
                BeganAt = null,
                MaxWait = _step == Any ? _profile.MaxWait : Shorter(wait, _profile.MaxWait ?? _engine.Settings.MaxWait),
                IdempotencyKey = null,
                IsContinuation = true,
            };
        }
        throw new NotContinuedException(NotContinuedReason.Failed, _attempts, null);
    }

    /// <summary>Records that the request for the rest is sent to an endpoint.</summary>
    public void RecordAsked(PoolEndpoint endpoint)
    {
        lock (_asked)
            _asked.Add(endpoint.Name);
    }

    /// <summary>Records that a call for the rest has failed: no endpoint of this step could serve it.</summary>
    public void RecordFailure(EndpointPoolException failure)
    {
        _attempts = _attempts.Add(AttemptTotals.ReadFrom(failure));
        foreach (var attempt in failure.Attempts)
        {
            if (attempt.Fault is { Blame: FaultBlame.Request } or { Kind: FaultKind.BrokenBody })
                _refused.Add(attempt.Endpoint);
        }
        _step++;
    }

    /// <summary>
    /// Records that the endpoints refused the request for the rest. The caller did not write this request, so other endpoints may still accept it.
    /// </summary>
    public void RecordRefusal()
    {
        _refused.UnionWith(_asked);
        if (_asked.Count == 0)
            _step++;
    }

    private static TimeSpan Shorter(TimeSpan wait, TimeSpan? most) => most < wait ? most.Value : wait;

    private List<string> EndpointsOf(int step)
    {
        var names = new List<string>();
        foreach (var member in _engine.Snapshot.Members)
        {
            if (MayAsk(member.Endpoint) && IsIn(step, member))
                names.Add(member.Endpoint.Name);
        }
        return names;
    }

    private bool MayAsk(PoolEndpoint endpoint) => endpoint.Continuation != Continuation.None && endpoint.Name != _cutBy[^1] && !_refused.Contains(endpoint.Name)
        && (_profile.Endpoints.Count == 0 || _profile.Endpoints.Contains(endpoint.Name));

    private bool IsIn(int step, EndpointState member) => step switch
    {
        Any => true,
        _ when _cutBy.Contains(member.Endpoint.Name) => false,
        NotCut => true,
        Well => IsWell(member.Health.State),
        _ => IsWell(member.Health.State) && member.Endpoint.Domains.Model == _model,
    };

    private static bool IsWell(HealthState health) => health is { Status: EndpointHealthStatus.Healthy or EndpointHealthStatus.SlowStart, ConsecutiveFailures: 0 };
}
