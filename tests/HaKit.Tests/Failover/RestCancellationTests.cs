using System.Runtime.CompilerServices;
using HaKit.Failover;

namespace HaKit.Tests.Failover;

/// <summary>A caller that cancels a read, or disposes the stream, ends the rest of a cut answer at once. A rest that cannot be read leaves the cut as it is.</summary>
public sealed class RestCancellationTests : StreamBench
{
    private CancellationToken _given;

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_caller_that_cancels_a_read_of_the_rest_frees_its_endpoint_at_once(bool disposes)
    {
        await using var pool = Continuing();
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Says("two wait");
        using var reader = new CancellationTokenSource();
        var stream = await OpenContinued(pool);
        (await stream.NextAsync(Ct)).Should().BeTrue();
        (await stream.NextAsync(Ct)).Should().BeTrue();
        var reading = stream.NextAsync(reader.Token).AsTask();
        InFlight(pool).Should().Be(1);
        if (disposes)
            await stream.DisposeAsync();
        else
            await reader.CancelAsync();
        await reading.Awaiting(static r => r).Should().ThrowAsync<OperationCanceledException>();
        InFlight(pool).Should().Be(0);
        Disposed.Should().Be(2);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_caller_that_leaves_while_the_rest_is_requested_frees_its_endpoint_at_once(bool disposes)
    {
        await using var pool = Continuing();
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Says("wait");
        using var reader = new CancellationTokenSource();
        var stream = await OpenContinued(pool);
        (await stream.NextAsync(reader.Token)).Should().BeTrue();
        var reading = stream.NextAsync(reader.Token).AsTask();
        InFlight(pool).Should().Be(1);
        if (disposes)
            await stream.DisposeAsync();
        else
            await reader.CancelAsync();
        await reading.Awaiting(static r => r).Should().ThrowAsync<OperationCanceledException>();
        InFlight(pool).Should().Be(0);
        (await stream.Awaiting(static s => s.MoveNextAsync().AsTask()).Should().ThrowAsync<Exception>()).Which.Should().NotBeOfType<PartialResponseException>();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_stream_that_is_disposed_before_its_cut_asks_no_endpoint_for_a_rest()
    {
        await using var pool = Continuing();
        Scripts["a"] = Says("one wait");
        Scripts["b"] = Says("two .");
        var stream = await OpenContinued(pool);
        await stream.MoveNextAsync();
        var reading = stream.MoveNextAsync().AsTask();
        await stream.DisposeAsync();
        await reading.Awaiting(static r => r).Should().ThrowAsync<OperationCanceledException>();
        Opened.Should().Equal("a");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rest_of_the_applications_own_is_cancelled_too(bool isSilent)
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one cut");
        using var reader = new CancellationTokenSource();
        var stream = await Open(pool, continueWith: (_, _) => new(Recorded("two wait", CancellationToken.None)));
        (await stream.NextAsync(Ct)).Should().BeTrue();
        (await stream.NextAsync(Ct)).Should().BeTrue();
        var reading = stream.NextAsync(reader.Token).AsTask();
        if (isSilent)
            Time.Advance(TimeSpan.FromSeconds(31)); // the limit on a silence between contents
        else
            await reader.CancelAsync();
        await reading.Awaiting(static r => r).Should().ThrowAsync<Exception>();
        _given.IsCancellationRequested.Should().BeTrue();
        Disposed.Should().Be(2);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_rest_that_was_read_to_its_end_is_not_cancelled()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one cut");
        await using (var stream = await Open(pool, continueWith: (_, _) => new(Recorded("two .", CancellationToken.None))))
            (await ReadAll(stream)).Should().Be("one two .");
        _given.IsCancellationRequested.Should().BeFalse();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_rest_that_cannot_be_enumerated_leaves_the_exception_of_the_cut()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one cut");
        await using var stream = await Open(pool, continueWith: static (_, _) => new(new Broken()));
        await stream.MoveNextAsync();
        for (var read = 0; read < 3; read++)
        {
            var partial = (await stream.Awaiting(static s => s.MoveNextAsync().AsTask()).Should().ThrowAsync<PartialResponseException>()).Which;
            partial.NotContinued.Should().Be(NotContinuedReason.Failed);
        }
        stream.Detail.Seams.Should().BeEmpty();
    }

    private async IAsyncEnumerable<string> Recorded(string script, [EnumeratorCancellation] CancellationToken token)
    {
        _given = token;
        await foreach (var word in Play(script, token))
            yield return word;
    }

    private static int InFlight(EndpointPool pool) => pool.Explain(RequestProfile.Default).Sum(static e => e.InFlight);

    private ValueTask<StreamedAnswer<string>> OpenContinued(EndpointPool pool) =>
        Open(pool, RequestProfile.Default, CancellationToken.None, async (cut, token) => await pool.ContinueAsync(RequestProfile.Default, cut, new AnswerSoFar(3, null), this, static (attempt, test, token) =>
        {
            test.Opened.Add(attempt.Endpoint.Name);
            return ValueTask.FromResult(test.Scripts[attempt.Endpoint.Name](token));
        }, new Words(), token));

    private EndpointPool Continuing() => Pool(2, static o =>
    {
        o.Streaming.Continuation = StreamContinuation.On;
        foreach (var endpoint in o.Endpoints)
            (endpoint.Continuation, endpoint.Tier) = (Continuation.AssistantPrefix, endpoint.Name[0] - 'a');
    });

    private sealed class Broken : IAsyncEnumerable<string>
    {
        public IAsyncEnumerator<string> GetAsyncEnumerator(CancellationToken cancellationToken = default) => throw new InvalidOperationException("The client is closed.");
    }
}
