using System.Net;
using System.Net.Sockets;
using HaKit.Faults;

namespace HaKit.Heartbeats;

/// <summary>Asks for a TCP connection to the endpoint's address and closes it: is the server's machine up, and does something listen? Thread-safe.</summary>
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
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(address.IdnHost, address.Port), cancellationToken).ConfigureAwait(false);
            return default;
        }
        catch (SocketException exception)
        {
            return new ProbeResult(new Fault(exception.SocketErrorCode switch
            {
                SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery => FaultKind.DnsFailed,
                SocketError.TimedOut => FaultKind.ConnectTimeout,
                _ => FaultKind.ConnectFailed,
            }));
        }
    }
}
