using HaKit.Dialects;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>Asks for the list of models where the endpoint's dialect has it, which costs nothing and needs a valid key: does the endpoint accept ours? Thread-safe.</summary>
public sealed class ModelsProbe : IProbe
{
    private const int MaxBytes = 64 * 1024;

    /// <inheritdoc/>
    public ProbeLevel Level => ProbeLevel.Authorized;

    /// <summary>Sends the request instead of the pool's own connections; not disposed of. Default null.</summary>
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
