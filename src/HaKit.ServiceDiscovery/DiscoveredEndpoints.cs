using System.Net;
using HaKit.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.ServiceDiscovery;

namespace HaKit.ServiceDiscovery;

/// <summary>Keeps the endpoints of a pool that come from one service equal to the service's instances. Thread-safe.</summary>
internal sealed partial class DiscoveredEndpoints(
    EndpointPool pool, ServiceEndpointResolver resolver, Uri service, Action<EndpointOptions>? configure, TimeProvider time, ILoggerFactory? loggers) : IHostedService, IDisposable
{
    private static readonly TimeSpan s_retryPeriod = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopped = new();
    private readonly ILogger _logger = SafeLogger.Create(loggers, "HaKit.ServiceDiscovery");
    private ITimer? _retry;
    private IDisposable? _change;

    /// <summary>Waits for the first resolution, so that the first call finds endpoints. A failed resolution is logged and retried.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _retry = time.CreateTimer(static self => _ = ((DiscoveredEndpoints)self!).RefreshAsync(CancellationToken.None), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        return RefreshAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _stopped.Cancel();
        _change?.Dispose();
        _retry?.Dispose();
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (_stopped.IsCancellationRequested)
            return;
        try
        {
            var query = service.GetLeftPart(UriPartial.Authority);
            var found = await resolver.GetEndpointsAsync(query, cancellationToken).ConfigureAwait(false);
            if (!ApplyInstances(found.Endpoints))
                RetryLater();
            _change?.Dispose();
            _change = found.ChangeToken.RegisterChangeCallback(static self => _ = ((DiscoveredEndpoints)self!).RefreshAsync(CancellationToken.None), this);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // A resolver may fail in any way. The endpoints stay, and it is asked again.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            NotResolved(_logger, pool.Name, service.Host, exception.Message);
            RetryLater();
        }
    }

    private void RetryLater()
    {
        if (!_stopped.IsCancellationRequested)
            _retry?.Change(s_retryPeriod, Timeout.InfiniteTimeSpan);
    }

    // False if an instance could not be added, although its options are valid.
    private bool ApplyInstances(IReadOnlyList<ServiceEndpoint> instances)
    {
        // The registry may have lost its data, so the endpoints stay. If an endpoint is really gone, calls and heartbeats detect that.
        if (instances.Count == 0)
        {
            NoInstance(_logger, pool.Name, service.Host);
            return true;
        }
        var isComplete = true;
        var wanted = instances.Select(OptionsOf).DistinctBy(o => o.Name).ToDictionary(o => o.Name, StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (var (name, options) in wanted)
            {
                if (!_names.Contains(name))
                    isComplete &= TryAdd(options);
            }

            foreach (var gone in _names.Where(n => !wanted.ContainsKey(n)).ToArray())
            {
                _names.Remove(gone);
                pool.RemoveEndpoint(gone);
                Removed(_logger, pool.Name, gone);
            }
        }
        return isComplete;
    }

    private bool TryAdd(EndpointOptions options)
    {
        try
        {
            pool.AddEndpoint(options);
            _names.Add(options.Name);
            Added(_logger, pool.Name, options.Name);
            return true;
        }
        catch (OptionsValidationException invalid)
        {
            NotAdded(_logger, pool.Name, options.Name, invalid.Message);
            return true;
        }
        catch (ObjectDisposedException disposed) when (disposed.ObjectName == nameof(EndpointPool))
        {
            Dispose();
            return true;
        }
#pragma warning disable CA1031 // The code that builds the application's strategies may throw anything. The other instances are added, and this one is tried again.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            // The exception may come after the endpoint was added.
            if (pool.Endpoints.Any(e => e.Name == options.Name))
            {
                _names.Add(options.Name);
                return true;
            }
            // The message of the application's exception may contain a key.
            NotAdded(_logger, pool.Name, options.Name, $"it threw {exception.GetType().Name}. It is tried again.");
            return false;
        }
    }

    private EndpointOptions OptionsOf(ServiceEndpoint instance)
    {
        var server = ServerOf(instance.EndPoint);
        var options = new EndpointOptions { Name = $"{service.Host} {server.Authority}", Address = new Uri(server, service.PathAndQuery).ToString() };
        configure?.Invoke(options);
        return options;
    }

    private Uri ServerOf(EndPoint instance)
    {
        if (instance is UriEndPoint { Uri: var uri })
            return uri;
        // "https+http" becomes "https". The handler that AddServiceDiscovery adds to an HttpClient chooses the first scheme too.
        var scheme = service.Scheme.Split('+')[0];
        var (host, port) = instance switch
        {
            IPEndPoint ip => (ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{ip.Address}]" : ip.Address.ToString(), ip.Port),
            DnsEndPoint dns => (dns.Host, dns.Port),
            _ => throw new NotSupportedException($"An instance of '{service.Host}' has an address of the kind {instance.GetType().Name}, which HTTP cannot reach."),
        };
        return new Uri(port == 0 ? $"{scheme}://{host}" : $"{scheme}://{host}:{port}");
    }

    [LoggerMessage(1, LogLevel.Information, "Pool {Pool}: endpoint {Endpoint} was discovered.")]
    private static partial void Added(ILogger logger, string pool, string endpoint);

    [LoggerMessage(2, LogLevel.Information, "Pool {Pool}: endpoint {Endpoint} is gone from service discovery, so it gets no new calls.")]
    private static partial void Removed(ILogger logger, string pool, string endpoint);

    [LoggerMessage(3, LogLevel.Warning, "Pool {Pool}: the service {Service} could not be resolved; its endpoints stay as they were. {Why}")]
    private static partial void NotResolved(ILogger logger, string pool, string service, string why);

    [LoggerMessage(4, LogLevel.Warning, "Pool {Pool}: the service {Service} has no instance; its endpoints stay as they were.")]
    private static partial void NoInstance(ILogger logger, string pool, string service);

    [LoggerMessage(5, LogLevel.Error, "Pool {Pool}: the discovered endpoint {Endpoint} cannot be added: {Why}")]
    private static partial void NotAdded(ILogger logger, string pool, string endpoint, string why);
}
