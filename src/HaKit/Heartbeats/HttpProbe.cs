using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Gets a path of the endpoint's host: well is a status of 200 to 299, and nothing else; a 400 is not. Sends the endpoint's headers. Where the answer is
/// that of a service's <c>MapHaHeartbeat</c>, its load is read too, at every beat from then on, and one that is draining is left alone for as long as it
/// asks, without being held to have failed. Thread-safe.
/// </summary>
public sealed class HttpProbe : IProbe
{
    private const int MaxBytes = 64 * 1024;
    private static readonly TimeSpan DrainWait = TimeSpan.FromSeconds(15);

    private volatile bool _reportsLoad;

    /// <summary>Asks for the given path.</summary>
    /// <param name="path">Relative to the endpoint's host, for example <c>/health</c>; may have a query.</param>
    public HttpProbe(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        Path = path;
    }

    /// <summary>Relative to the endpoint's host.</summary>
    public string Path { get; }

    /// <summary>Is the body (its first 64 KiB) that of a healthy server? Asked of successful answers only. Default null: any is.</summary>
    public Func<ReadOnlyMemory<byte>, bool>? IsHealthyBody { get; init; }

    /// <summary>Sends the request instead of the pool's own connections; not disposed of. Default null.</summary>
    public HttpMessageInvoker? Http { get; init; }

    /// <summary>What the path exercises. Default <see cref="ProbeLevel.Reachable"/>: a health path usually asks for no key.</summary>
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
        if (told is { IsDraining: true })
            return new ProbeResult(new Fault(FaultKind.Throttled) { StatusCode = answer.Status, RetryAfter = answer.Fault?.RetryAfter ?? DrainWait });
        if (answer.Fault is null && IsHealthyBody?.Invoke(answer.Body) == false)
            return new ProbeResult(new Fault(FaultKind.BrokenBody) { StatusCode = answer.Status });
        _reportsLoad |= told is not null;
        return new ProbeResult(answer.Fault) { Load = told?.Load };
    }
}
