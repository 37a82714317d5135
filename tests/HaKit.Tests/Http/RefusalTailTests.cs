using System.Net;
using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Http;

/// <summary>The part of a refusal's body that arrives after the pool has classified it, or never. Virtual time.</summary>
public sealed class RefusalTailTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("silent")]
    [InlineData("unopened")]
    public async Task A_refusal_whose_body_falls_silent_ends_after_the_idle_timeout(string kind)
    {
        await using var http = new HttpPool(1, inner: new Refusing(kind, TimeProvider.System));
        var call = http.Client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
        http.Time.Advance(TimeSpan.FromSeconds(2));
        call.IsCompleted.Should().BeFalse("the body may still come");
        http.Time.Advance(TimeSpan.FromSeconds(31));
        call.IsCompleted.Should().BeTrue();
        (await call.Awaiting(c => c).Should().ThrowAsync<Exception>()).Which.Should().Match(e => e is IOException || e is HttpRequestException);
        http.InFlight.Should().Be(0);
        http.Open.Should().Be(0);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("silent", 365)]
    [InlineData("trickling", 30)]
    public async Task A_refusal_whose_body_never_ends_ends_at_the_deadline(string kind, int idle)
    {
        var handler = new Refusing(kind, null);
        await using var http = new HttpPool(1, o => o.Streaming.IdleTimeout = TimeSpan.FromSeconds(idle), inner: handler);
        handler.Time = http.Time;
        var call = http.Client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
        for (var i = 0; i < 99; i++)
            http.Time.Advance(TimeSpan.FromSeconds(1));
        call.IsCompleted.Should().BeFalse("the deadline has not passed");
        http.Time.Advance(TimeSpan.FromSeconds(2));
        call.IsCompleted.Should().BeTrue();
        (await call.Awaiting(c => c).Should().ThrowAsync<Exception>()).Which.Should().Match(e => e is IOException || e is HttpRequestException);
    }

    [Fact(Timeout = 60_000)]
    public async Task Each_read_after_the_idle_timeout_of_a_refusal_fails_too()
    {
        await using var http = new HttpPool(1, inner: new Refusing("silent", TimeProvider.System));
        var call = http.SendAsync(HttpPool.Chat("hi"));
        http.Time.Advance(TimeSpan.FromSeconds(2));
        using var response = await call;
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        await using var body = await response.Content.ReadAsStreamAsync(Ct);
        var buffer = new byte[100];
        (await body.ReadAsync(buffer, Ct)).Should().BePositive();
        var reading = body.ReadAsync(buffer, Ct).AsTask();
        http.Time.Advance(TimeSpan.FromSeconds(31));
        reading.IsCompleted.Should().BeTrue();
        await reading.Awaiting(r => r).Should().ThrowAsync<IOException>();
        await body.ReadAsync(buffer, Ct).AsTask().Awaiting(r => r).Should().ThrowAsync<IOException>("a second read must not seem to be the end");
    }

    [Fact(Timeout = 60_000)]
    public async Task The_handler_of_an_SDK_ends_such_a_refusal_too()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        using var client = new HttpClient(new EndpointFaultHandler("a", time: time) { InnerHandler = new Refusing("silent", TimeProvider.System) }) { Timeout = Timeout.InfiniteTimeSpan };
        var call = client.PostAsync("http://fake/v1/chat/completions", HttpPool.Chat("hi"), Ct);
        time.Advance(TimeSpan.FromSeconds(2));
        call.IsCompleted.Should().BeFalse();
        time.Advance(TimeSpan.FromSeconds(31));
        call.IsCompleted.Should().BeTrue();
        await call.Awaiting(c => c).Should().ThrowAsync<Exception>();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_refusal_whose_body_cannot_be_decoded_keeps_its_status_for_the_handler_of_an_SDK()
    {
        using var client = new HttpClient(new EndpointFaultHandler("a") { InnerHandler = new Refusing("broken", TimeProvider.System) });
        var fault = (await client.PostAsync("http://fake/v1/chat/completions", HttpPool.Chat("hi"), Ct).Awaiting(c => c).Should().ThrowAsync<EndpointFaultException>()).Which.Fault;
        fault.StatusCode.Should().Be(429);
        fault.RetryAfter.Should().Be(TimeSpan.FromSeconds(41));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_handler_of_an_SDK_disposes_a_refusal_whose_reading_is_cancelled()
    {
        var handler = new Refusing("silent", TimeProvider.System);
        using var client = new HttpClient(new EndpointFaultHandler("a") { InnerHandler = handler });
        using var caller = new CancellationTokenSource();
        var call = client.PostAsync("http://fake/v1/chat/completions", HttpPool.Chat("hi"), caller.Token);
        await caller.CancelAsync();
        await call.Awaiting(c => c).Should().ThrowAsync<OperationCanceledException>();
        handler.IsDisposed.Should().BeTrue();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_refusal_that_the_callback_returns_keeps_its_status_if_its_body_cannot_be_decoded()
    {
        await using var http = new HttpPool(2);
        var (response, detail) = await http.Pool.ExecuteWithDetailAsync(RequestProfile.Default, 0, (attempt, _, _) => new ValueTask<HttpResponseMessage>(
            attempt.Number == 1 ? Refusing.Broken() : new HttpResponseMessage()), Ct);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        var fault = detail.Attempts[0].Fault!;
        fault.StatusCode.Should().Be(429);
        fault.RetryAfter.Should().Be(TimeSpan.FromSeconds(41));
    }

    private sealed class Refusing(string kind, TimeProvider? time) : HttpMessageHandler
    {
        public TimeProvider? Time { get; set; } = time;

        public bool IsDisposed { get; private set; }

        public static HttpResponseMessage Broken()
        {
            var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests) { Content = new Body("broken", null, null) };
            response.Headers.TryAddWithoutValidation("Retry-After", "41");
            return response;
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = kind == "broken" ? Broken() : new HttpResponseMessage(HttpStatusCode.BadRequest) { Content = new Body(kind, Time, () => IsDisposed = true) };
            response.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            return Task.FromResult(response);
        }
    }

    private sealed class Body(string kind, TimeProvider? time, Action? disposed) : HttpContent
    {
        protected override Task<Stream> CreateContentReadStreamAsync() =>
            kind == "unopened" ? new TaskCompletionSource<Stream>().Task : Task.FromResult<Stream>(new Source(kind, time));

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            if (kind == "unopened")
                await new TaskCompletionSource().Task;
            await new Source(kind, time).CopyToAsync(stream);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            disposed?.Invoke();
            base.Dispose(disposing);
        }
    }

    /// <summary>The beginning of an error, then nothing, or one byte every ten seconds, or the exception of a decoder.</summary>
    private sealed class Source(string kind, TimeProvider? time) : MemoryStream(Encoding.UTF8.GetBytes("{\"error\":"))
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (kind == "broken")
                throw new InvalidDataException("The archive entry was compressed using an unsupported compression method.");
            if (Position < Length)
                return await base.ReadAsync(buffer, cancellationToken);
            if (kind != "trickling")
                await Task.Delay(Timeout.Infinite, cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(10), time!, cancellationToken);
            buffer.Span[0] = (byte)' ';
            return 1;
        }
    }
}
