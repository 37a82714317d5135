using System.Net;
using System.Text;
using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>The kept body of a request, its lifetime, and the order in which attempts read a body that is not kept.</summary>
public sealed class RequestBodyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_disposal_does_not_release_the_buffer_of_an_attempt_that_still_runs()
    {
        var body = await RequestBody.CreateAsync(new StringContent("{}"), 1000, Ct);
        body.AddUser();
        body.Dispose();
        body.Dispose();

        body.Invoking(b => b.AddUser()).Should().NotThrow("the attempt has not released the buffer yet");
    }

    [Fact]
    public async Task After_the_call_a_body_that_is_not_kept_is_not_read_any_more()
    {
        var source = new PacedContent();
        var body = await RequestBody.CreateAsync(source, 10, Ct);
        body.IsKept.Should().BeFalse();
        using var first = body.NewContent(null);
        using var late = body.NewContent(null);
        var running = first.CopyToAsync(Stream.Null, Ct);
        var waiting = late.CopyToAsync(Stream.Null, Ct);
        body.Dispose();
        source.Writers[0].SetResult();

        await running;
        await waiting.WaitAsync(TimeSpan.FromSeconds(10), Ct).Invoking(w => w).Should().ThrowAsync<Exception>();
        source.Writers.Should().ContainSingle();
        body.WasRefused.Should().BeFalse("the call ended; the caller's content refused nothing");
    }

    [Fact]
    public async Task A_cancelled_attempt_does_not_wait_for_the_reader_before_it_and_lets_no_other_read_at_the_same_time()
    {
        var source = new PacedContent();
        using var body = await RequestBody.CreateAsync(source, 10, Ct);
        using var stop = new CancellationTokenSource();
        var running = body.NewContent(null).CopyToAsync(Stream.Null, Ct);
        var cancelled = body.NewContent(null).CopyToAsync(Stream.Null, stop.Token);
        var next = body.NewContent(null).CopyToAsync(Stream.Null, Ct);
        await stop.CancelAsync();

        await cancelled.WaitAsync(TimeSpan.FromSeconds(10), Ct).Invoking(c => c).Should().ThrowAsync<OperationCanceledException>();
        source.Writers.Should().ContainSingle("the first attempt still reads");
        source.Writers[0].SetResult();
        await running;
        while (source.Writers.Count < 2)
            await Task.Yield();
        source.Writers[1].SetResult();
        await next;
    }

    [Fact]
    public async Task A_body_that_is_not_kept_gets_no_further_member_and_keeps_its_length()
    {
        using var body = await RequestBody.CreateAsync(new ByteArrayContent(new byte[100]), 10, Ct);
        using var content = body.NewContent(null, "\"a\":1,"u8.ToArray());

        content.Headers.ContentLength.Should().Be(100);
        (await content.ReadAsByteArrayAsync(Ct)).Should().HaveCount(100);
    }

    [Fact]
    public async Task A_body_that_is_longer_than_its_Content_Length_says_is_not_kept()
    {
        var source = new ByteArrayContent(Encoding.UTF8.GetBytes(new string('x', 100))) { Headers = { ContentLength = 5 } };
        using var body = await RequestBody.CreateAsync(source, 50, Ct);

        body.IsKept.Should().BeFalse();
    }

    [Fact]
    public async Task The_exception_that_shows_why_the_callers_content_cannot_be_written_is_not_lost()
    {
        await using var http = new HttpPool(2, o => o.Http.MaxReplayBytes = 10);
        var content = new PacedContent { Refusal = new InvalidOperationException("the connection of the database is closed") };

        (await http.Awaiting(h => h.SendAsync(content)).Should().ThrowAsync<RequestNotRepeatableException>()).Which.InnerException.Should().BeSameAs(content.Refusal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_long_body_that_writes_itself_synchronously_is_sent_whole_with_the_model_of_the_endpoint()
    {
        var text = new string('x', 5000);
        await using var http = new HttpPool(1, o =>
        {
            o.Http.MaxReplayBytes = 1000;
            o.Endpoints[0].Model = "own";
        }, inner: new Echo());
        using var content = new SynchronousContent(() => new MemoryStream(Encoding.UTF8.GetBytes("{\"model\":\"m\",\"input\":\"" + text + "\"}")));
        using var response = await http.SendAsync(content);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be("{\"model\":\"own\",\"input\":\"" + text + "\"}");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(100)]
    [InlineData(100_000)]
    public async Task A_long_body_that_can_be_written_once_and_writes_itself_synchronously_never_loses_its_beginning(int piece)
    {
        await using var http = new HttpPool(1, o => o.Http.MaxReplayBytes = 1000, inner: new Echo());
        var source = new MemoryStream(Encoding.UTF8.GetBytes("{\"input\":\"" + string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i} ")) + "\"}"));
        using var content = new SynchronousContent(() => source, piece);

        await http.Awaiting(h => h.SendAsync(content)).Should().ThrowAsync<RequestNotRepeatableException>();
    }

    [Fact(Timeout = 60_000)]
    public async Task The_deadline_ends_a_call_whose_body_does_not_come()
    {
        await using var http = new HttpPool(1, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5));
        var content = new PacedContent { IsLengthKnown = false };
        var call = http.SendAsync(content);
        http.Time.Advance(TimeSpan.FromSeconds(4));
        call.IsCompleted.Should().BeFalse();
        http.Time.Advance(TimeSpan.FromSeconds(2));
        call.IsCompleted.Should().BeTrue();
        await call.Awaiting(c => c).Should().ThrowAsync<DeadlineExceededException>();
        http.Sent.Should().BeEmpty();
        content.Writers[0].SetResult();
    }

    [Fact(Timeout = 60_000)]
    public async Task The_time_in_which_the_body_came_is_a_part_of_the_deadline()
    {
        await using var http = new HttpPool(1, inner: new Silent());
        var content = new PacedContent { IsLengthKnown = false };
        var call = http.SendAsync(content);
        http.Time.Advance(TimeSpan.FromSeconds(60));
        content.Writers[0].SetResult();
        while (http.Sent.Count == 0)
            await Task.Yield();
        // In steps: the call may still be on its way to its next timer, on another thread.
        while (!call.IsCompleted)
        {
            http.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(call, Task.Delay(20, Ct));
        }
        await call.Awaiting(c => c).Should().ThrowAsync<DeadlineExceededException>();
        http.Time.Elapsed.Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(100)).And.BeLessThan(TimeSpan.FromSeconds(150), "the 60 s of the body are a part of the 100 s");
    }

    private sealed class Silent : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return new HttpResponseMessage();
        }
    }

    /// <summary>Content of an unknown length that copies a stream synchronously, as older serializers write.</summary>
    private sealed class SynchronousContent : HttpContent
    {
        private readonly Func<Stream> _open;
        private readonly int _piece;

        public SynchronousContent(Func<Stream> open, int piece = 1000)
        {
            (_open, _piece) = (open, piece);
            Headers.TryAddWithoutValidation("Content-Type", "application/json");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            _open().CopyTo(stream, _piece);
            return Task.CompletedTask;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>Content of a known length. Each of its writers ends when the test ends it.</summary>
    private sealed class PacedContent : HttpContent
    {
        public List<TaskCompletionSource> Writers { get; } = [];

        public Exception? Refusal { get; init; }

        public bool IsLengthKnown { get; init; } = true;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            if (Refusal is not null)
                return Task.FromException(Refusal);
            var writer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Writers.Add(writer);
            return writer.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 100;
            return IsLengthKnown;
        }
    }
}
