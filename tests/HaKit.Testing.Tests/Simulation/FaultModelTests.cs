using HaKit.Faults;
using static HaKit.Testing.Tests.SimulationTests;

namespace HaKit.Testing.Tests;

/// <summary>Tests what endpoints of a simulation can do besides working and failing, and what the results say about their faults.</summary>
public sealed class FaultModelTests(ITestOutputHelper output)
{
    [Fact]
    public void A_server_with_a_quota_refuses_what_does_not_fit_and_says_when_it_would()
    {
        using var test = TestPools.Create(1);
        test["a"].Service = ServiceModel.Fixed(Ms(100)).Quota(tokensPerMinute: 6000);
        var large = new RequestProfile { InputTokens = 3000, MaxOutputTokens = 1000 };

        test.Call(large).Attempts.Should().HaveCount(1);
        var second = test.Call(large);

        second.Attempts[0].Fault!.Kind.Should().Be(FaultKind.Throttled);
        second.Attempts[0].Fault!.RetryAfter.Should().Be(S(20), "2,000 tokens are left, and 100 come a second");
        second.Attempts.Should().HaveCount(2);
        test["a"].Refused.Should().Be(1);
        test["a"].EarlySends.Should().Be(0);
    }

    [Fact]
    public void A_quota_of_requests_is_kept_to_over_a_long_time()
    {
        var result = new Simulation().Endpoints(2, ServiceModel.Fixed(Ms(100)).Quota(requestsPerMinute: 60))
            .Run(Workload.Poisson(1.5), S(1200));
        output.WriteLine(result.ToString());
        result.SuccessRate.Should().Be(1);
        result.EarlySends.Should().Be(0);
        result.Endpoints.Should().OnlyContain(e => e.Answered <= 60 + 20 * 60);
    }

    [Fact]
    public void A_cold_endpoint_answers_nobody_until_it_is_awake_and_falls_asleep_after_a_rest()
    {
        using var test = TestPools.Create(1);
        test["a"].Service = ServiceModel.Fixed(S(1)).ColdStart(warming: S(9), after: S(60));
        var first = test.CallAsync();
        var second = test.CallAsync();
        test.Time.Advance(S(9.9));
        first.IsCompleted.Should().BeFalse();
        test.Time.Advance(S(0.2));
        (first.IsCompleted && second.IsCompleted).Should().BeTrue();

        Took(() => test.Call()).Should().Be(S(1));
        test.Time.Advance(S(61));
        Took(() => test.Call()).Should().Be(S(10));

        TimeSpan Took(Action call)
        {
            var began = test.Time.Elapsed;
            call();
            return test.Time.Elapsed - began;
        }
    }

    [Fact]
    public void Endpoints_of_a_region_go_wrong_together_and_it_is_told_how_soon_that_was_got_round()
    {
        var result = new Simulation()
            .Endpoint("eu-1", ServiceModel.Fixed(Ms(200)), e => e.Region = "eu").Endpoint("eu-2", ServiceModel.Fixed(Ms(200)), e => e.Region = "eu")
            .Endpoint("us-1", ServiceModel.Fixed(Ms(200)), e => e.Region = "us")
            .FaultOf(e => e.Region == "eu", FakeFault.Refused, S(60), S(180))
            .Run(Workload.Poisson(20), S(300));
        output.WriteLine(result.ToString());

        result.SuccessRate.Should().Be(1);
        result.Faults.Select(f => f.Endpoint).Should().Equal("eu-1", "eu-2");
        foreach (var fault in result.Faults)
        {
            output.WriteLine($"{fault.Endpoint}: found after {fault.Detected}, got round after {fault.FailedOver}, back after {fault.Recovered}");
            fault.Detected.Should().BeLessThan(S(5));
            fault.FailedOver.Should().BeLessThan(S(2));
            fault.Recovered.Should().BeLessThan(S(120), "its ejections had doubled to at most 80 s");
        }
    }

    [Fact]
    public void What_was_read_and_written_for_nobody_is_counted_and_costs_money()
    {
        var result = new Simulation()
            .Endpoint("slow", ServiceModel.Fixed(S(8)).FirstContentAfter(0.25), e => { e.InputTokenPrice = 2; e.OutputTokenPrice = 10; })
            .Endpoint("quick", ServiceModel.Fixed(S(1)), e => e.Tier = 1)
            .Options(o => { o.AttemptTimeout = new() { Timeout = S(4) }; o.CircuitBreaker.FailuresToEject = 1000; o.CircuitBreaker.MinimumThroughput = 1000; })
            .Run(Workload.Steady(0.1).OfTokens(1000, 600), S(100));
        result.SuccessRate.Should().Be(1);
        // Each first attempt read 1,000 tokens. It wrote for 2 of its 6 s, so it wrote a third of 600 tokens.
        (result["slow"].WastedInputTokens, result["slow"].WastedOutputTokens).Should().Be((10_000, 2_000));
        result.WastedMoney.Should().BeApproximately((10_000 * 2 + 2_000 * 10) / 1e6, 1e-12);
    }
}
