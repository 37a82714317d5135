using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Failover;
using HaKit.Heartbeats;
using HaKit.Http;

namespace HaKit;

/// <content>Has the members asked how they are.</content>
public sealed partial class EndpointPool
{
    private readonly Lock _hearts = new();
    private Pacemaker? _pacemaker;
    private HttpMessageInvoker? _probeConnections;

    partial void StartHeartbeats()
    {
        if (_pacemaker is null)
        {
            StartEvents();
            // A source of its own, so that how often hearts beat does not change what calls draw.
            var chance = new Chance(Options.Seed is { } seed ? ~(ulong)seed : Chance.FreshSeed());
            _pacemaker = new Pacemaker(_clock, _health, chance, OutagePace.PauseAfter, OnOutageChanged);
        }
        // Of two changes at once, the one that comes last must have seen both.
        lock (_hearts)
            _pacemaker.Use(_engine.Snapshot.Members, member => SetupOf(member.Endpoint, Options.Heartbeat), Options.CircuitBreaker);
    }

    partial void StopHeartbeats()
    {
        _pacemaker?.Stop();
        _probeConnections?.Dispose();
        Events.Complete();
    }

    private HeartbeatSetup? SetupOf(PoolEndpoint endpoint, HeartbeatOptions options)
    {
        if (!options.Enabled || (_parts.Probe?.Invoke(endpoint) ?? DefaultProbe(endpoint, options)) is not { } probe)
            return null;
        var http = _parts.ProbeHttp ?? (_probeConnections ??= new HttpMessageInvoker(PoolConnections.NewHandler(Options.ConnectTimeout)));
        return new HeartbeatSetup(probe, new ProbeContext { Endpoint = endpoint, Http = http, Classifier = Classifier, Time = _clock.Time, Credential = CredentialOf }, options);
    }

    // Through a proxy a connection of our own says nothing about the endpoint, so there nobody is asked without being told to.
    private static IProbe? DefaultProbe(PoolEndpoint endpoint, HeartbeatOptions options) =>
        endpoint.Address is not { } address ? null
        : (endpoint.HealthPath ?? options.Path) is { } path ? new HttpProbe(path)
        : HttpClient.DefaultProxy.IsBypassed(address) ? new TcpProbe()
        : null;
}
