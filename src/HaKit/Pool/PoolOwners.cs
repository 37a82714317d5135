using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;

namespace HaKit.Pool;

/// <summary>
/// Holds the parts of a pool. Each part owns some of the pool's state, with its lock and its timer. The parts are created in the order in which they need each
/// other, and are then connected.
/// </summary>
internal sealed class PoolOwners : IDisposable
{
    private readonly ILoggerFactory? _loggers;
    private readonly DisposableParts _disposables;
    private readonly IPoolRecorder? _recorder;

    private PoolOwners(string name, EndpointPoolOptions options, EndpointPoolParts parts, DisposableParts disposables)
    {
        _loggers = parts.LoggerFactory;
        _disposables = disposables;
        Classifier = new ChainedClassifier([.. parts.Classifiers]);
        Credentials = new EndpointCredentials(parts.Credential);
        Options = new CurrentOptions(options);
        Clock = new PoolClock(parts.TimeProvider);
        var snapshot = new CurrentSnapshot();
        var telemetry = new PoolTelemetry(Instruments.ForFactory(parts.MeterFactory), name, Clock.Time);
        Journal = disposables.Add(new PoolJournal(name, Clock, Options, snapshot, telemetry, parts));
        Objective = disposables.Add(new PoolObjective(Clock, Options, snapshot, Journal));

        var chance = new Chance(options.Seed is { } given ? (ulong)given : null);
        var health = new HealthTracker(options.CircuitBreaker, new Random((int)chance.Next()));
        var pipelines = new EndpointPipelines(name, Clock.Time, Classifier, parts, telemetry);
        var observer = new AttemptObserver(name, [.. parts.OnAttemptFailed], Journal.Log);
        _recorder = disposables.Add(parts.Recorder?.Invoke(new RecorderScope(name, Clock, options, NewLogger("HaKit.Recording"))));
        var factory = new MemberFactory(Clock, health, pipelines, telemetry, Objective, observer, _recorder);
        snapshot.Value = new PoolSnapshot(factory.MembersOf(options, [], out _), firstTier: 0);
        var selectors = new SelectorFactory(chance, parts.Selector);
        Engine = new FailoverEngine(
            Clock, snapshot, selectors.Create(options), EngineSettings.From(name, options), health, new RetryBudget(options.RetryBudget),
            new WaitQueue(options.MaxWaitingCalls, Clock.Time), Classifier, chance, telemetry)
        {
            Traffic = factory.Traffic,
            SeamMade = Journal.RecordSeam,
            HeldTooLong = Journal.RecordHeldTooLong,
        };
        Engine.Results.FailureHidden = Journal.RecordHiddenFailure;
        Engine.Untried.SelectorFailed = Journal.RecordSelectorFailed;
        Members = new PoolMembers(name, Clock, Options, snapshot, factory, health, Objective, Journal, Engine, selectors);
        Load = disposables.Add(new PoolLoad(Clock, Options, snapshot, Engine.Queue, Journal));
        Redundancy = new PoolRedundancy(name, Clock, Options, snapshot, factory.Traffic, Engine.Queue);
        Heartbeats = disposables.Add(new PoolHeartbeats(Clock, Options, snapshot, health, Journal, parts, Classifier, Credentials, Engine.Queue));
        Engine.Waits.CallWaits = Heartbeats.ProbeWhileCallsWait;
        Peers = disposables.Add(new PoolPeers(name, Clock, Options, snapshot, Members, Journal, Engine, Heartbeats, parts.PeerLink));
        Orders = new PoolOrders(name, Clock, snapshot, Members, Journal, Peers);
        Gauges = disposables.Add(new PoolGauges(telemetry, Clock, snapshot, Engine, Load, Redundancy, Objective, Peers));
        Responses = new ResponseJudge(Classifier, Clock);
        Calls = new PoolCalls(Engine, pipelines.ForCalls(Engine), Objective, _recorder, Responses);

        // The objective, the journal and the recorder come first, so that the consequences of a change are reported after the change.
        health.Changed += Objective.OnHealthChanged;
        health.Changed += Journal.OnHealthChanged;
        if (_recorder is { } recorder)
            health.Changed += change => recorder.RecordChange(in change, Clock.Now);
        health.Changed += Heartbeats.OnHealthChanged;
        health.Changed += Members.OnHealthChanged;
        health.Changed += Peers.OnHealthChanged;
        health.Delivered += Members.ReleaseWaiters;
        Journal.RecordWarnings(options);
    }

    public PoolClock Clock { get; }

    public CurrentOptions Options { get; }

    public ChainedClassifier Classifier { get; }

    public EndpointCredentials Credentials { get; }

    public PoolJournal Journal { get; }

    public PoolObjective Objective { get; }

    public FailoverEngine Engine { get; }

    public PoolMembers Members { get; }

    public PoolOrders Orders { get; }

    public PoolLoad Load { get; }

    public PoolRedundancy Redundancy { get; }

    public PoolGauges Gauges { get; }

    public PoolHeartbeats Heartbeats { get; }

    public PoolPeers Peers { get; }

    public PoolCalls Calls { get; }

    public ResponseJudge Responses { get; }

    /// <summary>
    /// Creates and starts the parts of a pool. If the application's code throws, every part that exists is disposed, because a container creates the pool again
    /// at its next use.
    /// </summary>
    /// <param name="name">The pool's name.</param>
    /// <param name="options">The options: validated, and not changed by other code.</param>
    /// <param name="parts">The parts that the application supplies as code, such as its clock, strategies and callbacks.</param>
    public static PoolOwners Start(string name, EndpointPoolOptions options, EndpointPoolParts parts)
    {
        var disposables = new DisposableParts();
        try
        {
            var owners = new PoolOwners(name, options, parts, disposables);
            owners.UseChanges();
            owners.Peers.Start();
            owners._recorder?.Start();
            return owners;
        }
        catch
        {
            disposables.TryDispose();
            throw;
        }
    }

    /// <summary>
    /// Applies new options or members to the other parts, and releases waiting calls, which may now start on a new endpoint. Do not call this method under the
    /// lock of <see cref="PoolMembers"/>: a released call continues on this thread, so its code would run while the lock is held.
    /// </summary>
    public void UseChanges()
    {
        _recorder?.UseOptions(Options.Value);
        Heartbeats.UseMembers();
        Load.UseOptions();
        Objective.UseOptions();
        Peers.UseMembers();
        Engine.Queue.Release(Engine.Snapshot.Members.Length);
    }

    public ILogger NewLogger(string category) => SafeLogger.Create(_loggers, category);

    /// <summary>Gets the pool's origin: the address without query, fragment and user info. Without an address, the origin is the placeholder http://ha-pool/.</summary>
    public static Uri OriginOf(string? address) =>
        address is null ? new Uri("http://ha-pool/") : new Uri(new Uri(address, UriKind.Absolute).GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped));

    /// <summary>
    /// Ends heartbeats, timers and events, and refuses new calls. If a part throws, for example the application's link, all others are disposed too. The first
    /// exception is then thrown.
    /// </summary>
    public void Dispose()
    {
        Engine.Close();
        _disposables.Dispose();
    }
}
