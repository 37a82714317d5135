using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using HaKit.Faults;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace HaKit.Tests.Faults;

public sealed class ExceptionFaultsTests
{
    private static Fault Of(Exception exception, bool? sent = null, WireDialect dialect = WireDialect.Unknown) =>
        FaultClassifier.Default.Classify(new FaultEvidence { Exception = exception, Sent = sent, Dialect = dialect, Now = Fixture.Now })!;

    public static TheoryData<HttpRequestError, FaultKind, FaultApplied> HttpErrors => new()
    {
        { HttpRequestError.NameResolutionError, FaultKind.DnsFailed, FaultApplied.NotSent },
        { HttpRequestError.ConnectionError, FaultKind.ConnectFailed, FaultApplied.NotSent },
        { HttpRequestError.SecureConnectionError, FaultKind.TlsFailed, FaultApplied.NotSent },
        { HttpRequestError.ProxyTunnelError, FaultKind.ConnectFailed, FaultApplied.NotSent },
        { HttpRequestError.VersionNegotiationError, FaultKind.ConnectFailed, FaultApplied.NotSent },
        { HttpRequestError.UserAuthenticationError, FaultKind.Unauthorized, FaultApplied.Rejected },
        { HttpRequestError.InvalidResponse, FaultKind.BrokenBody, FaultApplied.Ambiguous },
        { HttpRequestError.ConfigurationLimitExceeded, FaultKind.BrokenBody, FaultApplied.Ambiguous },
        { HttpRequestError.ResponseEnded, FaultKind.ConnectionReset, FaultApplied.Ambiguous },
        { HttpRequestError.Unknown, FaultKind.Unknown, FaultApplied.Ambiguous },
    };

    [Theory]
    [MemberData(nameof(HttpErrors))]
    public void Http_request_error_says_whether_anything_was_sent(HttpRequestError error, FaultKind kind, FaultApplied applied)
    {
        var fault = Of(new HttpRequestException(error));
        fault.Kind.Should().Be(kind);
        fault.Applied.Should().Be(applied);
        fault.IsNeutral.Should().BeFalse();
    }

    public static TheoryData<SocketError, bool?, FaultKind> SocketErrors => new()
    {
        { SocketError.ConnectionRefused, null, FaultKind.ConnectFailed },
        { SocketError.HostUnreachable, null, FaultKind.ConnectFailed },
        { SocketError.NetworkUnreachable, null, FaultKind.ConnectFailed },
        { SocketError.HostNotFound, null, FaultKind.DnsFailed },
        { SocketError.TryAgain, null, FaultKind.DnsFailed },
        { SocketError.TimedOut, null, FaultKind.ConnectTimeout },
        { SocketError.TimedOut, false, FaultKind.ConnectTimeout },
        { SocketError.TimedOut, true, FaultKind.ConnectionReset },
        { SocketError.ConnectionReset, null, FaultKind.ConnectionReset },
        { SocketError.ConnectionReset, true, FaultKind.ConnectionReset },
        { SocketError.ConnectionReset, false, FaultKind.ConnectFailed },
    };

    [Theory]
    [MemberData(nameof(SocketErrors))]
    public void Socket_error_is_found_however_deep_it_lies(SocketError error, bool? sent, FaultKind kind)
    {
        var socket = new SocketException((int)error);
        Of(socket, sent).Kind.Should().Be(kind);
        Of(new IOException("x", socket), sent).Kind.Should().Be(kind);
        Of(new HttpRequestException("x", new IOException("y", socket)), sent).Kind.Should().Be(kind);
        Of(new InvalidOperationException("an SDK's wrapper", new HttpRequestException("x", socket)), sent).Kind.Should().Be(kind);
    }

    [Fact]
    public void Failures_of_the_transport_are_told_apart()
    {
        Of(new AuthenticationException("TLS")).Kind.Should().Be(FaultKind.TlsFailed);
        Of(new HttpRequestException("x", new AuthenticationException("TLS"))).Kind.Should().Be(FaultKind.TlsFailed);
        Of(new IOException("x")).Kind.Should().Be(FaultKind.ConnectionReset);
        Of(new IOException("x"), sent: false).Kind.Should().Be(FaultKind.ConnectFailed);
        Of(new EndOfStreamException()).Kind.Should().Be(FaultKind.ConnectionReset);
        Of(new HttpIOException(HttpRequestError.ResponseEnded)).Kind.Should().Be(FaultKind.ConnectionReset);
        Of(new JsonException()).Kind.Should().Be(FaultKind.BrokenBody);
        Of(new InvalidDataException()).Kind.Should().Be(FaultKind.BrokenBody);
        Of(new InvalidOperationException("who knows")).Kind.Should().Be(FaultKind.Unknown);
        Of(new InvalidOperationException("who knows")).Blame.Should().Be(FaultBlame.Endpoint);
        Of(new InvalidOperationException("who knows"), sent: false).Applied.Should().Be(FaultApplied.NotSent);
    }

    [Fact]
    public void Refused_stream_was_not_processed()
    {
        Of(new HttpProtocolException(0x7, "REFUSED_STREAM", null)).Applied.Should().Be(FaultApplied.NotSent);
        Of(new HttpProtocolException(0x10B, "H3_REQUEST_REJECTED", null)).Applied.Should().Be(FaultApplied.NotSent);
        Of(new HttpProtocolException(0x2, "INTERNAL_ERROR", null)).Applied.Should().Be(FaultApplied.Ambiguous);
    }

    [Fact]
    public void Caller_s_own_mistakes_are_the_request_s_fault()
    {
        Of(new ArgumentNullException("prompt")).IsNeutral.Should().BeTrue();
        Of(new ArgumentException("x")).Kind.Should().Be(FaultKind.InvalidRequest);
        Of(new FileNotFoundException()).Kind.Should().Be(FaultKind.InvalidRequest);
        Of(new DirectoryNotFoundException()).Kind.Should().Be(FaultKind.InvalidRequest);
    }

    [Fact]
    public void Most_telling_of_several_exceptions_counts()
    {
        Of(new AggregateException(new OperationCanceledException(), new InvalidOperationException(), new SocketException((int)SocketError.ConnectionRefused)))
            .Kind.Should().Be(FaultKind.ConnectFailed);
        Of(new AggregateException(new TimeoutException(), new AggregateException(new AuthenticationException()))).Kind.Should().Be(FaultKind.TlsFailed);
        Of(new AggregateException(new InvalidOperationException(), new TimeoutException())).Kind.Should().Be(FaultKind.AttemptTimeout);
        Of(new AggregateException()).Kind.Should().Be(FaultKind.Unknown);
        Of(new AggregateException(new TimeoutException(), new HttpRequestException("x", null, HttpStatusCode.TooManyRequests))).Kind.Should().Be(FaultKind.Throttled);
    }

    [Fact]
    public void Polly_s_rejections_were_not_sent()
    {
        var broken = Of(new BrokenCircuitException(TimeSpan.FromSeconds(7)));
        broken.Kind.Should().Be(FaultKind.BreakerOpen);
        broken.Applied.Should().Be(FaultApplied.NotSent);
        broken.RetryAfter.Should().Be(TimeSpan.FromSeconds(7));
        Of(new IsolatedCircuitException()).Kind.Should().Be(FaultKind.BreakerOpen);
        Of(new IsolatedCircuitException()).RetryAfter.Should().BeNull();
        Of(new LimiterRejected()).Kind.Should().Be(FaultKind.BreakerOpen);
        Of(new TimeoutRejectedException()).Kind.Should().Be(FaultKind.AttemptTimeout);
        Of(new TimeoutRejectedException(), sent: false).Kind.Should().Be(FaultKind.ConnectTimeout);
    }

    [Fact]
    public async Task Connect_timeout_of_the_real_handler_is_told_from_other_timeouts()
    {
        // Connecting never ends by itself, so only the timeout ends it. The test checks how this timeout is classified.
        using var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromMilliseconds(1),
            ConnectCallback = async (_, token) =>
            {
                await new TaskCompletionSource().Task.WaitAsync(token);
                return Stream.Null;
            },
        };
        using var client = new HttpClient(handler);
        var act = async () => await client.GetAsync(new Uri("http://localhost/"), TestContext.Current.CancellationToken);
        var exception = (await act.Should().ThrowAsync<Exception>()).Which;
        Of(exception).Kind.Should().Be(FaultKind.ConnectTimeout);
        Of(new TaskCanceledException("x", new TimeoutException("The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.")))
            .Kind.Should().Be(FaultKind.AttemptTimeout);
    }

    [Fact]
    public async Task Refused_connection_of_the_real_handler_reaches_only_that_address()
    {
        using var client = new HttpClient();
        var act = async () => await client.GetAsync(new Uri($"http://127.0.0.1:{FreePort.Take()}/"), TestContext.Current.CancellationToken);
        var fault = Of((await act.Should().ThrowAsync<HttpRequestException>()).Which);
        fault.Kind.Should().Be(FaultKind.ConnectFailed);
        fault.IsConnectClass.Should().BeTrue();
        fault.Applied.Should().Be(FaultApplied.NotSent);
        fault.Reach.Should().Be(FaultReach.Endpoint);
    }

    [Fact]
    public void Status_carried_by_an_exception_counts_as_the_answer_s()
    {
        var fault = Of(new HttpRequestException("x", null, HttpStatusCode.Unauthorized));
        fault.Kind.Should().Be(FaultKind.Unauthorized);
        fault.StatusCode.Should().Be(401);
        Of(new HttpRequestException("x", new IOException(), HttpStatusCode.OK)).Kind.Should().Be(FaultKind.ConnectionReset);
    }

    [Fact]
    public void Status_set_beside_the_exception_goes_before_it()
    {
        var evidence = new FaultEvidence { StatusCode = 429, Exception = new InvalidOperationException("an SDK's"), Dialect = WireDialect.OpenAI, Now = Fixture.Now };
        FaultClassifier.Default.Classify(in evidence)!.Kind.Should().Be(FaultKind.Throttled);
        var broken = new FaultEvidence { StatusCode = 200, Exception = new IOException("cut"), Now = Fixture.Now };
        FaultClassifier.Default.Classify(in broken)!.Kind.Should().Be(FaultKind.ConnectionReset);
    }

    public static TheoryData<string, FaultKind, string?> SdkMessages => new()
    {
        { "HTTP 429 (insufficient_quota: insufficient_quota)\n\nYou exceeded your current quota, please check your plan and billing details.", FaultKind.QuotaExhausted, "insufficient_quota" },
        { "HTTP 429 (tokens: rate_limit_exceeded)\n\nRate limit reached. Please try again in 20s.", FaultKind.Throttled, "rate_limit_exceeded" },
        { "HTTP 404 (: DeploymentNotFound)\n\nThe API deployment for this resource does not exist.", FaultKind.ModelNotFound, "DeploymentNotFound" },
        { "HTTP 400 (content_filter)\nParameter: prompt\n\nThe response was filtered.", FaultKind.ContentFilter, "content_filter" },
        { "Service request failed.\nStatus: 503 (Service Unavailable)\n", FaultKind.Overloaded, null },
        { "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.\r\nStatus: 400 (model_error)\r\nErrorCode: content_filter\r\n\r\nContent:\r\n{}", FaultKind.ContentFilter, "content_filter" },
        { "Status Code: 529\n{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}", FaultKind.Overloaded, "overloaded_error" },
        { "Status Code: BadRequest\n{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 209303 tokens \\u003E 200000 maximum\"}}", FaultKind.ContextLength, "invalid_request_error" },
        { "Status Code: TooManyRequests\n{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"limit\",\"details\":{\"error_code\":\"enforced_spend_limit_reached\"}}}", FaultKind.QuotaExhausted, "enforced_spend_limit_reached" },
        { "Status Code: Unauthorized\n", FaultKind.Unauthorized, null },
        { "Status Code: OK\n{\"error\":{}}", FaultKind.Unknown, null },
        { "SSE error returned from server: '{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}'", FaultKind.Overloaded, "overloaded_error" },
        { "SSE error returned from server: 'nothing to read'", FaultKind.Unknown, null },
        { "Could not find Status: 500 in the answer", FaultKind.Unknown, null },
        { "HTTP 12", FaultKind.Unknown, null },
        { "HTTP 999 (x)", FaultKind.Unknown, null },
    };

    [Theory]
    [MemberData(nameof(SdkMessages))]
    public void Sdk_exceptions_are_read_without_knowing_the_sdk(string message, FaultKind kind, string? code)
    {
        var fault = Of(new SdkException(message));
        fault.Kind.Should().Be(kind);
        fault.Code.Should().Be(code);
        fault.ToString().Should().NotContain("current quota");
    }

    [Fact]
    public async Task Exception_of_the_real_OpenAI_sdk_is_understood()
    {
        using var answers = new AnswerHandler(Fixture.All.Single(f => f.Name == "openai-quota"));
        using var http = new HttpClient(answers);
        var client = new OpenAI.Chat.ChatClient("gpt-4o", new System.ClientModel.ApiKeyCredential("sk-test"), new OpenAI.OpenAIClientOptions
        {
            Transport = new System.ClientModel.Primitives.HttpClientPipelineTransport(http),
            RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0),
        });
        var act = async () => await client.CompleteChatAsync([OpenAI.Chat.ChatMessage.CreateUserMessage("hi")], cancellationToken: TestContext.Current.CancellationToken);
        var exception = (await act.Should().ThrowAsync<System.ClientModel.ClientResultException>()).Which;
        var fault = Of(exception);
        fault.Kind.Should().Be(FaultKind.QuotaExhausted);
        fault.Reach.Should().Be(FaultReach.Account);
        fault.StatusCode.Should().Be(429);
    }

    [Fact]
    public void Exception_that_throws_when_asked_for_its_message_is_unknown()
    {
        Of(new Hostile()).Kind.Should().Be(FaultKind.Unknown);
        Exception deep = new SocketException((int)SocketError.ConnectionRefused);
        for (var i = 0; i < 10_000; i++)
            deep = new InvalidOperationException("x", deep);
        Of(deep).Kind.Should().Be(FaultKind.Unknown);
    }

    private sealed class LimiterRejected() : Polly.ExecutionRejectedException("no permit");

    private sealed class SdkException(string message) : Exception(message);

    private sealed class Hostile : Exception
    {
        public override string Message => throw new NotSupportedException();
    }

    private sealed class AnswerHandler(Fixture fixture) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = new HttpResponseMessage((HttpStatusCode)fixture.Status) { Content = new ByteArrayContent(fixture.Body) };
            response.Content.Headers.ContentType = new("application/json");
            return Task.FromResult(response);
        }
    }
}
