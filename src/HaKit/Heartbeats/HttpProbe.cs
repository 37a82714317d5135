using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Sends a GET request to a path of the endpoint's host. Only a status of 200 to 299 is a success; a 400 is not. The request has the endpoint's headers. If the
/// answer comes from a service with <c>MapHaHeartbeat</c>, the probe also reads the service's load, and then runs at every heartbeat. A draining service gets
/// no calls for the time that its answer names; this does not count as a failure. Thread-safe.
/// </summary>
public sealed class HttpProbe : IProbe
{
    private const int MaxBytes = 64 * 1024;
    private static readonly TimeSpan DrainWait = TimeSpan.FromSeconds(15);

    private volatile bool _reportsLoad;

    /// <summary>Creates a probe for the given path.</summary>
    /// <param name="path">A path relative to the endpoint's host, for example <c>/health</c>. It may have a query.</param>
    /// <exception cref="ArgumentException">The path is blank, an address, a placeholder or in quotation marks, or has white space.</exception>
    public HttpProbe(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (HeartbeatPath.FindMistakeOfForm(path) is { } mistake)
            throw new ArgumentException($"HttpProbe: the path {mistake}", nameof(path));
        Path = path;
    }

    /// <summary>Gets the path, relative to the endpoint's host.</summary>
    public string Path { get; }

    /// <summary>Gets a function that checks the body (its first 64 KiB) of a successful answer. Default null: every body counts as healthy.</summary>
    public Func<ReadOnlyMemory<byte>, bool>? IsHealthyBody { get; init; }

    /// <summary>Gets the sender of the request. The probe does not dispose it. Default null: the pool's own connections.</summary>
    public HttpMessageInvoker? Http { get; init; }

    /// <summary>Gets the level that the path tests. Default <see cref="ProbeLevel.Reachable"/>, because a health path usually needs no key.</summary>
    public ProbeLevel Level { get; init; }

    /// <inheritdoc/>
    public ProbePace Pace => _reportsLoad ? ProbePace.Always : ProbePace.WhenQuiet;

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var request = new HttpRequestMessage(HttpMethod.Get, ProbeHttp.OnHost(context.Endpoint, Path));
        var answer = await ProbeHttp.SendAsync(context, Http, request, MaxBytes, cancellationToken).ConfigureAwait(false);
        var told = ServiceHeartbeat.Read(answer.Body.Span);
        _reportsLoad |= told is not null;
        if (told is { IsDraining: true })
            return new ProbeResult(new Fault(FaultKind.Throttled) { StatusCode = answer.Status, RetryAfter = answer.Fault?.RetryAfter ?? DrainWait }) { Load = told?.Load };
        if (answer.Fault is null && IsHealthyBody?.Invoke(answer.Body) == false)
            return new ProbeResult(new Fault(FaultKind.BrokenBody) { StatusCode = answer.Status });
        return new ProbeResult(answer.Fault) { Load = told?.Load };
    }
}
