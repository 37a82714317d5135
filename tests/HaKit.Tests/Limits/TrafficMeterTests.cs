using HaKit.Limits;

namespace HaKit.Tests.Limits;

/// <summary>Tests the traffic counts of a pool, which are collected for each processor.</summary>
public sealed class TrafficMeterTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(7);

    [Fact]
    public void Calls_of_the_last_minute_are_counted_and_older_ones_are_not()
    {
        var meter = new TrafficMeter();
        for (var i = 0; i < 10; i++)
            meter.RecordCall(0, Start + TimeSpan.FromSeconds(i));

        meter.CallsPerMinute(Start + TimeSpan.FromSeconds(10)).Should().Be(10);
        meter.CallsPerMinute(Start + TimeSpan.FromSeconds(65)).Should().Be(5, "those of the first five seconds have left");
        meter.CallsPerMinute(Start + TimeSpan.FromSeconds(200)).Should().Be(0);
    }

    [Fact]
    public void A_meter_that_is_younger_than_a_minute_counts_for_its_age()
    {
        var meter = new TrafficMeter();
        meter.RecordCall(0, TimeSpan.FromSeconds(1));
        meter.RecordCall(0, TimeSpan.FromSeconds(2));

        meter.CallsPerMinute(TimeSpan.FromSeconds(20)).Should().Be(6);
        meter.CallsPerMinute(TimeSpan.FromSeconds(60)).Should().Be(2);
        meter.CallsPerMinute(TimeSpan.Zero).Should().Be(0, "nothing is known of an age of nought");
        meter.CallsPerMinute(TimeSpan.FromSeconds(-1)).Should().Be(0);
    }

    [Fact]
    public void Tokens_of_a_call_are_the_mean_of_the_last_minute()
    {
        var meter = new TrafficMeter();
        meter.TokensPerCall(Start).Should().BeNull("no call was served");
        meter.RecordServed(100, Start);
        meter.RecordServed(50, Start + TimeSpan.FromSeconds(30));
        meter.RecordServed(0, Start + TimeSpan.FromSeconds(30));
        meter.RecordServed(-7, Start + TimeSpan.FromSeconds(30));

        meter.TokensPerCall(Start + TimeSpan.FromSeconds(30)).Should().Be(37.5);
        meter.TokensPerCall(Start + TimeSpan.FromSeconds(70)).Should().BeApproximately(50 / 3.0, 1e-9, "the first has left");
        meter.TokensPerCall(Start + TimeSpan.FromSeconds(200)).Should().BeNull();
    }

    [Fact]
    public void What_the_limits_count_for_a_call_is_the_mean_of_all_that_began_in_the_last_minute()
    {
        var meter = new TrafficMeter();
        meter.EstimatedTokensPerCall(Start).Should().Be(0, "no call began");
        meter.RecordCall(100, Start);
        meter.RecordCall(300, Start);
        meter.RecordCall(0, Start);
        meter.RecordCall(-5, Start);

        meter.EstimatedTokensPerCall(Start).Should().Be(100);
        meter.EstimatedTokensPerCall(Start + TimeSpan.FromSeconds(200)).Should().Be(0);
        meter.RecordCall(long.MaxValue, Start + TimeSpan.FromSeconds(200));
        meter.EstimatedTokensPerCall(Start + TimeSpan.FromSeconds(200)).Should().Be(int.MaxValue);
    }

    [Fact]
    public void The_buckets_of_a_young_meter_are_as_many_as_have_passed()
    {
        var meter = new TrafficMeter();
        meter.RecordCall(0, TimeSpan.FromSeconds(0.1));
        meter.RecordCall(0, TimeSpan.FromSeconds(0.6));
        meter.RecordCall(0, TimeSpan.FromSeconds(0.7));
        meter.RecordCall(0, TimeSpan.FromSeconds(1));

        meter.CallsPerBucket(TimeSpan.FromSeconds(1)).Should().Equal([1, 0, 2, 0], "the bucket that has begun does not count");
        meter.CallsPerBucket(TimeSpan.FromSeconds(90)).Should().HaveCount(SlidingWindow.Buckets);
    }

    [Fact]
    public void A_usage_beyond_all_measure_counts_as_the_largest_there_is()
    {
        var meter = new TrafficMeter();
        meter.RecordServed(long.MaxValue, Start);
        meter.TokensPerCall(Start).Should().Be(int.MaxValue);
    }

    [Fact]
    public void A_striped_window_counts_each_amount_in_its_own_bucket_whatever_the_order()
    {
        var window = new StripedWindow();
        window.Add(1, 1000);
        window.Add(2, 1000);
        window.Add(4, 1010);
        window.Add(8, 1005); // from a thread that was paused
        window.Spent(1010).Should().Be(15);
        window.Spent(1010).Should().Be(15, "reading takes nothing away");
        window.Spent(1000 + SlidingWindow.Buckets).Should().Be(15);
        window.Spent(1001 + SlidingWindow.Buckets).Should().Be(12, "what was added in bucket 1000 has left");
        window.Spent(1006 + SlidingWindow.Buckets).Should().Be(4);
        window.Spent(1011 + SlidingWindow.Buckets).Should().Be(0);
    }

    [Fact]
    public void Amounts_that_do_not_fit_one_word_together_are_kept_at_the_most_that_fits()
    {
        var window = new StripedWindow();
        window.Add(uint.MaxValue - 1, 7);
        window.Add(5, 7);
        window.Spent(7).Should().Be(uint.MaxValue);
        window.Spent(8).Should().Be(uint.MaxValue, "the bucket is the one in which they were added");
        window.Spent(8 + SlidingWindow.Buckets).Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_sum_by_processor_is_exact_when_no_addition_is_under_way()
    {
        var sum = new StripedSum();
        var window = new StripedWindow();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(
            () =>
            {
                for (var i = 0; i < 10_000; i++)
                {
                    sum.Add(thread - 3);
                    window.Add(1, (uint)(100 + i / 5000));
                }
            },
            TestContext.Current.CancellationToken)));

        sum.Count.Should().Be(80_000);
        sum.Sum.Should().Be(40_000);
        window.Spent(101).Should().Be(80_000);
    }

    [Fact]
    public void Each_processor_has_two_cache_lines_of_its_own_and_the_first_are_left_free()
    {
        Stripes.Count.Should().Be(Math.Min(16, Environment.ProcessorCount));
        Stripes.PlaceOf(0).Should().Be(16);
        Stripes.PlaceOf(1).Should().Be(32);
        Stripes.New().Should().HaveCount(16 * (Stripes.Count + 1));
        Stripes.Own.Should().BeInRange(16, 16 * Stripes.Count);
    }
}
