namespace HaKit.Tests.Vocabulary;

public sealed class OptionalTimeTests
{
    [Fact(Timeout = 30_000)]
    public async Task A_time_or_its_absence_is_kept()
    {
        await Task.CompletedTask;
        OptionalTime.Unpack(OptionalTime.Pack(null)).Should().BeNull();
        var random = new Random(1);
        TimeSpan[] extremes = [TimeSpan.MaxValue, TimeSpan.MinValue + TimeSpan.FromTicks(1), TimeSpan.Zero, Timeout.InfiniteTimeSpan];
        foreach (var time in Enumerable.Range(0, 10_000).Select(_ => new TimeSpan(random.NextInt64())).Concat(extremes))
        {
            OptionalTime.Unpack(OptionalTime.Pack(time)).Should().Be(time);
            if (time > TimeSpan.MinValue)
                OptionalTime.Unpack(OptionalTime.Pack(-time)).Should().Be(-time);
        }
    }

    [Fact]
    public void The_smallest_time_is_a_time_in_the_past_and_not_missing() =>
        new RequestProfile { Deadline = TimeSpan.MinValue, MaxWait = TimeSpan.MinValue }.Should().Match<RequestProfile>(static p => p.Deadline < TimeSpan.Zero && p.MaxWait < TimeSpan.Zero);
}
