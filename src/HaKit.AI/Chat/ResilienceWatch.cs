using System.Collections.Concurrent;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.Telemetry;

namespace HaKit.AI;

/// <summary>
/// Warns if the HTTP client under an endpoint's chat client has a resilience handler with retries or timeouts, because the pool already has its own retries and
/// timeouts. If the handler and the pool both retry, a refusal costs four requests and several seconds instead of one request. This class listens to Polly's telemetry in the container.
/// Thread-safe.
/// </summary>
internal sealed partial class ResilienceWatch(ILoggerFactory? loggers) : TelemetryListener, IConfigureOptions<TelemetryOptions>
{
    private static readonly AsyncLocal<string?> s_endpoint = new();
    private static bool s_isOn;

    private readonly ConcurrentDictionary<(string, string), bool> _warned = new();

    /// <summary>
    /// Sets the endpoint of the calling async method, until that method ends, so that a warning can name the endpoint. Costs nothing if no container has this
    /// listener.
    /// </summary>
    public static void WarnIfRepeating(PoolEndpoint endpoint)
    {
        if (Volatile.Read(ref s_isOn))
            s_endpoint.Value = endpoint.Name;
    }

    public void Configure(TelemetryOptions options)
    {
        options.TelemetryListeners.Add(this);
        Volatile.Write(ref s_isOn, true);
    }

    public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
    {
        if (args.Event.EventName is not ("OnRetry" or "OnHedging" or "OnTimeout") || s_endpoint.Value is not { } endpoint || loggers is null)
            return;
        var handler = args.Source.PipelineName ?? "";
        if (_warned.TryAdd((endpoint, handler), true))
            Repeats(SafeLogger.Create(loggers, "HaKit.AI"), endpoint, handler, args.Event.EventName);
    }

    [LoggerMessage(1, LogLevel.Warning, "The HTTP client of endpoint {Endpoint} has a resilience handler, {Handler}, with its own retries or timeouts ({Event}). The pool already has retries and timeouts. Remove the handler with RemoveAllResilienceHandlers().")]
    private static partial void Repeats(ILogger logger, string endpoint, string handler, string @event);
}
