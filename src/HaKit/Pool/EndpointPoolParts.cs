using System.Diagnostics.Metrics;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Heartbeats;
using HaKit.Peers;
using HaKit.Pool;
using HaKit.Selection;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Telemetry;

namespace HaKit;

/// <summary>What a pool is made of beside its options: the code, as opposed to the configuration. Not thread-safe; read once when the pool is made.</summary>
public sealed class EndpointPoolParts
{
    /// <summary>The clock of everything. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Classifiers asked before the built-in one, in order.</summary>
    public IList<IFaultClassifier> Classifiers { get; } = [];

    /// <summary>Strategies outside failover: they see one call. Null for none.</summary>
    public Action<ResiliencePipelineBuilder>? ConfigurePipeline { get; set; }

    /// <summary>Strategies inside, around each attempt on the given endpoint. Null for none.</summary>
    public Action<ResiliencePipelineBuilder, PoolEndpoint>? ConfigureEndpointPipeline { get; set; }

    /// <summary>A choice of your own among the endpoints that may serve a request. Null for the pool's.</summary>
    public IEndpointSelector? Selector { get; set; }

    /// <summary>Makes the probe of an endpoint; null, or a null answer, for the default.</summary>
    public Func<PoolEndpoint, IProbe?>? Probe { get; set; }

    /// <summary>Sends the requests of probes; not disposed of with the pool. Default null: connections of the pool's own.</summary>
    public HttpMessageInvoker? ProbeHttp { get; set; }

    /// <summary>Do calls reach an address in another way than by a connection to its host and port? Null: they do not.</summary>
    internal Func<Uri, bool>? ReachesOtherwise { get; set; }

    /// <summary>
    /// Actions that are to bring an ejected endpoint back, for example <see cref="ProcessRecovery"/>'s or <see cref="WebhookRecovery"/>'s. They run at
    /// the same time, each at most once per <see cref="RecoveryOptions.Period"/> and endpoint, and delay nothing else; a failure is logged.
    /// </summary>
    public IList<Func<EjectionEvidence, CancellationToken, ValueTask>> OnEjected { get; } = [];

    /// <summary>
    /// Called for each attempt that failed, for whatever reason but the caller's own, on the thread that ended the attempt: return soon and do not block.
    /// An exception is logged and changes nothing. <see cref="PoolEvents"/> are the other way to hear what happens, with a reader that may be slow.
    /// </summary>
    public IList<Action<AttemptFailure>> OnAttemptFailed { get; } = [];

    /// <summary>Called when an endpoint is back in service, as <see cref="OnAttemptFailed"/> is: on the thread that found out.</summary>
    public IList<Action<EndpointRecovered>> OnRecovered { get; } = [];

    /// <summary>
    /// The credential of an endpoint over HTTP, asked for each attempt, so that it can change while calls run. Your code caches what is costly to get.
    /// It goes where the endpoint's dialect wants it (<c>Authorization: Bearer</c>, <c>api-key</c>, <c>x-api-key</c>, <c>x-goog-api-key</c>), or to
    /// <c>Authorization</c> as it is when it begins with <c>Bearer</c>, and replaces every credential of the caller's. Null, or a null answer: <see cref="EndpointOptions.Credential"/>, the endpoint's headers, or the caller's.
    /// </summary>
    public Func<PoolEndpoint, CancellationToken, ValueTask<string?>>? Credential { get; set; }

    /// <summary>
    /// Lets Polly's own meter, log and enrichers see the calls and attempts of the pool. Not changed by the pool. Default null: they see nothing, which costs nothing.
    /// </summary>
    public TelemetryOptions? PollyTelemetry { get; set; }

    /// <summary>Makes the link to the other replicas of the application, or null for none. Disposed of with the pool. Default: none.</summary>
    public Func<PeerScope, IPeerLink?>? PeerLink { get; set; }

    /// <summary>Makes what records the pool; null for nothing.</summary>
    internal Func<RecorderScope, IPoolRecorder>? Recorder { get; set; }

    /// <summary>Where log lines go. Default: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>Makes the meter <c>HaKit</c>, one for all pools of a factory. Default: one meter for all pools without a factory.</summary>
    public IMeterFactory? MeterFactory { get; set; }
}
