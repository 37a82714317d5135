using HaKit.Dialects;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Requests the list of models, if the endpoint's dialect has one. The request is free and needs a valid key, so the probe tests whether the endpoint accepts
/// the key. Thread-safe.
/// </summary>
public sealed class ModelsProbe : IProbe
{
    private const int MaxBytes = 64 * 1024;

    /// <inheritdoc/>
    public ProbeLevel Level => ProbeLevel.Authorized;

    /// <summary>Gets the sender of the request. The probe does not dispose it. Default null: the pool's own connections.</summary>
    public HttpMessageInvoker? Http { get; init; }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var path = DialectTable.Get(context.Endpoint.Dialect).ModelsPath(ProbeHttp.FolderOf(context.Endpoint));
        using var request = new HttpRequestMessage(HttpMethod.Get, ProbeHttp.BelowAddress(context.Endpoint, path));
        return new ProbeResult((await ProbeHttp.SendAsync(context, Http, request, MaxBytes, cancellationToken).ConfigureAwait(false)).Fault);
    }
}
