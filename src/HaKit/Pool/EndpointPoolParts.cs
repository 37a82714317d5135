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

/// <summary>
/// Sets the parts of a pool that are code: clock, classifiers, strategies, probes, callbacks. Not thread-safe; the pool reads it once, when it is created.
/// </summary>
public sealed class EndpointPoolParts
{
    /// <summary>Gets or sets the clock for all times, timers and timeouts of the pool. Default: the system's clock.</summary>
    public TimeProvider TimeProvider
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value), "TimeProvider of the pool's parts is null. Leave it at its default, the system's clock.");
    } = TimeProvider.System;

    /// <summary>Gets the classifiers that run before the built-in classifier, in order.</summary>
    public IList<IFaultClassifier> Classifiers { get; } = [];

    /// <summary>Gets or sets a function that adds strategies outside failover. They run once per call. Default null: none.</summary>
    public Action<ResiliencePipelineBuilder>? ConfigurePipeline { get; set; }

    /// <summary>Gets or sets a function that adds strategies inside failover. They run once per attempt on the given endpoint. Default null: none.</summary>
    public Action<ResiliencePipelineBuilder, PoolEndpoint>? ConfigureEndpointPipeline { get; set; }

    /// <summary>Gets or sets your own choice among the endpoints that may serve a request. Default null: the pool chooses.</summary>
    public IEndpointSelector? Selector { get; set; }

    /// <summary>
    /// Gets or sets a function that creates the probe of an endpoint. Default null. If the function is null or returns null, the default probe is used.
    /// </summary>
    public Func<PoolEndpoint, IProbe?>? Probe { get; set; }

    /// <summary>
    /// Gets or sets the sender of probe requests; the pool does not dispose it. Default null: probes use the handlers and connections of the pool's registered
    /// HTTP client; without such a client, the pool opens connections for its probes.
    /// </summary>
    public HttpMessageInvoker? ProbeHttp { get; set; }

    /// <summary>
    /// Gets or sets a function that checks whether calls to an address do not connect to its host and port, for example because of a proxy. Default null: calls
    /// connect to the host and port.
    /// </summary>
    internal Func<Uri, bool>? ReachesOtherwise { get; set; }

    /// <summary>
    /// Gets the actions that try to bring an ejected endpoint back, for example <see cref="ProcessRecovery"/> or <see cref="WebhookRecovery"/>. The actions run
    /// at the same time, each at most once per <see cref="RecoveryOptions.Period"/> and endpoint, and delay no call. A failure is logged.
    /// </summary>
    public IList<Func<EjectionEvidence, CancellationToken, ValueTask>> OnEjected { get; } = [];

    /// <summary>
    /// Gets the callbacks for failed attempts (except attempts that the caller cancelled). A callback runs on the thread that ended the attempt: it must return
    /// soon and must not block. An exception is logged and changes nothing. Code that may be slow should subscribe to <see cref="PoolEvents"/> instead.
    /// </summary>
    public IList<Action<AttemptFailure>> OnAttemptFailed { get; } = [];

    /// <summary>
    /// Gets the callbacks for endpoints that are back in service. A callback runs on the thread that recorded the recovery: it must return soon and must not
    /// block. An exception is logged and changes nothing.
    /// </summary>
    public IList<Action<EndpointRecovered>> OnRecovered { get; } = [];

    /// <summary>
    /// Gets or sets a function that returns the credential of an endpoint over HTTP. Default null. The function runs at each attempt, so the credential can
    /// change while calls run; cache values that are costly to get. The credential goes to the header that the endpoint's dialect uses (<c>Authorization:
    /// Bearer</c>, <c>api-key</c>, <c>x-api-key</c>, <c>x-goog-api-key</c>; see <see cref="EndpointOptions.Credential"/>). A value that begins with
    /// <c>Bearer</c> goes to <c>Authorization</c> unchanged. The credential replaces every credential of the caller. If the function is null or returns null,
    /// <see cref="EndpointOptions.Credential"/> applies. If that value is null too, the credential in the endpoint's headers or address applies. If these
    /// contain no credential either, the endpoint gets the caller's credential, but only if <see cref="EndpointOptions.ForwardCallerCredential"/> or <see
    /// cref="HttpOptions.ForwardCallerCredential"/> allows this. By default only an endpoint on the server of <see cref="EndpointPool.Origin"/> gets the
    /// caller's credential.
    /// </summary>
    public Func<PoolEndpoint, CancellationToken, ValueTask<string?>>? Credential { get; set; }

    /// <summary>
    /// Gets or sets the options of Polly's own telemetry (meter, log, enrichers, listeners) for the calls and attempts of the pool. The pool does not change
    /// the options. Default null: Polly's telemetry is off and costs nothing.
    /// </summary>
    public TelemetryOptions? PollyTelemetry { get; set; }

    /// <summary>
    /// Gets or sets a function that creates the link to the other replicas of the application; it may return null. The pool disposes the link. Default null:
    /// no link.
    /// </summary>
    public Func<PeerScope, IPeerLink?>? PeerLink { get; set; }

    /// <summary>Gets or sets a function that creates the recorder of the pool. Default null: nothing is recorded.</summary>
    internal Func<RecorderScope, IPoolRecorder>? Recorder { get; set; }

    /// <summary>Gets or sets the factory of the loggers. Default null: nothing is logged.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>
    /// Gets or sets the factory of the meter <c>HaKit</c>. All pools with the same factory share one meter. Default null: all pools without a factory share one
    /// meter.
    /// </summary>
    public IMeterFactory? MeterFactory { get; set; }
}
