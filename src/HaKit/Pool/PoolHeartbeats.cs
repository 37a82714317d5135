using HaKit.Attempts;
using HaKit.Connections;
using HaKit.Failover;
using HaKit.Failover.Waiting;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Limits;

namespace HaKit.Pool;

/// <summary>Creates the probe of each member, and owns the heartbeat loop and the connections that the probes share. Thread-safe.</summary>
internal sealed class PoolHeartbeats : IDisposable
{
    private readonly Lock _gate = new();
    private readonly PoolClock _clock;
    private readonly CurrentOptions _options;
    private readonly CurrentSnapshot _snapshot;
    private readonly EndpointPoolParts _parts;
    private readonly IFaultClassifier _classifier;
    private readonly EndpointCredentials _credentials;
    private readonly PoolJournal _journal;
    private readonly Pacemaker _pacemaker;
    private HttpMessageInvoker? _connections;

    public PoolHeartbeats(
        PoolClock clock, CurrentOptions options, CurrentSnapshot snapshot, HealthTracker health, PoolJournal journal, EndpointPoolParts parts,
        IFaultClassifier classifier, EndpointCredentials credentials, WaitQueue queue)
    {
        (_clock, _options, _snapshot, _parts, _classifier, _credentials, _journal) = (clock, options, snapshot, parts, classifier, credentials, journal);
        // Heartbeats have a separate random source, so that the number of heartbeats does not change the random numbers of calls.
        var chance = new Chance(options.Value.Seed is { } seed ? ~(ulong)seed : null);
        _pacemaker = new Pacemaker(clock, health, chance, OutagePace.ProbePauseAt, journal.OnOutageChanged)
        {
            OutageGoesOn = age => journal.RecordOutageGoesOn(age, queue.Count),
            AreCallsWaiting = () => queue.Count > 0,
        };
    }

    /// <summary>Gets since when no member can take ordinary traffic. Null while at least one member can.</summary>
    public TimeSpan? OutageSince => _pacemaker.OutageSince;

    public void OnHealthChanged(HealthChange change) => _pacemaker.OnHealthChanged(change, _clock.Now);

    /// <summary>Probes one endpoint after another, with the short pauses of an outage, until no call waits.</summary>
    public void ProbeWhileCallsWait(TimeSpan since) => _pacemaker.ProbeWhileCallsWait(since);

    /// <summary>Allows probes that cost money only while the given function returns true.</summary>
    public void AllowCostlyProbesIf(Func<bool> leads) => _pacemaker.MaySendCostly = leads;

    /// <summary>
    /// Probes an endpoint at once, because other replicas have ejected it or report that it is back. False if it has no probe, or if a probe would be useless
    /// now.
    /// </summary>
    public bool ProbeNow(EndpointState member) => _pacemaker.ProbeNow(member);

    /// <summary>Applies the members of the current snapshot and the current options.</summary>
    public void UseMembers()
    {
        // Two changes may come at the same time. The lock makes the second thread read the members and options after both changes.
        lock (_gate)
            _pacemaker.ApplyMembers(_snapshot.Value.Members, member => SetupOf(member.Endpoint, _options.Value), _options.Value.CircuitBreaker);
    }

    public void Dispose()
    {
        _pacemaker.Stop();
        _connections?.Dispose();
    }

    private HeartbeatSetup? SetupOf(PoolEndpoint endpoint, EndpointPoolOptions options)
    {
        if (!options.Heartbeat.Enabled || (OwnProbe(endpoint) ?? DefaultProbe(endpoint, options.Heartbeat)) is not { } probe)
            return null;
        if (endpoint.Address is null && probe is TcpProbe or HttpProbe or ModelsProbe or CompletionProbe or VllmMetricsProbe or PrometheusProbe)
        {
            // Each heartbeat would fail, and the pool would eject an endpoint that works.
            _journal.RecordWarning($"the probe {probe.GetType().Name} needs an address, and endpoint '{endpoint.Name}' has none, so the endpoint gets no heartbeats. Set Address of the endpoint, or give AddProbe a DelegateProbe.");
            return null;
        }
        var http = _parts.ProbeHttp ?? (_connections ??= new HttpMessageInvoker(PoolConnections.NewProbeHandler(options.ConnectTimeout)));
        var context = new ProbeContext { Endpoint = endpoint, Http = http, Classifier = _classifier, Time = _clock.Time, Credential = _credentials.GetAsync, ReachesOtherwise = _parts.ReachesOtherwise };
        return new HeartbeatSetup(probe, context, options.Heartbeat);
    }

    private IProbe? OwnProbe(PoolEndpoint endpoint)
    {
        try
        {
            return _parts.Probe?.Invoke(endpoint);
        }
#pragma warning disable CA1031 // The members and options are in force by now, so an exception of the application's function must not keep the other parts from using them.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _journal.RecordProbeFailed(exception);
            return null;
        }
    }

    private static IProbe? DefaultProbe(PoolEndpoint endpoint, HeartbeatOptions options)
    {
        if (endpoint.Address is not { } address)
            return null;
        if ((endpoint.HealthPath ?? options.Path) is { } path)
            return new HttpProbe(path);
        // If calls use a proxy, a direct TCP connection shows nothing about the endpoint. So an endpoint behind a proxy is probed only if a path for HTTP heartbeats
        // is set.
        return HttpClient.DefaultProxy.IsBypassed(address) ? new TcpProbe() : null;
    }
}
