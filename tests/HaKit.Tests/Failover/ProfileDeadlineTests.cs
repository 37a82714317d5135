using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>The ends of the range of a call's own deadline.</summary>
public sealed class ProfileDeadlineTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory(Timeout = 60_000)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue / 10_000)]
    public async Task A_call_without_time_fails_at_once(long milliseconds)
    {
        await using var pool = TestPool.Create(_time, 1);
        var asked = 0;
        await FluentActions.Awaiting(async () => await pool.ExecuteAsync(new RequestProfile { Deadline = TimeSpan.FromMilliseconds(milliseconds) }, 0, (_, _, _) => new ValueTask<int>(++asked)))
            .Should().ThrowAsync<DeadlineExceededException>();
        asked.Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_with_the_longest_deadline_has_none()
    {
        await using var pool = TestPool.Create(_time, 1);
        var origin = _time.GetTimestamp();
        var call = pool.ExecuteAsync(new RequestProfile { Deadline = TimeSpan.MaxValue }, 0, async (_, _, ct) =>
        {
            await Task.Delay(TimeSpan.FromHours(10), _time, ct);
            return 1;
        }, TestContext.Current.CancellationToken).AsTask();
        _time.Run(() => call).Should().Be(1);
        _time.GetElapsedTime(origin).Should().Be(TimeSpan.FromHours(10));
    }
}
