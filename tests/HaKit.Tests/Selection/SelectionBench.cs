using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Selection;
using HaKit.Testing;
using Polly;

namespace HaKit.Tests.Selection;

/// <summary>A pool reduced to what selection needs: endpoints with real health, limits and estimates, and a clock that is just a number.</summary>
internal sealed class SelectionBench
{
    private readonly PoolClock _clock = new(new ManualTimeProvider());
    private readonly LatencyEstimate _latency = new();
    private readonly IEndpointSelector? _own;
    private readonly HealthTracker _health;
    private AttemptHistory _history = new();

    public SelectionBench(IEnumerable<EndpointOptions> endpoints, SelectionOptions? options = null, ulong seed = 1, IEndpointSelector? own = null)
    {
        _own = own;
        Chance = new Chance(seed);
        Policy = new SelectionPolicy(options ?? new SelectionOptions());
        _health = new HealthTracker(new HealthOptions(), new Random(1));
        _health.Changed += change =>
        {
            Snapshot = Snapshot!.Renewed();
            if (change.After.Status == EndpointHealthStatus.SlowStart && !change.Before.IsInService)
                Snapshot.MemberOf(change.Endpoint)?.Failure.Reset();
        };
        Members = [.. endpoints.Select(NewMember)];
        Snapshot = new PoolSnapshot(Members, 0);
        Selector = new Selector(Policy, Chance, own);
    }

    public SelectionBench(string names, SelectionPreset preset = SelectionPreset.Adaptive, ulong seed = 1, params double[] weights)
        : this(Named(names, weights), new SelectionOptions { Preset = preset }, seed)
    {
    }

    public Chance Chance { get; }

    public SelectionPolicy Policy { get; }

    public Selector Selector { get; set; }

    public PoolSnapshot Snapshot { get; set; }

    public EndpointState[] Members { get; private set; }

    public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

    public EndpointState this[string name] => Members.Single(m => m.Endpoint.Name == name);

    public static IEnumerable<EndpointOptions> Named(string names, params double[] weights) =>
        names.Select((name, i) => new EndpointOptions { Name = name.ToString(), Weight = i < weights.Length ? weights[i] : 1 });

    public static IEnumerable<EndpointOptions> Numbered(int count, Action<int, EndpointOptions>? configure = null) =>
        Enumerable.Range(0, count).Select(i =>
        {
            var options = new EndpointOptions { Name = $"e{i}" };
            configure?.Invoke(i, options);
            return options;
        });

    public void Remove(string name)
    {
        Members = [.. Members.Where(m => m.Endpoint.Name != name)];
        Snapshot = new PoolSnapshot(Members, 0);
    }

    public Choice Choose(RequestProfile? profile = null)
    {
        if (Now >= _health.NextChange)
            _health.Advance(Now);
        return Selector.Choose(Snapshot, new SelectionQuery(profile ?? RequestProfile.Default, _history, Now));
    }

    public string? Pick(RequestProfile? profile = null) => Choose(profile).State?.Endpoint.Name;

    public string Picks(int count, RequestProfile? profile = null) => string.Concat(Enumerable.Range(0, count).Select(_ => Pick(profile) ?? "-"));

    /// <summary>Gets the share of the choices that each endpoint gets while nothing is in flight.</summary>
    public Dictionary<string, double> Shares(int count, RequestProfile? profile = null)
    {
        var picks = Enumerable.Range(0, count).Select(_ => Pick(profile)).CountBy(name => name ?? "").ToDictionary();
        return Members.ToDictionary(m => m.Endpoint.Name, m => picks.GetValueOrDefault(m.Endpoint.Name) / (double)count);
    }

    public Lease Begin(EndpointState state, BeginMode mode = BeginMode.Normal, long inputTokens = 0)
    {
        var lease = new Lease();
        lease.TryBegin(state, mode, inputTokens, inputTokens, 1, TimeSpan.MaxValue, _clock, Now).Should().BeTrue();
        return lease;
    }

    public void Load(string name, int calls)
    {
        for (; calls > 0; calls--)
            Begin(this[name]);
    }

    public void Answered(string name, double seconds)
    {
        var lease = Begin(this[name]);
        lease.Complete(null, Now + TimeSpan.FromSeconds(seconds));
    }

    public void Fail(string name, int times = 1, FaultKind kind = FaultKind.ServerError)
    {
        for (; times > 0; times--)
            Begin(this[name]).Complete(new Fault(kind), Now);
    }

    public void Eject(string name)
    {
        var before = this[name].Failure.ProbabilityAt(Now);
        Fail(name, 5);
        // The last admitted endpoint is ejected only after more failures.
        if (this[name].Health.State.Admits(Now))
            Fail(name, 15);
        this[name].Health.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        before.Should().BeLessThan(this[name].Failure.ProbabilityAt(Now));
    }

    public void CoolDown(string name, double seconds) =>
        Begin(this[name]).Complete(new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(seconds) }, Now);

    public void Order(string name, HealthOrder order) => this[name].Health.Order(order, Now);

    /// <summary>The attempts that the call has made so far.</summary>
    public SelectionBench After(params (string Name, Fault? Fault)[] attempts)
    {
        _history = new AttemptHistory();
        foreach (var (name, fault) in attempts)
        {
            _history.Add(this[name], Now);
            if (fault is not null)
                _history.RecordEnd(_history.Begun, fault, Now);
        }
        return this;
    }

    public IReadOnlyList<EndpointExplanation> Explain(RequestProfile? profile = null) =>
        Selector.Explain(Snapshot, new SelectionQuery(profile ?? RequestProfile.Default, _history, Now));

    private EndpointState NewMember(EndpointOptions options)
    {
        var endpoint = new PoolEndpoint(options);
        return new EndpointState(
            endpoint, _health.Add(endpoint.Name, endpoint.Domains, TimeSpan.Zero),
            endpoint.Limits is { } limits ? new Limiter(limits) : Limiter.Unlimited, Limiter.Unlimited, ResiliencePipeline.Empty, new UsualTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 3), _latency);
    }
}
