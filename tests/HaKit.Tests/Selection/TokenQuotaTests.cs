using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

/// <summary>
/// Four endpoints, each with a token quota for 24 average calls a minute, get 85 % of the calls that the quotas allow. Arrivals are Poisson. Sizes are
/// log-normal and as variable as the sizes of conversations (standard deviation 0.8 of a mean of 1,366 tokens).
/// </summary>
public sealed class TokenQuotaTests(ITestOutputHelper output)
{
    private const int Calls = 100_000;
    private const int TokensPerMinute = 24 * 1366;

    [Theory]
    [InlineData(SelectionPreset.Adaptive)]
    [InlineData(SelectionPreset.LeastOutstanding)]
    [InlineData(SelectionPreset.RoundRobin)]
    [InlineData(SelectionPreset.Random)]
    public void At_85_percent_of_the_quotas_at_most_two_calls_in_a_hundred_are_refused(SelectionPreset preset)
    {
        var bench = new SelectionBench(
            SelectionBench.Numbered(4, (_, e) => e.Limits = new LimitOptions { TokensPerMinute = TokensPerMinute }), new SelectionOptions { Preset = preset });
        var random = new Random(20231116);
        var refused = 0;
        for (var call = 0; call < Calls; call++)
        {
            bench.Now += TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / (0.85 * 4 * 24 / 60));
            var tokens = Size(random);
            if (bench.Choose(new RequestProfile { InputTokens = tokens }).State is not { } state)
                refused++;
            else if (!state.Limiter.TryReserve(tokens, bench.Now, out _))
                throw new InvalidOperationException("An endpoint without room was chosen.");
        }
        output.WriteLine($"{preset}: {refused / (double)Calls:0.0000} refusals per call");
        (refused / (double)Calls).Should().BeLessThanOrEqualTo(0.022);
    }

    private static int Size(Random random)
    {
        var variance = Math.Log(1 + 0.8 * 0.8);
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (int)Math.Exp(Math.Log(1366) - variance / 2 + Math.Sqrt(variance) * normal);
    }
}
