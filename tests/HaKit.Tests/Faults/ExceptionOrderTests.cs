using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using HaKit.Faults;
using Polly.CircuitBreaker;

namespace HaKit.Tests.Faults;

/// <summary>Tests which of several nested exceptions decides, and how deep they are read.</summary>
public sealed class ExceptionOrderTests
{
    private static readonly Func<Exception, Exception>[] s_wrappers =
    [
        inner => new InvalidOperationException("x", inner),
        inner => new HttpRequestException("x", inner),
        inner => new AggregateException(inner),
        inner => new AggregateException(new InvalidOperationException("y"), inner),
    ];

    private static Exception Wrapped(Exception inner, int times, Func<Exception, Exception> wrap)
    {
        for (var i = 0; i < times; i++)
            inner = wrap(inner);
        return inner;
    }

    [Fact]
    public void Exceptions_are_read_to_a_depth_of_8()
    {
        foreach (var wrap in s_wrappers)
        {
            var refused = new SocketException((int)SocketError.ConnectionRefused);
            Classified.Exception(Wrapped(refused, 7, wrap)).Kind.Should().Be(FaultKind.ConnectFailed);
            Classified.Exception(Wrapped(refused, 8, wrap)).Kind.Should().Be(FaultKind.Unknown);
            Exception status = new HttpRequestException("x", null, HttpStatusCode.TooManyRequests);
            ExceptionFaults.StatusOf(Wrapped(status, 7, wrap)).Should().Be((status, 429));
            ExceptionFaults.StatusOf(Wrapped(status, 8, wrap)).Should().BeNull();
        }
    }

    [Fact]
    public void Io_exceptions_are_read_to_the_same_depth()
    {
        var refused = new SocketException((int)SocketError.ConnectionRefused);
        Classified.Exception(Wrapped(refused, 7, inner => new IOException("x", inner))).Kind.Should().Be(FaultKind.ConnectFailed);
        Classified.Exception(Wrapped(refused, 8, inner => new IOException("x", inner))).Kind.Should().Be(FaultKind.ConnectionReset, "a broken connection is known without its cause");
    }

    [Fact]
    public void Error_of_an_http_exception_goes_before_its_inner_exception_unless_it_names_no_cause()
    {
        Classified.Exception(new HttpRequestException(HttpRequestError.SecureConnectionError, "x", new IOException("cut"))).Kind.Should().Be(FaultKind.TlsFailed);
        Classified.Exception(new HttpRequestException(HttpRequestError.NameResolutionError, "x", new SocketException((int)SocketError.ConnectionRefused))).Kind.Should().Be(FaultKind.DnsFailed);
        Classified.Exception(new HttpRequestException(HttpRequestError.ConnectionError, "x", new SocketException((int)SocketError.TimedOut))).Kind.Should().Be(FaultKind.ConnectTimeout);
        Classified.Exception(new HttpRequestException(HttpRequestError.ConnectionError, "x", new InvalidOperationException("y"))).Kind.Should().Be(FaultKind.ConnectFailed);
        Classified.Exception(new HttpIOException(HttpRequestError.InvalidResponse)).Kind.Should().Be(FaultKind.BrokenBody);
        Classified.Exception(new HttpIOException(HttpRequestError.Unknown)).Kind.Should().Be(FaultKind.ConnectionReset);
    }

    [Fact]
    public void Refused_credential_of_a_proxy_or_server_lasts_until_it_is_cleared() =>
        Classified.Exception(new HttpRequestException(HttpRequestError.UserAuthenticationError)).UntilCleared.Should().BeTrue();

    [Fact]
    public void Connect_timeout_is_read_from_the_first_timeout_exception()
    {
        const string connect = "A connection could not be established within the configured ConnectTimeout.";
        Classified.Exception(new TimeoutException(connect)).Kind.Should().Be(FaultKind.ConnectTimeout);
        Classified.Exception(new TimeoutException(connect, new TimeoutException("x"))).Kind.Should().Be(FaultKind.ConnectTimeout);
        Classified.Exception(new TimeoutException("x", new TimeoutException(connect))).Kind.Should().Be(FaultKind.AttemptTimeout);
        Classified.Exception(new TaskCanceledException("x", new TimeoutException(connect))).Kind.Should().Be(FaultKind.ConnectTimeout);
        Classified.Exception(new TaskCanceledException(connect)).Kind.Should().Be(FaultKind.AttemptTimeout);
        Classified.Exception(new TimeoutWithoutMessage()).Kind.Should().Be(FaultKind.AttemptTimeout);
    }

    [Fact]
    public void First_of_several_exceptions_of_the_same_rank_counts()
    {
        var refused = new SocketException((int)SocketError.ConnectionRefused);
        var handshake = new AuthenticationException("x");
        Classified.Exception(new AggregateException(refused, handshake)).Kind.Should().Be(FaultKind.ConnectFailed);
        Classified.Exception(new AggregateException(handshake, refused)).Kind.Should().Be(FaultKind.TlsFailed);
    }

    [Fact]
    public void Circuit_breaker_names_a_time_only_if_it_is_in_the_future()
    {
        Classified.Exception(new BrokenCircuitException(TimeSpan.FromTicks(1))).RetryAfter.Should().Be(TimeSpan.FromTicks(1));
        Classified.Exception(new BrokenCircuitException(TimeSpan.Zero)).RetryAfter.Should().BeNull();
        Classified.Exception(new BrokenCircuitException(TimeSpan.FromSeconds(-1))).RetryAfter.Should().BeNull();
    }

    [Fact]
    public void Status_of_400_beside_an_exception_goes_before_the_exception()
    {
        var exception = new IOException("cut");
        FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = 400, Exception = exception, Now = Fixture.Now })!.Kind.Should().Be(FaultKind.InvalidRequest);
        FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = 399, Exception = exception, Now = Fixture.Now })!.Kind.Should().Be(FaultKind.ConnectionReset);
    }

    private sealed class TimeoutWithoutMessage : TimeoutException
    {
        public override string Message => throw new NotSupportedException();
    }
}
