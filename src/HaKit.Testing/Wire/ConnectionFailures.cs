using System.Net.Sockets;

namespace HaKit.Testing.Wire;

/// <summary>Creates the exceptions of a real <see cref="SocketsHttpHandler"/>, for handlers without sockets.</summary>
internal static class ConnectionFailures
{
    public static HttpRequestException Refused() =>
        new(HttpRequestError.ConnectionError, "Connection refused", new SocketException((int)SocketError.ConnectionRefused));

    public static HttpRequestException NameNotResolved() =>
        new(HttpRequestError.NameResolutionError, "Name or service not known", new SocketException((int)SocketError.HostNotFound));

    public static HttpRequestException TlsFailed() =>
        new(HttpRequestError.SecureConnectionError, "The SSL connection could not be established, see inner exception.",
            new System.Security.Authentication.AuthenticationException("The remote certificate is invalid."));

    public static HttpRequestException ResetBeforeAnswer() =>
        new(HttpRequestError.Unknown, "An error occurred while sending the request.", ResetWithinBody());

    public static IOException ResetWithinBody() =>
        new("Unable to read data from the transport connection: Connection reset by peer.", new SocketException((int)SocketError.ConnectionReset));
}
