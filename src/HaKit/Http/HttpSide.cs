using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HaKit.Http;

/// <summary>What a pool remembers for all its handlers: where its endpoints are, and of what it has warned. Thread-safe.</summary>
internal sealed partial class HttpSide(EndpointPool pool, ILoggerFactory? loggers)
{
    private readonly ConditionalWeakTable<Endpoint, HttpTarget> _targets = [];
    private readonly ConditionalWeakTable<HttpRequestMessage, object> _failed = [];
    private readonly HttpRoutes _routes = new();
    private readonly ILogger _logger = loggers?.CreateLogger("HaKit.Http") ?? NullLogger.Instance;
    private int _warnedOfRetries;

    public HttpTarget TargetOf(Endpoint endpoint) => _targets.TryGetValue(endpoint, out var target) ? target : NewTarget(endpoint);

    /// <exception cref="InvalidOperationException">The address is another server's than the pool's origin.</exception>
    public HttpRoute RouteOf(Uri requested) => _routes.Of(requested, pool.Origin);

    /// <summary>Notes that the call failed: the same message seen again is a retry from above.</summary>
    public void Failed(HttpRequestMessage request)
    {
        if (Volatile.Read(ref _warnedOfRetries) == 0)
            _failed.AddOrUpdate(request, this);
    }

    /// <summary>Warns, once, when somebody above repeats what the pool has repeated already.</summary>
    public void LookForRetries(HttpRequestMessage request)
    {
        if (Volatile.Read(ref _warnedOfRetries) != 0)
            return;
        var isRetry = request.Headers.NonValidated.TryGetValues("x-stainless-retry-count", out var count) && count.ToString() is not ("" or "0")
            || _failed.TryGetValue(request, out _);
        if (isRetry && Interlocked.Exchange(ref _warnedOfRetries, 1) == 0)
            RetriedFromAbove(_logger, pool.Name);
    }

    private HttpTarget NewTarget(Endpoint endpoint)
    {
        var target = new HttpTarget(endpoint);
        if (_targets.TryAdd(endpoint, target) && endpoint.Address is { Scheme: "http", IsLoopback: false } && !pool.Options.Http.AllowPlainHttp)
            PlainHttp(_logger, pool.Name, endpoint.Name);
        return target;
    }

    [LoggerMessage(10, LogLevel.Warning, "Pool {Pool}: a request comes again from above. The pool retries already, and retries multiply: switch off those of the SDK (OpenAI: UseHaEndpointPool; Anthropic: MaxRetries = 0) or of the handler outside.")]
    private static partial void RetriedFromAbove(ILogger logger, string pool);

    [LoggerMessage(11, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} is reached over plain http, so prompts and credentials can be read on the way. Http:AllowPlainHttp silences this.")]
    private static partial void PlainHttp(ILogger logger, string pool, string endpoint);
}
