using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace HaKit.Faults;

/// <summary>Classifies exceptions. Another class decides whether the caller cancelled: by the caller's token, and not by the exception's type.</summary>
internal static class ExceptionFaults
{
    private const int Deepest = 8;

    /// <summary>Gets the fault of an attempt that ended with an exception without a status.</summary>
    /// <param name="exception">The exception. If it contains several, the most significant one counts.</param>
    /// <param name="sent">True if the request had been sent, as far as known.</param>
    public static Fault Classify(Exception exception, bool? sent)
    {
        var fault = ClassifyNested(exception, sent, Deepest) ?? new Fault(FaultKind.Unknown);
        return sent == false && fault.Applied == FaultApplied.Ambiguous ? fault with { Applied = FaultApplied.NotSent } : fault;
    }

    /// <summary>
    /// Finds the exception that contains the HTTP status of a failure: the given exception or an inner exception. The status is <see
    /// cref="HttpRequestException.StatusCode"/>, or the number that SDKs write in their messages.
    /// </summary>
    /// <param name="exception">The exception.</param>
    public static (Exception Carrier, int Status)? StatusOf(Exception exception) => StatusOf(exception, Deepest);

    private static (Exception Carrier, int Status)? StatusOf(Exception? exception, int depth)
    {
        for (; exception is not null && depth > 0; depth--, exception = exception.InnerException)
        {
            if (exception is AggregateException aggregate)
            {
                foreach (var inner in aggregate.InnerExceptions)
                {
                    if (StatusOf(inner, depth - 1) is { } found)
                        return found;
                }

                return null;
            }

            var status = exception is HttpRequestException { StatusCode: { } code } ? (int)code : SdkMessages.StatusOf(MessageOf(exception));
            if (status >= 400)
                return (exception, status);
        }

        return null;
    }

    /// <summary>Gets the message; empty if reading it throws, as in some SDKs.</summary>
    /// <param name="exception">The exception.</param>
    public static string MessageOf(Exception exception)
    {
        try
        {
            return exception.Message ?? "";
        }
        catch (Exception)
        {
            return "";
        }
    }

    private static Fault? ClassifyNested(Exception? exception, bool? sent, int depth)
    {
        if (exception is null || depth == 0)
            return null;
        return exception switch
        {
            AggregateException aggregate => MostTelling(aggregate, sent, depth - 1),
            HttpRequestException http => OfHttp(http.HttpRequestError, sent) ?? ClassifyNested(http.InnerException, sent, depth - 1)
                ?? (http.HttpRequestError == HttpRequestError.ConnectionError ? new Fault(FaultKind.ConnectFailed) : null),
            HttpProtocolException protocol => OfProtocol(protocol),
            HttpIOException io => OfHttp(io.HttpRequestError, sent) ?? ConnectionFault(sent),
            SocketException socket => OfSocket(socket.SocketErrorCode, sent),
            AuthenticationException => new Fault(FaultKind.TlsFailed),
            BrokenCircuitException broken => new Fault(FaultKind.BreakerOpen) { RetryAfter = Ahead(broken.RetryAfter) },
            TimeoutRejectedException => TimedOut(sent),
            ExecutionRejectedException => new Fault(FaultKind.BreakerOpen),
            OperationCanceledException or TimeoutException => IsConnectTimeout(exception) ? new Fault(FaultKind.ConnectTimeout) : TimedOut(sent),
            // The cause is assemblies whose versions do not work together, or code that does not support the operation. Waiting does not help, and another
            // endpoint hardly ever helps.
            _ when IsOwnBuild(exception) => new Fault(FaultKind.Unknown) { Applied = FaultApplied.NotSent, SecondOpinion = SecondOpinion.One, IsProvisional = true },
            // A file of the caller is missing; the connection is not at fault.
            FileNotFoundException or DirectoryNotFoundException or DriveNotFoundException or PathTooLongException => new Fault(FaultKind.InvalidRequest),
            InvalidDataException or JsonException => new Fault(FaultKind.BrokenBody),
            IOException => ClassifyNested(exception.InnerException, sent, depth - 1) ?? ConnectionFault(sent),
            ArgumentException => new Fault(FaultKind.InvalidRequest),
            _ => ClassifyNested(exception.InnerException, sent, depth - 1),
        };
    }

    private static bool IsOwnBuild(Exception exception) => exception
        is MissingMemberException or TypeLoadException or FileLoadException or BadImageFormatException or TypeInitializationException or InvalidProgramException
        or NotSupportedException or NotImplementedException or MethodAccessException or FieldAccessException or System.Security.VerificationException
        || exception is FileNotFoundException { FileName: { } file } && file.Contains(", Version=", StringComparison.Ordinal);

    private static Fault? OfHttp(HttpRequestError error, bool? sent) => error switch
    {
        HttpRequestError.NameResolutionError => new Fault(FaultKind.DnsFailed),
        HttpRequestError.SecureConnectionError => new Fault(FaultKind.TlsFailed),
        HttpRequestError.ProxyTunnelError or HttpRequestError.VersionNegotiationError or HttpRequestError.ExtendedConnectNotSupported
            => new Fault(FaultKind.ConnectFailed),
        HttpRequestError.UserAuthenticationError => new Fault(FaultKind.Unauthorized) { UntilCleared = true },
        HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded => new Fault(FaultKind.BrokenBody),
        HttpRequestError.ResponseEnded => ConnectionFault(sent),
        // The inner exception has the cause.
        _ => null,
    };

    /// <summary>Applies RFC 9113 8.7 and RFC 9114 8.1: a refused stream was not processed at all and is safe to send again.</summary>
    private static Fault OfProtocol(HttpProtocolException exception) => exception.ErrorCode is 0x7 or 0x10B
        ? new Fault(FaultKind.ConnectionReset) { Applied = FaultApplied.NotSent }
        : new Fault(FaultKind.ConnectionReset);

    private static Fault OfSocket(SocketError error, bool? sent) => error switch
    {
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery => new Fault(FaultKind.DnsFailed),
        SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown
            or SocketError.NetworkDown or SocketError.AddressNotAvailable => new Fault(FaultKind.ConnectFailed),
        // If the request was sent, the server has not acknowledged data. Otherwise the server has not answered the attempt to connect.
        SocketError.TimedOut => new Fault(sent == true ? FaultKind.ConnectionReset : FaultKind.ConnectTimeout),
        _ => ConnectionFault(sent),
    };

    private static Fault ConnectionFault(bool? sent) => new(sent == false ? FaultKind.ConnectFailed : FaultKind.ConnectionReset);

    private static Fault TimedOut(bool? sent) => new(sent == false ? FaultKind.ConnectTimeout : FaultKind.AttemptTimeout);

    /// <summary>Checks the message of the inner TimeoutException, because SocketsHttpHandler marks its connect timeout only there.</summary>
    private static bool IsConnectTimeout(Exception exception) =>
        (exception as TimeoutException ?? exception.InnerException as TimeoutException) is { } timeout
        && MessageOf(timeout) is var message && (message.Contains("ConnectTimeout", StringComparison.Ordinal) || message.Contains("net_http_connect_timedout", StringComparison.Ordinal));

    private static Fault? MostTelling(AggregateException aggregate, bool? sent, int depth)
    {
        Fault? best = null;
        foreach (var inner in aggregate.InnerExceptions)
        {
            if (ClassifyNested(inner, sent, depth) is { } fault && (best is null || Rank(fault.Kind) < Rank(best.Kind)))
                best = fault;
        }

        return best;
    }

    /// <summary>Ranks the faults of several exceptions. A fault with a cause is more significant than the timeout that followed from it.</summary>
    private static int Rank(FaultKind kind) => kind switch
    {
        FaultKind.AttemptTimeout => 2,
        FaultKind.BreakerOpen => 1,
        FaultKind.Unknown => 3,
        _ => 0,
    };

    private static TimeSpan? Ahead(TimeSpan? wait) => wait > TimeSpan.Zero ? wait : null;
}
