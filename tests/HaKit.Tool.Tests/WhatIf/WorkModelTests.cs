using HaKit.Tool.WhatIf;

namespace HaKit.Tool.Tests.WhatIf;

/// <summary>Tests what is learned about an endpoint's times from its answers.</summary>
public sealed class WorkModelTests
{
    private const double PerInput = 0.0002;
    private const double PerOutput = 0.01;
    private const double Step = 0.02;

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void An_hour_in_which_the_endpoint_was_slow_is_not_taken_for_the_effect_of_its_load(int seed)
    {
        var (samples, busy) = Answers(seed, double.PositiveInfinity, at => at is > 600 and < 900 ? 8 : 1);
        var model = WorkModel.Learn(samples, busy);
        model.Peak.Should().BeGreaterThan(20, "many requests were there at once while it was slow");
        model.Capacity.Should().Be(double.PositiveInfinity);
        (model.First(1000, 100) + model.Rest(1000, 100)).Should().BeApproximately(1000 * PerInput + 100 * PerOutput, Step);
    }

    [Theory, InlineData(1, 7), InlineData(2, 8), InlineData(3, 10)]
    public void A_capacity_that_requests_share_is_found_although_an_hour_was_slow(int seed, double capacity)
    {
        var (samples, busy) = Answers(seed, capacity, at => at is > 600 and < 700 ? 2 : 1);
        WorkModel.Learn(samples, busy).Capacity.Should().BeInRange(0.9 * capacity, 1.1 * capacity);
    }

    // Four requests a second take about 1.3 s each, in steps of 20 ms. Above the capacity, all requests share the speed of that many requests.
    private static (WorkSample[] Samples, (TimeSpan, TimeSpan)[] Busy) Answers(int seed, double capacity, Func<double, double> slowness)
    {
        var random = new Random(seed);
        var open = new List<Request>();
        var done = new List<WorkSample>();
        var next = 0.0;
        for (var now = 0.0; now < 1500; now += Step)
        {
            for (; next <= now; next += -Math.Log(1 - random.NextDouble()) / 4)
            {
                var (input, output) = (random.Next(100, 3000), random.Next(20, 200));
                open.Add(new Request { At = now, Input = input, Output = output, First = input * PerInput, Rest = output * PerOutput });
            }
            var work = Step * Math.Min(1, capacity / Math.Max(1, open.Count)) / slowness(now);
            foreach (var request in open)
                request.Advance(work, now + Step);
            done.AddRange(open.Where(static r => r.Until > 0).Select(static r => r.Sample));
            open.RemoveAll(static r => r.Until > 0);
        }
        var samples = done.OrderBy(static s => s.At).ToArray();
        return (samples, [.. samples.Select(static s => (s.At, s.At + s.Whole))]);
    }

    private sealed class Request
    {
        private double _firstAt;

        public required double At { get; init; }

        public required int Input { get; init; }

        public required int Output { get; init; }

        public required double First { get; set; }

        public required double Rest { get; set; }

        public double Until { get; private set; }

        public WorkSample Sample => new(TimeSpan.FromSeconds(At), TimeSpan.FromSeconds(_firstAt - At), TimeSpan.FromSeconds(Until - At), Input, Output);

        public void Advance(double work, double now)
        {
            var left = work - First;
            First = Math.Max(0, First - work);
            if (First > 0)
                return;
            if (_firstAt == 0)
                _firstAt = now;
            Rest -= Math.Max(0, left);
            if (Rest <= 0)
                Until = now;
        }
    }
}
