using HaKit.Estimates;
using HaKit.Health;

namespace HaKit.Tests.Estimates;

public sealed class LearnedTimeoutTests
{
    private static LearnedTimeout FirstContent() => new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    private static void Record(LearnedTimeout timeout, double milliseconds, int times)
    {
        for (var i = 0; i < times; i++)
            timeout.Record(TimeSpan.FromMilliseconds(milliseconds));
    }

    [Fact]
    public void It_is_the_upper_bound_until_20_times_are_known()
    {
        var timeout = FirstContent();
        Record(timeout, 700, 19);
        timeout.Current.Should().Be(TimeSpan.FromSeconds(30));
        timeout.Quantile(0.5).Should().BeNull();
        Record(timeout, 700, 1);
        timeout.Current.TotalSeconds.Should().BeInRange(2.1, 2.1 * 1.091);
    }

    [Theory]
    [InlineData(20, 1)]
    [InlineData(60_000, 30)]
    public void It_stays_between_its_bounds(double milliseconds, double seconds)
    {
        var timeout = FirstContent();
        Record(timeout, milliseconds, 100);
        timeout.Current.Should().Be(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void It_follows_a_drift_up_at_once_and_down_as_the_old_times_fade()
    {
        var timeout = FirstContent();
        Record(timeout, 500, 2000);
        Record(timeout, 4000, 30);
        timeout.Current.TotalSeconds.Should().BeInRange(12, 12 * 1.091);
        Record(timeout, 500, 3000);
        timeout.Current.TotalSeconds.Should().BeInRange(1.5, 1.5 * 1.091);
    }

    [Fact]
    public void An_answer_after_it_counts_at_once_and_above_the_upper_bound_until_32_more_times_are_known()
    {
        var timeout = FirstContent();
        Record(timeout, 20_000, 40);
        timeout.CurrentForAnswers.Should().Be(TimeSpan.FromSeconds(30));

        timeout.Record(TimeSpan.FromSeconds(31), isAnswer: false);
        timeout.CurrentForAnswers.Should().Be(TimeSpan.FromSeconds(30), "a silence is no proof of a slow endpoint");
        timeout.Record(TimeSpan.FromSeconds(29), isAnswer: true);
        timeout.CurrentForAnswers.Should().Be(TimeSpan.FromSeconds(30), "the answer came in time");
        timeout.Record(TimeSpan.FromSeconds(40), isAnswer: true);
        timeout.CurrentForAnswers.Should().Be(TimeSpan.FromSeconds(120));
        timeout.Current.Should().Be(TimeSpan.FromSeconds(30));

        Record(timeout, 20_000, 31);
        timeout.CurrentForAnswers.Should().Be(TimeSpan.FromSeconds(120));
        Record(timeout, 20_000, 1);
        timeout.CurrentForAnswers.Should().Be(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Quantiles_are_at_most_9_1_percent_above_the_true_ones_and_never_below()
    {
        var random = new Random(3);
        var times = new RecentTimes();
        var samples = new List<double>();
        for (var i = 0; i < 500; i++)
        {
            var ms = 300 * Math.Exp(random.NextDouble() * 4);
            samples.Add(ms);
            times.Record(TimeSpan.FromMilliseconds(ms));
        }

        samples.Sort();
        foreach (var share in new[] { 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1 })
        {
            var exact = samples[(int)Math.Ceiling(share * samples.Count) - 1];
            times.Quantile(share).TotalMilliseconds.Should().BeInRange(exact - 0.001, exact * 1.0906);
        }
    }

    [Fact]
    public void Nothing_is_lost_when_two_threads_record_at_once()
    {
        var times = new RecentTimes();
        const int each = 200_000;
        var threads = Enumerable.Range(0, 2).Select(t => new Thread(() =>
        {
            for (var i = 0; i < each; i++)
                times.Record(TimeSpan.FromMilliseconds(t == 0 ? 10 : 1000));
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        times.Count.Should().Be(2 * each);
        times.Quantile(1).TotalMilliseconds.Should().BeLessThan(1100);
        for (var i = 0; i < 20 * 512; i++)
            times.Record(TimeSpan.FromMilliseconds(1));
        times.Quantile(1).TotalMilliseconds.Should().Be(1, "everything older has faded to nothing");
    }

    [Fact]
    public void It_falls_at_the_next_64th_time_and_rises_at_once()
    {
        var timeout = FirstContent();
        Record(timeout, 4000, 20);
        timeout.Current.TotalSeconds.Should().BeInRange(12, 12 * 1.091);
        var high = timeout.Current;
        timeout.Quantile(0.5)!.Value.TotalSeconds.Should().BeInRange(4, 4 * 1.091);
        Record(timeout, 8000, 1);
        timeout.Current.Should().BeGreaterThan(high);
    }

    [Fact]
    public void Nothing_recorded_is_no_time_and_what_is_beyond_the_last_bucket_is_in_it()
    {
        var times = new RecentTimes();
        times.Quantile(0.5).Should().Be(TimeSpan.Zero);
        times.Record(TimeSpan.FromDays(100));
        times.Quantile(0).TotalMinutes.Should().BeApproximately(Math.Pow(2, 30) / 60_000, 1e-6);
        times.Count.Should().Be(1);
    }

    [Fact]
    public void A_millisecond_or_less_is_a_millisecond()
    {
        var times = new RecentTimes();
        times.Record(TimeSpan.Zero);
        times.Record(TimeSpan.FromMilliseconds(1));
        times.Quantile(1).Should().Be(TimeSpan.FromMilliseconds(1));
        times.Record(TimeSpan.FromMilliseconds(2));
        times.Quantile(1).Should().Be(TimeSpan.FromMilliseconds(2), "it is the upper edge of its bucket");
    }

    [Fact]
    public void Plain_answers_that_take_an_hour_are_not_cut()
    {
        var times = new UsualTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 3);
        for (var i = 0; i < 20; i++)
            times.Record(isStream: false, TimeSpan.FromHours(1));
        times.LearnedLimit(isStream: false)!.Value.TotalHours.Should().BeInRange(3, 3.3);
        times.Quantile(isStream: false, 0.5)!.Value.TotalHours.Should().BeInRange(1, 1.1);
    }

    [Fact]
    public void Answers_that_take_no_time_are_learned_too()
    {
        var times = new UsualTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 3);
        for (var i = 0; i < 20; i++)
            times.Record(isStream: false, TimeSpan.Zero);
        times.LearnedLimit(isStream: false).Should().Be(TimeSpan.FromSeconds(1));
    }
}
