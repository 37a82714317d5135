using HaKit.Limits;

namespace HaKit.Tests.Limits;

/// <summary>
/// Four endpoints, each with a token quota for 24 average calls a minute, get 85 % of the calls that the quotas allow. Arrivals are Poisson. Sizes are
/// log-normal and as variable as the sizes of conversations (standard deviation 0.8 of a mean of 1,366 tokens).
/// </summary>
public sealed class QuotaRefusalTests(ITestOutputHelper output)
{
    private const int Endpoints = 4;
    private const int Calls = 200_000;
    private const int TokensPerMinute = 24 * 1366;

    [Fact]
    public void Buckets_cost_a_tenth_of_a_percent_of_the_calls_at_most()
    {
        var exact = Enumerable.Range(0, Endpoints).Select(_ => new ExactWindow()).ToArray();
        var limiters = Enumerable.Range(0, Endpoints).Select(_ => new Limiter(new LimitOptions { TokensPerMinute = TokensPerMinute })).ToArray();

        var roundRobin = Refused((tokens, now, call, random) => limiters[call % Endpoints].TryReserve(tokens, now, out _));
        limiters = [.. limiters.Select(_ => new Limiter(new LimitOptions { TokensPerMinute = TokensPerMinute }))];
        var twoChoices = Refused((tokens, now, call, random) => OfTwo(
            limiters, one => one.HasRoom(tokens, now), one => one.Utilization(now), random)?.TryReserve(tokens, now, out LimitReservation _) ?? false);
        var ideal = Refused((tokens, now, call, random) => OfTwo(
            exact, one => one.Spent(now) + tokens <= TokensPerMinute, one => one.Spent(now), random)?.Take(tokens, now) ?? false);

        output.WriteLine($"refusals per call: round robin {roundRobin:F4}, emptier of two {twoChoices:F4}, the same with exact windows {ideal:F4}");
        roundRobin.Should().BeInRange(0.04, 0.05);
        twoChoices.Should().BeLessThanOrEqualTo(0.022);
        twoChoices.Should().BeLessThanOrEqualTo(ideal + 0.001);
    }

    private static double Refused(Func<long, TimeSpan, int, Random, bool> tryCall)
    {
        var random = new Random(20231116);
        var perSecond = 0.85 * Endpoints * 24 / 60;
        var now = TimeSpan.FromHours(1);
        var refused = 0;
        for (var call = 0; call < Calls; call++)
        {
            now += TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / perSecond);
            if (!tryCall(Size(random), now, call, random))
                refused++;
        }
        return (double)refused / Calls;
    }

    private static long Size(Random random)
    {
        var variance = Math.Log(1 + 0.8 * 0.8);
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (long)Math.Exp(Math.Log(1366) - variance / 2 + Math.Sqrt(variance) * normal);
    }

    private static T? OfTwo<T>(T[] all, Func<T, bool> hasRoom, Func<T, double> load, Random random)
        where T : class
    {
        var open = all.Where(hasRoom).ToArray();
        if (open.Length == 0)
            return null;
        var (one, other) = (open[random.Next(open.Length)], open[random.Next(open.Length)]);
        return load(one) <= load(other) ? one : other;
    }

    /// <summary>Forgets each amount exactly when its minute is over.</summary>
    private sealed class ExactWindow
    {
        private readonly Queue<(TimeSpan At, long Tokens)> _taken = [];
        private long _spent;

        public long Spent(TimeSpan now)
        {
            while (_taken.TryPeek(out var oldest) && now - oldest.At >= TimeSpan.FromMinutes(1))
                _spent -= _taken.Dequeue().Tokens;
            return _spent;
        }

        public bool Take(long tokens, TimeSpan now)
        {
            _taken.Enqueue((now, tokens));
            _spent += tokens;
            return true;
        }
    }
}
