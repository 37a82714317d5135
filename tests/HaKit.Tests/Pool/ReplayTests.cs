using HaKit.Limits;
using HaKit.Pool;
using HaKit.Selection;

namespace HaKit.Tests.Pool;

/// <summary>Tests the parts of the replay that predicts the effect of the loss of endpoints.</summary>
public sealed class ReplayTests
{
    [Fact]
    public void A_replayed_window_lets_in_what_the_real_one_lets_in()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var random = new Random(seed);
            var real = new SlidingWindow(1000);
            uint bucket = 5000;
            for (; bucket < 5200; bucket++)
                real.TryTake((uint)random.Next(10), bucket, out _);
            var replayed = new ReplayedWindow(new WindowReading(real.Limit, real.ReadBuckets(bucket)));
            replayed.Reset();
            var taken = new List<(uint In, uint Amount)>();
            for (var i = 0; i < 3000; i++)
            {
                if (random.Next(3) == 0)
                {
                    bucket++;
                    replayed.BeginBucket();
                }
                var amount = (uint)random.Next(1, 20);
                var fits = replayed.HasRoom(amount);
                real.TryTake(amount, bucket, out var takenIn).Should().Be(fits, "step {0} of seed {1}", i, seed);
                if (!fits)
                    continue;
                replayed.TakeAmount(amount);
                taken.Add((takenIn, amount));
                var (began, size) = taken[random.Next(taken.Count)];
                var more = random.Next(-(int)size, 20);
                if (random.Next(4) != 0 || !taken.Remove((began, size)))
                    continue;
                if (more > 0)
                    real.Add(began, more);
                else
                    real.GiveBack(began, (uint)-more);
                replayed.CorrectAmount((int)(bucket - began), more);
            }
        }
    }

    [Fact]
    public void Calls_at_random_times_are_drawn_and_a_rhythm_is_repeated()
    {
        var random = new Random(1);
        ReplayedLoad.As(1200, Buckets(_ => Poisson(random, 5))).IsRepeated.Should().BeFalse();
        ReplayedLoad.As(60, Buckets(_ => Poisson(random, 0.25))).IsRepeated.Should().BeFalse();
        ReplayedLoad.As(1200, Buckets(_ => 5)).IsRepeated.Should().BeTrue("an even load does not vary");
        ReplayedLoad.As(1200, Buckets(i => i % 40 == 0 ? 200u : 0)).IsRepeated.Should().BeTrue("bursts vary more than chance");
        ReplayedLoad.As(1200, [1, 2, 3]).IsRepeated.Should().BeFalse("three buckets tell nothing");
        ReplayedLoad.As(0, Buckets(_ => 0)).IsRepeated.Should().BeFalse();
    }

    [Fact]
    public void A_load_has_as_many_calls_as_it_says_in_order_and_a_burst_comes_at_once()
    {
        foreach (var load in (ReplayedLoad[])[ReplayedLoad.Random(1200), ReplayedLoad.As(1200, Buckets(_ => 4)), ReplayedLoad.As(1200, Buckets(i => i % 40 == 7 ? 100u : 0))])
        {
            var dice = new Dice(new Attempts.Chance(7));
            var at = new List<double>();
            var calls = 0;
            for (var bucket = 0; bucket < 4800; bucket++)
            {
                load.Draw(bucket, ref dice, at);
                calls += at.Count;
                at.Should().BeInAscendingOrder();
                at.TrueForAll(static x => x is >= 0 and < 1).Should().BeTrue();
                if (at.Count > 50)
                    at.Distinct().Should().ContainSingle("it is a burst");
            }
            calls.Should().BeInRange(23_200, 24_800);
        }
    }

    [Fact]
    public void A_standby_is_taken_to_be_like_the_others_and_endpoints_that_differ_are_told_apart()
    {
        HeldTimes.Estimate([new(0, null), new(0, null)]).Should().Equal(0, 0);
        HeldTimes.Estimate([new(1000, 2), new(0, null)]).Should().Equal(2, 2);
        HeldTimes.Estimate([new(1000, 1), new(10, 1.5)])[1].Should().BeInRange(1, 1.05, "ten attempts say little where the endpoints may be alike");
        var apart = HeldTimes.Estimate([new(1000, 1), new(1000, 3), new(100, 6), new(0, null)]);
        apart[0].Should().BeApproximately(1, 0.05);
        apart[1].Should().BeApproximately(3, 0.05);
        apart[2].Should().BeApproximately(6, 0.4);
        apart[3].Should().BeInRange(1, 3);
    }

    [Fact]
    public void A_replay_is_a_function_of_its_scene()
    {
        var scene = Scene(60_000, requests: 40_000);
        LossReplay.Run(scene, [false, true]).Should().Be(LossReplay.Run(scene, [false, true]));
        LossReplay.Run(scene, [false, true]).LostShare.Should().BeApproximately(1 / 3.0, 0.02);
        LossReplay.Run(scene, [false, false]).LostShare.Should().Be(0);
    }

    [Theory]
    [InlineData(60, 40)]
    [InlineData(600, 400)]
    [InlineData(6_000, 4_000)]
    [InlineData(600_000, 400_000)]
    public void The_share_does_not_depend_on_the_size_of_the_load(double callsPerMinute, int requests) =>
        LossReplay.Run(Scene(callsPerMinute, requests), [true, false]).LostShare.Should().BeApproximately(1 / 3.0, 0.03);

    private static ReplayScene Scene(double callsPerMinute, int requests) => new()
    {
        Endpoints = [new(0, 1, true, 1, 0, [0]), new(0, 1, true, 1, 0, [1])],
        Limiters = [Limit(requests), Limit(requests)],
        Policy = new SelectionPolicy(new SelectionOptions()),
        Load = ReplayedLoad.Random(callsPerMinute),
        EstimatedTokens = 0,
        UsedTokens = 100,
        RunsBefore = true,
    };

    private static LimiterReading Limit(int requests) => new(new WindowReading(requests, new uint[SlidingWindow.Buckets + 1]), null, null);

    private static uint[] Buckets(Func<int, uint> calls) => [.. Enumerable.Range(0, SlidingWindow.Buckets).Select(calls)];

    private static uint Poisson(Random random, double mean)
    {
        var calls = 0u;
        for (var at = -Math.Log(1 - random.NextDouble()) / mean; at < 1; at += -Math.Log(1 - random.NextDouble()) / mean)
            calls++;
        return calls;
    }
}
