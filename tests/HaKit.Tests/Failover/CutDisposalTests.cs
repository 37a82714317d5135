namespace HaKit.Tests.Failover;

/// <summary>A source throws while it is closed after a cut. The caller gets the exception of the cut.</summary>
public sealed class CutDisposalTests : StreamBench
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task A_source_that_throws_while_it_is_closed_after_a_cut_does_not_mask_it(bool isError, bool isLate)
    {
        await using var pool = Pool(1);
        Scripts["a"] = token => new ThrowsAtEnd(Play(isError ? "Hello !" : "Hello cut", token), isLate ? Late : null);
        var reading = ReadAll(await Open(pool));
        Time.Advance(TimeSpan.FromSeconds(0.5));
        var partial = (await reading.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.InnerException!.ToString().Should().Contain("InvalidOperationException: closing");
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
    }

    [Fact]
    public async Task A_source_that_never_closes_keeps_the_cut_from_the_caller_for_a_second_at_most()
    {
        await using var pool = Pool(1);
        Scripts["a"] = token => new ThrowsAtEnd(Play("Hello !", token), () => new TaskCompletionSource().Task);
        var stream = await Open(pool);
        await stream.MoveNextAsync();
        var second = stream.MoveNextAsync().AsTask();
        Time.Advance(TimeSpan.FromSeconds(1.1));
        second.IsCompleted.Should().BeTrue();
        await second.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>();
    }

    private Task Late() => Task.Delay(TimeSpan.FromSeconds(0.2), Time, CancellationToken.None);

    private sealed class ThrowsAtEnd(IAsyncEnumerable<string> words, Func<Task>? before) : IAsyncEnumerable<string>, IAsyncEnumerator<string>
    {
        private IAsyncEnumerator<string> _words = null!;

        public string Current => _words.Current;

        public IAsyncEnumerator<string> GetAsyncEnumerator(CancellationToken cancellationToken = default)
        {
            _words = words.GetAsyncEnumerator(cancellationToken);
            return this;
        }

        public ValueTask<bool> MoveNextAsync() => _words.MoveNextAsync();

        public async ValueTask DisposeAsync()
        {
            if (before is not null)
                await before();
            throw new InvalidOperationException("closing");
        }
    }
}
