namespace HaKit.Availability.Tests;

public sealed class EstimateTests
{
    /// <summary>Both parts of both bounds at 95 %, from 40-digit quadrature.</summary>
    [Theory]
    [InlineData(29, 30, 0.8278305443665873507, 0.1721694556334126493, 0.9991564290733695205, 0.0008435709266304795141)]
    [InlineData(999, 1000, 0.9944410757201733282, 0.005558924279826671828, 0.9999746825125087059, 0.00002531748749129406591)]
    [InlineData(999_990, 1_000_000, 0.9999816097211087615, 0.00001839027889123853309, 0.9999952046012224544, 4.795398777545602721e-6)]
    [InlineData(999_999_999, 1_000_000_000, 0.9999999944283566218, 5.571643378203114224e-9, 0.999999999974682192, 2.531780798396940248e-11)]
    [InlineData(999_999_000, 1_000_000_000, 0.9999989360478980047, 1.063952101995288418e-6, 0.9999990610269534104, 9.389730465895609534e-7)]
    [InlineData(999_000_000, 1_000_000_000, 0.9989980390711802062, 0.001001960928819793804, 0.999001958039324154, 0.0009980419606758459564)]
    [InlineData(500_000_000, 1_000_000_000, 0.4999690097484222823, 0.5000309902515777177, 0.5000309902515777177, 0.4999690097484222823)]
    [InlineData(6000, 12000, 0.4910132749285999059, 0.5089867250714000941, 0.5089867250714000941, 0.4910132749285999059)]
    [InlineData(9000, 12000, 0.7421508272942235543, 0.2578491727057764457, 0.7577277328664074086, 0.2422722671335925914)]
    public void Clopper_Pearson_is_accurate_in_both_parts_up_to_a_billion_trials(long x, long n, double lower, double notLower, double upper, double notUpper)
    {
        var bounds = Estimate.ClopperPearson(x, n);
        Relative(bounds.Lower.Value, lower).Should().BeLessThan(1e-12);
        Relative(bounds.Lower.Unavailability, notLower).Should().BeLessThan(1e-12);
        Relative(bounds.Upper.Value, upper).Should().BeLessThan(1e-12);
        Relative(bounds.Upper.Unavailability, notUpper).Should().BeLessThan(1e-12);
    }

    [Theory]
    [InlineData(0, 20)]
    [InlineData(1, 20)]
    [InlineData(7, 20)]
    [InlineData(20, 20)]
    [InlineData(123_456, 1_000_000_000)]
    public void Bounds_mirror_when_successes_and_failures_change_places(long x, long n)
    {
        foreach (var method in (Func<long, long, double, AvailabilityInterval>[])[Estimate.ClopperPearson, Estimate.Wilson, Estimate.Jeffreys])
        {
            var (bounds, mirrored) = (method(x, n, 0.9), method(n - x, n, 0.9));
            if (x > 0)
                Relative(bounds.Lower.Value, mirrored.Upper.Unavailability).Should().BeLessThan(1e-12);
            if (x < n)
                Relative(bounds.Upper.Unavailability, mirrored.Lower.Value).Should().BeLessThan(1e-12);
            bounds.Lower.Value.Should().BeLessThanOrEqualTo((double)x / n);
            bounds.Upper.Value.Should().BeGreaterThanOrEqualTo((double)x / n);
        }
    }

    [Fact]
    public void Clopper_Pearson_holds_at_least_as_often_as_it_says()
    {
        // Exact coverage: for each true p, the probability of all counts whose bounds contain it.
        const int n = 40;
        var bounds = Enumerable.Range(0, n + 1).Select(x => Estimate.ClopperPearson(x, n, 0.9)).ToArray();
        for (var p = 0.01; p < 1; p += 0.01)
        {
            double coverage = 0;
            for (var x = 0; x <= n; x++)
            {
                if (bounds[x].Lower.Value <= p && p <= bounds[x].Upper.Value)
                    coverage += Probability(x, n, p);
            }

            coverage.Should().BeGreaterThanOrEqualTo(0.9 - 1e-12, "p is {0}", p);
        }
    }

    [Fact]
    public void Bounds_widen_with_confidence_and_narrow_with_trials()
    {
        var (loose, tight) = (Estimate.ClopperPearson(990, 1000, 0.8), Estimate.ClopperPearson(990, 1000, 0.99));
        (tight.Lower < loose.Lower && tight.Upper > loose.Upper).Should().BeTrue();
        var more = Estimate.ClopperPearson(99_000, 100_000, 0.8);
        (more.Lower > loose.Lower && more.Upper < loose.Upper).Should().BeTrue();
    }

    [Fact]
    public void Zero_failures_agree_with_the_one_sided_exact_bound()
    {
        Estimate.ZeroFailureLower(1000, 0.975).Should().Be(Estimate.ClopperPearson(1000, 1000, 0.95).Lower);
        Estimate.ZeroFailureLower(Estimate.ZeroFailureTrials(AvailabilityRatio.From(0.9999m), 0.9), 0.9).Meets(AvailabilityRatio.From(0.9999m)).Should().BeTrue();
        Estimate.ZeroFailureLower(Estimate.ZeroFailureTrials(AvailabilityRatio.From(0.9999m), 0.9) - 1, 0.9).Meets(AvailabilityRatio.From(0.9999m)).Should().BeFalse();
    }

    [Fact]
    public void Mtbf_bounds_hold_as_often_as_they_say()
    {
        Effort.SkipUnlessFull();
        // Exponential lifetimes with mean 1, watched for a fixed time: 2,000 seeded runs, within five standard errors of 90 %.
        var random = new Random(7);
        var held = 0;
        for (var run = 0; run < 2000; run++)
        {
            double time = 0;
            long failures = -1;
            while (time < 20)
            {
                time -= Math.Log(1 - random.NextDouble());
                failures++;
            }

            if (Estimate.MtbfBounds(20, failures, 0.9).Contains(1))
                held++;
        }

        held.Should().BeGreaterThan(1800 - 67);
        Estimate.MtbfBounds(20, 0).Upper.Should().Be(double.PositiveInfinity);
    }

    [Fact]
    public void Censored_availability_bounds_hold_as_often_as_they_say()
    {
        Effort.SkipUnlessFull();
        var random = new Random(11);
        var truth = AvailabilityRatio.FromMttfMttr(50, 1);
        var held = 0;
        const int runs = 2000;
        for (var run = 0; run < runs; run++)
        {
            double left = 1000, up = 0, down = 0;
            long failures = 0, repairs = 0;
            for (var isUp = true; left > 0; isUp = !isUp)
            {
                var span = -Math.Log(1 - random.NextDouble()) * (isUp ? 50 : 1);
                if (span < left && isUp)
                    failures++;
                if (span < left && !isUp)
                    repairs++;
                span = Math.Min(span, left);
                left -= span;
                if (isUp)
                    up += span;
                else
                    down += span;
            }

            var bounds = Estimate.AvailabilityBounds(up, down, failures, repairs, 0.9);
            if (bounds.Lower <= truth && truth <= bounds.Upper)
                held++;
        }

        held.Should().BeGreaterThan((int)(0.9 * runs) - 67);
        held.Should().BeLessThan(runs, "bounds that always hold say nothing");
    }

    [Fact]
    public void With_the_repair_time_known_the_bounds_are_those_of_the_time_between_failures()
    {
        const long many = 1_000_000_000;
        var bounds = Estimate.AvailabilityBounds(5000, 2.0 * many, 3, many);
        var mtbf = Estimate.MtbfBounds(5000, 3);
        Relative(bounds.Lower.Unavailability, AvailabilityRatio.FromMttfMttr(mtbf.Lower, 2).Unavailability).Should().BeLessThan(1e-4);
        Relative(bounds.Upper.Unavailability, AvailabilityRatio.FromMttfMttr(mtbf.Upper, 2).Unavailability).Should().BeLessThan(1e-4);
    }

    [Fact]
    public void What_the_data_do_not_limit_is_left_open()
    {
        var none = Estimate.AvailabilityBounds(1000, 0, 0, 0);
        none.Lower.Should().Be(AvailabilityRatio.Never);
        none.Upper.Should().Be(AvailabilityRatio.Always);
        Estimate.AvailabilityBounds(1000, 5, 1, 0).Lower.Should().Be(AvailabilityRatio.Never, "the outage still goes on");
    }

    [Fact]
    public void Renewal_error_of_equal_cycles_is_zero()
    {
        var (estimate, error) = Estimate.Renewal((10, 1), (10, 1), (20, 2));
        estimate.Value.Should().BeApproximately(10.0 / 11, 1e-15);
        error.Should().BeApproximately(0, 1e-16);
    }

    [Fact]
    public void Survival_curve_without_cut_offs_is_the_share_that_is_left()
    {
        var curve = new KaplanMeier([new(1, true), new(2, true), new(2, true), new(5, true)]);
        curve.Survival(0.5).Should().Be(1);
        curve.Survival(1).Should().BeApproximately(0.75, 1e-15);
        curve.Survival(2).Should().BeApproximately(0.25, 1e-15);
        curve.Survival(9).Should().Be(0);
        curve.TimeAt(0.5).Should().Be(2);
        new KaplanMeier([new(1, true), new(2, false)]).TimeAt(0.2).Should().BeNull("it never falls that far");
    }

    [Fact]
    public void Sequential_test_errs_as_rarely_as_it_says()
    {
        foreach (var (truth, wrong) in ((double, SprtVerdict)[])[(0.01, SprtVerdict.Bad), (0.1, SprtVerdict.Good)])
        {
            var random = new Random(3);
            var errors = 0;
            for (var run = 0; run < 2000; run++)
            {
                var test = new Sprt(0.01, 0.1);
                while (test.Observe(random.NextDouble() >= truth) == SprtVerdict.Continue)
                {
                }

                if (test.Verdict == wrong)
                    errors++;
            }

            errors.Should().BeLessThan(150, "5 % of 2,000 are 100, and five standard errors 49");
        }
    }

    [Fact]
    public void Sequential_verdict_stays_until_reset()
    {
        var test = new Sprt(0.01, 0.5);
        while (test.Observe(false) == SprtVerdict.Continue)
        {
        }

        for (var i = 0; i < 1000; i++)
            test.Observe(true).Should().Be(SprtVerdict.Bad);
        test.Reset();
        test.Verdict.Should().Be(SprtVerdict.Continue);
        test.LogLikelihood.Should().Be(0);
    }

    private static double Probability(int x, int n, double p)
    {
        var choose = 1.0;
        for (var i = 0; i < x; i++)
            choose = choose * (n - i) / (i + 1);
        return choose * Math.Pow(p, x) * Math.Pow(1 - p, n - x);
    }

    private static double Relative(double actual, double expected) => Math.Abs(actual - expected) / Math.Abs(expected);
}
