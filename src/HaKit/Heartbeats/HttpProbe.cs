using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>Gets a path of the endpoint's host: well is a status of 200 to 299, and nothing else; a 400 is not. Sends the endpoint's headers. Thread-safe.</summary>
public sealed class HttpProbe : IProbe
{
    private const int MaxBytes = 64 * 1024;

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
    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var request = new HttpRequestMessage(HttpMethod.Get, ProbeHttp.OnHost(context.Endpoint, Path));
        var answer = await ProbeHttp.SendAsync(context, Http, request, MaxBytes, cancellationToken).ConfigureAwait(false);
        if (answer.Fault is null && IsHealthyBody?.Invoke(answer.Body) == false)
            return new ProbeResult(new Fault(FaultKind.BrokenBody) { StatusCode = answer.Status });
        return new ProbeResult(answer.Fault);
    }
}
