namespace HaKit.Availability.Tests;

public sealed class PlannerTests
{
    private static readonly PoolDesign Pair = new()
    {
        Endpoints = [new("openai", AvailabilityRatio.Parse("97%")), new("anthropic", AvailabilityRatio.Parse("98.4%"))],
        Beta = 0.1,
    };

    [Fact]
    public void What_is_lost_is_split_into_terms_that_make_up_the_whole()
    {
        var forecast = Pair.Evaluate();
        forecast.Losses.Should().HaveCount(4).And.BeInDescendingOrder(l => l.Unavailability);
        forecast.Losses[0].Cause.Should().Be(PoolLossCause.CommonCause);
        forecast.Losses[0].Unavailability.Should().BeApproximately(0.1 * 0.016, 1e-15);
        forecast.Availability.Should().Be(AvailabilityRatio.Series([.. Enum.GetValues<PoolLossCause>().Select(c => forecast.Losses.Single(l => l.Cause == c).Without)]));
        // Half the calls, 0.03/h and 0.016/h of outages, 20 s each.
        forecast.Losses.Single(l => l.Cause == PoolLossCause.Detection).Unavailability.Should().BeApproximately(0.5 * 0.046 * 20 / 3600, 1e-15);
    }

    [Fact]
    public void A_lone_endpoint_loses_its_own_outages_and_nothing_twice()
    {
        var forecast = new PoolDesign { Endpoints = [new("a", AvailabilityRatio.From(0.99m))], Coverage = 0.5 }.Evaluate();
        forecast.Availability.Unavailability.Should().BeApproximately(0.01, 1e-15);
    }

    [Fact]
    public void Rescued_calls_are_not_lost_to_detection()
    {
        Loss(Pair with { Rescued = 1 }).Should().Be(0);
        Loss(Pair with { Rescued = 0.75 }).Should().BeApproximately(Loss(Pair) / 4, 1e-15);
        Loss(Pair with { Detection = TimeSpan.FromDays(9) }).Should().BeApproximately(Loss(Pair with { Detection = TimeSpan.FromHours(1) }), 1e-15, "an outage is over before that");

        static double Loss(PoolDesign design) => design.Evaluate().Losses.Single(l => l.Cause == PoolLossCause.Detection).Unavailability;
    }

    [Fact]
    public void The_slowest_detection_meets_the_target_and_a_slower_one_does_not()
    {
        var design = Pair with { Beta = 0 };
        var target = AvailabilityRatio.From(0.999m);
        var answer = Planner.DetectionFor(design, target);
        answer.IsReachable.Should().BeTrue();
        (design with { Detection = answer.Value!.Value }).Evaluate().Availability.Meets(target).Should().BeTrue();
        (design with { Detection = answer.Value!.Value * 1.0001 }).Evaluate().Availability.Meets(target).Should().BeFalse();
    }

    [Fact]
    public void A_target_below_the_common_cause_is_unreachable_and_the_limit_is_told()
    {
        var answer = Planner.DetectionFor(Pair, AvailabilityRatio.From(0.9999m));
        answer.IsReachable.Should().BeFalse();
        answer.Reached.Should().Be((Pair with { Detection = TimeSpan.Zero }).Evaluate().Availability);
        Planner.BetaFor(Pair, AvailabilityRatio.From(0.9999m)).IsReachable.Should().BeFalse("two such endpoints are down together by chance too often");
    }

    [Fact]
    public void The_largest_beta_meets_the_target_and_a_larger_one_does_not()
    {
        var target = AvailabilityRatio.From(0.999m);
        var answer = Planner.BetaFor(Pair, target);
        (Pair with { Beta = answer.Value!.Value }).Evaluate().Availability.Meets(target).Should().BeTrue();
        (Pair with { Beta = answer.Value!.Value * 1.0001 }).Evaluate().Availability.Meets(target).Should().BeFalse();
        Planner.BetaFor(Pair, AvailabilityRatio.From(0.5m)).Value.Should().Be(1);
    }

    [Fact]
    public void Changes_are_ranked_by_gain_and_by_gain_for_their_cost()
    {
        PlanChange[] changes =
        [
            new("third endpoint", 100, d => d with { Endpoints = [.. d.Endpoints, new("gemini", AvailabilityRatio.Parse("98%"))] }),
            new("own account each", 5, d => d with { Beta = 0.01 }),
            new("nothing", 1, d => d),
            new("free and worse", 0, d => d with { Detection = TimeSpan.FromMinutes(2) }),
        ];
        Planner.WhatIf(Pair, changes).Select(o => o.Changes[0].Name).Should().Equal("own account each", "third endpoint", "nothing", "free and worse");
        var byCost = Planner.WhatIfByCost(Pair, changes);
        byCost.Select(o => o.Changes[0].Name).Should().Equal("own account each", "third endpoint", "nothing", "free and worse");
        byCost[^1].Gain.Should().BeNegative();
    }

    [Fact]
    public void The_cheapest_set_is_found_even_when_no_single_change_is_enough()
    {
        var target = AvailabilityRatio.Parse("99.99%");
        PlanChange[] changes =
        [
            new("third endpoint", 100, d => d with { Endpoints = [.. d.Endpoints, new("gemini", AvailabilityRatio.Parse("98%"))] }),
            new("dearer third endpoint", 200, d => d with { Endpoints = [.. d.Endpoints, new("mistral", AvailabilityRatio.Parse("98%"))] }),
            new("own account each", 5, d => d with { Beta = 0.001 }),
            new("calls are rescued", 1, d => d with { Rescued = 0.9 }),
        ];
        var plan = Planner.Cheapest(Pair, target, changes);
        plan.Way!.Changes.Select(c => c.Name).Should().Equal("third endpoint", "own account each", "calls are rescued");
        plan.Way.Cost.Should().Be(106);
        plan.Way.Availability.Meets(target).Should().BeTrue();
        plan.Limit.Should().BeGreaterThan(plan.Way.Availability);
        Planner.Cheapest(Pair, AvailabilityRatio.Parse("99.99999%"), changes).Way.Should().BeNull();
        Planner.Cheapest(Pair, AvailabilityRatio.Parse("50%"), changes).Way!.Changes.Should().BeEmpty("it already meets that");
    }

    [Fact]
    public void Of_sets_that_cost_the_same_the_one_that_gains_most_is_taken()
    {
        PlanChange[] changes =
        [
            new("little", 5, d => d with { Beta = 0.05 }),
            new("much", 5, d => d with { Beta = 0.0001 }),
            new("less", 5, d => d with { Beta = 0.01 }),
        ];
        var reached = Planner.WhatIf(Pair, changes);
        reached.Select(o => o.Changes[0].Name).Should().Equal("much", "less", "little");
        var plan = Planner.Cheapest(Pair, reached[2].Availability, changes);
        plan.Way!.Changes.Should().ContainSingle().Which.Name.Should().Be("much");
        plan.Way.Cost.Should().Be(5);
        Planner.Cheapest(Pair, reached[2].Availability, [.. Enumerable.Range(0, 16).Select(i => new PlanChange($"{i}", 1, d => d))]).Should().NotBeNull("sixteen can be tried");
    }

    [Fact]
    public void A_design_that_balances_loses_each_endpoints_share_and_one_by_priority_that_of_the_first()
    {
        var hour = TimeSpan.FromHours(1);
        var design = new PoolDesign
        {
            Endpoints = [new("a", AvailabilityRatio.From(0.99m)) { Mttr = hour }, new("b", AvailabilityRatio.From(0.9m)) { Mttr = hour }],
            Detection = hour / 10,
        };
        Lost(design, PoolLossCause.Detection).Should().BeApproximately(0.5 * 0.01 * 0.1 + 0.5 * 0.1 * 0.1, 1e-15);
        Lost(design with { Routing = PoolRouting.Priority }, PoolLossCause.Detection).Should().BeApproximately(0.01 * 0.1 + 0.01 * 0.1 * 0.1, 1e-15);
        Lost(design with { Rescued = 0.75 }, PoolLossCause.Detection).Should().BeApproximately(0.25 * 0.0055, 1e-15);
        Lost(design with { Detection = 2 * hour }, PoolLossCause.Detection).Should().BeApproximately(0.055, 1e-15, "an outage costs no more than itself");
        Lost(design with { Coverage = 0.75 }, PoolLossCause.Detection).Should().BeApproximately(0.75 * 0.0055, 1e-15);
        Lost(design with { Coverage = 0.75, UncoveredRecovery = 2 * hour }, PoolLossCause.UnnoticedFailures).Should().BeApproximately(0.25 * 2 * 0.055, 1e-15);
        Lost(design, PoolLossCause.UnnoticedFailures).Should().Be(0);
        Lost(design, PoolLossCause.CommonCause).Should().Be(0);
        Lost(design, PoolLossCause.IndependentFailures).Should().BeApproximately(0.001, 1e-15);
        Lost(design with { Required = 2 }, PoolLossCause.IndependentFailures).Should().BeApproximately(1 - 0.99 * 0.9, 1e-15);
        Lost(design with { Beta = 0.5 }, PoolLossCause.CommonCause).Should().BeApproximately(0.005, 1e-15, "half of the best endpoint's");
        design.Evaluate().Losses.Select(l => l.Unavailability).Should().BeInDescendingOrder();

        static double Lost(PoolDesign design, PoolLossCause cause) => design.Evaluate().Losses.Single(l => l.Cause == cause).Unavailability;
    }

    [Fact]
    public void More_changes_than_can_be_tried_are_refused() =>
        FluentActions.Invoking(() => Planner.Cheapest(Pair, AvailabilityRatio.From(0.9m), [.. Enumerable.Range(0, 17).Select(i => new PlanChange($"{i}", 1, d => d))]))
            .Should().Throw<ArgumentException>();

    [Fact]
    public void Pool_losses_agree_with_a_simulated_pool()
    {
        // Two balanced endpoints go up and down exponentially, and each outage is noticed after a fixed time. The lost calls are measured by time.
        var random = new Random(23);
        const double mttf = 40, mttr = 1, detection = 0.1;
        const double end = 2_000_000;
        double lost = 0, now = 0;
        double[] next = [Exponential(mttf), Exponential(mttf)];
        bool[] up = [true, true];
        double[] since = [0, 0];
        while (now < end)
        {
            var i = next[0] < next[1] ? 0 : 1;
            var span = next[i] - now;
            if (!up[0] && !up[1])
            {
                lost += span;
            }
            else if (up[0] != up[1])
            {
                // Half of the calls go to the endpoint that is down, until the outage is noticed.
                var down = up[0] ? 1 : 0;
                lost += 0.5 * Math.Clamp(since[down] + detection - now, 0, span);
            }

            now = next[i];
            up[i] = !up[i];
            since[i] = now;
            next[i] = now + Exponential(up[i] ? mttf : mttr);
        }

        var unit = AvailabilityRatio.FromMttfMttr(mttf, mttr);
        var hour = TimeSpan.FromHours(1);
        var forecast = new PoolDesign
        {
            Endpoints = [new("a", unit) { Mttr = hour }, new("b", unit) { Mttr = hour }],
            Detection = detection * hour,
        }.Evaluate();
        forecast.Availability.Unavailability.Should().BeApproximately(lost / end, 0.06 * lost / end);

        double Exponential(double mean) => -Math.Log(1 - random.NextDouble()) * mean;
    }
}
