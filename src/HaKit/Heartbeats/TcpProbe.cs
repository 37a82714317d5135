using System.Net;
using System.Net.Sockets;
using HaKit.Faults;

namespace HaKit.Heartbeats;

/// <summary>
/// Opens a TCP connection to the endpoint's address and closes it, to test whether the server accepts connections. If DNS cannot resolve the name, the name may
/// belong to service discovery. Only the HTTP handlers of calls can resolve such names. The probe then sends a HEAD request without credentials through these
/// handlers, and any answer is a success. The probe sends the HEAD request at once if the pool's HTTP client has service discovery and the name has no dot, or
/// if the client has a proxy or its own connections. Thread-safe.
/// </summary>
public sealed class TcpProbe : IProbe
{
    /// <inheritdoc/>
    public FaultKind Silence => FaultKind.ConnectTimeout;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The endpoint has no address.</exception>
    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var address = context.Endpoint.Address ?? throw new InvalidOperationException($"Endpoint '{context.Endpoint.Name}' has no address to connect to.");
        if (address.Scheme.Contains('+', StringComparison.Ordinal) || context.ReachesOtherwise?.Invoke(address) == true) // https+http: a name of service discovery
            return await AskOverHttpAsync(context, address, cancellationToken).ConfigureAwait(false);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(address.IdnHost, address.Port), cancellationToken).ConfigureAwait(false);
            return default;
        }
        catch (SocketException exception)
        {
            if (exception.SocketErrorCode is not (SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery))
                return new ProbeResult(new Fault(exception.SocketErrorCode == SocketError.TimedOut ? FaultKind.ConnectTimeout : FaultKind.ConnectFailed));
        }
        return await AskOverHttpAsync(context, address, cancellationToken).ConfigureAwait(false);
    }

    // A failure is thrown and classified like the failure of a call: a name that cannot be resolved is DnsFailed here too. The query of an address may hold a
    // key, so it is not sent.
    private static async ValueTask<ProbeResult> AskOverHttpAsync(ProbeContext context, Uri address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(address.GetLeftPart(UriPartial.Path), UriKind.Absolute));
        using var response = await context.Http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return default;
    }
}
