using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests calls whose deadline is shorter than the usual answer of an endpoint, while another endpoint is fast enough.</summary>
public sealed class ShortDeadlineTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static HaKit.Testing.TestPool Learned(double a, double b, Action<EndpointPoolOptions>? configure = null)
    {
        var test = TestPools.Create(2, o =>
        {
            o.Endpoints[1].Tier = 1;
            configure?.Invoke(o);
        });
        (test["a"].Service, test["b"].Service) = (ServiceModel.Fixed(S(a)), ServiceModel.Fixed(S(b)));
        foreach (var name in new[] { "a", "b" })
        {
            for (var i = 0; i < 25; i++)
                test.Call(new RequestProfile { Endpoints = [name] });
        }

        return test;
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_call_leaves_an_endpoint_that_answers_after_the_deadline_for_an_endpoint_that_answers_before_it(double deadline)
    {
        using var test = Learned(5, 0.1);
        var began = test.Time.Elapsed;
        var detail = test.Call(new RequestProfile { Deadline = S(deadline) });
        detail.Endpoint.Should().Be("b");
        (test.Time.Elapsed - began).Should().BeCloseTo(S(deadline / 2 + 0.1), S(0.01));
        test.Pool.GetStatus().Endpoints[0].Health.Status.Should().Be(EndpointHealthStatus.Healthy, "the endpoint is not to blame for a short deadline");
    }

    [Theory]
    [InlineData(8, 0.1, null)] // the endpoint can answer in time
    [InlineData(2, 5.0, null)] // the other endpoint is as slow
    [InlineData(2, 0.1, 0.0)] // the chance of an answer does not matter
    public void Otherwise_the_attempt_gets_the_usual_time_of_its_endpoint(double deadline, double other, double? chance)
    {
        using var test = Learned(5, other, o => o.Retry.MinimumChance = chance ?? o.Retry.MinimumChance);
        var attempts = test["b"].Attempts;
        var began = test.Time.Elapsed;
        var call = test.CallAsync(new RequestProfile { Deadline = S(deadline) });
        test.Time.Advance(S(deadline));
        call.IsCompletedSuccessfully.Should().Be(deadline > 5);
        (test.Time.Elapsed - began).Should().Be(S(deadline));
        test["b"].Attempts.Should().Be(attempts);
    }
}
