using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

/// <summary>Compares the power of two choices with the theory (Mitzenmacher 2001; Azar, Broder, Karlin and Upfal 1994).</summary>
public sealed class TwoChoicesTests(ITestOutputHelper output)
{
    /// <summary>In the limit of many servers the mean sojourn is the sum of λ to the power of 2^i − 2, for i from 1.</summary>
    [Theory]
    [InlineData(0.9, 2.614, 300, 1500)]
    [InlineData(0.99, 5.432, 1000, 3000)]
    public void The_mean_sojourn_at_many_single_servers_is_that_of_the_theory(double load, double expected, int servers, double until)
    {
        Enumerable.Range(1, 20).Sum(i => Math.Pow(load, Math.Pow(2, i) - 2)).Should().BeApproximately(expected, 0.001);
        var sojourn = MeanSojourn(SelectionPreset.LeastOutstanding, load, servers, warmUp: until / 3, until);
        output.WriteLine($"load {load}: mean sojourn {sojourn:0.000}, theory {expected}");
        sojourn.Should().BeApproximately(expected, expected * 0.03);
    }

    [Fact]
    public void At_random_it_is_that_of_a_single_queue()
    {
        var sojourn = MeanSojourn(SelectionPreset.Random, 0.9, servers: 300, warmUp: 1000, until: 3000);
        output.WriteLine($"load 0.9: mean sojourn {sojourn:0.000}, theory 10");
        sojourn.Should().BeApproximately(10, 0.5);
    }

    [Fact]
    public void A_hundred_thousand_calls_to_a_thousand_endpoints_leave_no_gap_above_two()
    {
        Gap(SelectionPreset.LeastOutstanding).Should().BeLessThanOrEqualTo(2);
        Gap(SelectionPreset.Adaptive).Should().BeLessThanOrEqualTo(2);
        Gap(SelectionPreset.Random).Should().BeInRange(25, 45);
    }

    private int Gap(SelectionPreset preset)
    {
        var bench = new SelectionBench(SelectionBench.Numbered(1000), new SelectionOptions { Preset = preset });
        for (var call = 0; call < 100_000; call++)
            bench.Choose().State!.RecordStart(0, bench.Now);
        var gap = bench.Members.Max(m => m.InFlight) - 100;
        output.WriteLine($"{preset}: {gap} above the mean of 100");
        return gap;
    }

    // Poisson arrivals at the given load per server, exponential work of mean 1, first come first served.
    private static double MeanSojourn(SelectionPreset preset, double load, int servers, double warmUp, double until)
    {
        var bench = new SelectionBench(SelectionBench.Numbered(servers), new SelectionOptions { Preset = preset });
        var random = new Random(3);
        var queues = bench.Members.ToDictionary(m => m, _ => new Queue<(double Arrival, long Mark)>());
        var departures = new PriorityQueue<EndpointState, double>();
        double sum = 0, arrival = 0;
        var count = 0;
        while (true)
        {
            arrival += Exponential() / (load * servers);
            if (arrival > until)
                return sum / count;
            while (departures.TryPeek(out _, out var at) && at <= arrival)
                Depart(departures.Dequeue(), at);
            bench.Now = TimeSpan.FromSeconds(arrival);
            var state = bench.Choose().State!;
            queues[state].Enqueue((arrival, state.RecordStart(0, bench.Now)));
            if (queues[state].Count == 1)
                departures.Enqueue(state, arrival + Exponential());
        }

        void Depart(EndpointState state, double at)
        {
            var (arrived, mark) = queues[state].Dequeue();
            state.Silence.RecordEnd(mark);
            state.RecordEnd(null, TimeSpan.FromSeconds(at));
            if (arrived > warmUp)
                (sum, count) = (sum + at - arrived, count + 1);
            if (queues[state].Count > 0)
                departures.Enqueue(state, at + Exponential());
        }

        double Exponential() => -Math.Log(1 - random.NextDouble());
    }

    [Theory]
    [InlineData(1e6, 1e-4, 0)]
    [InlineData(1e-4, 1e6, 1)]
    public void Endpoint_with_a_tiny_weight_gets_almost_nothing_wherever_it_is_listed(double first, double second, double share) =>
        new SelectionBench("ab", SelectionPreset.Random, 1, first, second).Shares(1000)["b"].Should().BeApproximately(share, 0.005);
}
