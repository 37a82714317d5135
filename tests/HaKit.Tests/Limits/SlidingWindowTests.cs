using HaKit.Limits;

namespace HaKit.Tests.Limits;

/// <summary>Tests what is read from a window, at times before, in and long after its current bucket.</summary>
public sealed class SlidingWindowTests
{
    private const uint First = 100_000;

    private readonly SlidingWindow _window = new(10);

    [Fact]
    public void The_amounts_of_the_window_are_read_bucket_by_bucket_the_oldest_first()
    {
        Take(First, 1);
        Take(First + 1, 2);
        Take(First + SlidingWindow.Buckets, 4);

        var read = _window.ReadBuckets(First + SlidingWindow.Buckets);

        read.Should().HaveCount(SlidingWindow.Buckets + 1);
        (read[0], read[1], read[^1]).Should().Be((1, 2, 4));
        read.Sum(static amount => amount).Should().Be(7);
        _window.ReadBuckets(First + SlidingWindow.Buckets + 1).Sum(static amount => amount).Should().Be(6, "the oldest bucket has left");
    }

    [Theory]
    [InlineData(256)] // one turn of the ring
    [InlineData(512)]
    [InlineData(255)]
    [InlineData(300)]
    public void What_was_taken_in_an_earlier_turn_of_the_ring_is_not_read(int later)
    {
        Take(First, 7);

        _window.ReadBuckets(First + (uint)later).Should().OnlyContain(static amount => amount == 0);
    }

    [Fact]
    public void A_reader_with_an_earlier_time_than_the_last_call_sees_all_that_counts()
    {
        Take(First, 7);

        _window.Spent(First - 1).Should().Be(7);
        _window.Spent(First).Should().Be(7);
        _window.Spent(First + SlidingWindow.Buckets).Should().Be(7);
        _window.Spent(First + SlidingWindow.Buckets + 1).Should().Be(0);
    }

    [Fact]
    public void Room_that_is_there_is_there_now_also_for_a_reader_with_an_earlier_time_than_the_last_call()
    {
        Take(First, 7);
        var before = TimeSpan.FromTicks((First - 4) * SlidingWindow.BucketTicks);

        _window.AvailableAt(3, before).Should().Be(before);
        _window.AvailableAt(4, before).Should().Be(TimeSpan.FromTicks((First + SlidingWindow.Buckets + 1) * SlidingWindow.BucketTicks));
    }

    [Fact]
    public void Amounts_that_are_collected_by_processor_are_read_with_the_buckets()
    {
        var window = new StripedWindow();
        window.Add(3, First);

        window.ReadBuckets(First)[^1].Should().Be(3);
    }

    [Theory]
    [InlineData(0u, 10)]
    [InlineData(4u, 6)]
    [InlineData(10u, 0)]
    [InlineData(11u, 0)]
    public void A_prediction_counts_without_what_is_held_for_other_replicas(uint held, long limit)
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = 10, TokensPerMinute = 10 });
        limiter.HoldForOthers(held, held);

        var read = limiter.Read(TimeSpan.FromHours(7));

        read.Requests.Should().NotBeNull();
        read.Requests!.Limit.Should().Be(limit);
        read.Tokens.Should().NotBeNull();
        read.Tokens!.Limit.Should().Be(limit);
    }

    private void Take(uint bucket, uint amount) => _window.TryTake(amount, bucket, out _).Should().BeTrue();
}
