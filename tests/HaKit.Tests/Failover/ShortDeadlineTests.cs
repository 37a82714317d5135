using HaKit.Health;
using HaKit.Selection;
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
    [InlineData(false, true, false, 20)]
    [InlineData(false, true, true, 20)]
    [InlineData(true, false, false, 20)]
    [InlineData(true, false, false, 200)]
    [InlineData(false, true, true, 200)]
    public void After_a_failure_a_call_passes_over_an_endpoint_that_would_answer_after_the_deadline(bool isListed, bool hasTiers, bool isStrict, double perSecond)
    {
        using var test = TestPools.Create(3, o =>
        {
            if (isListed)
                o.Selection.Preset = SelectionPreset.Priority;
            o.Selection.StrictTiers = isStrict;
            if (hasTiers)
                (o.Endpoints[1].Tier, o.Endpoints[2].Tier) = (1, 2);
        });
        test["b"].Service = ServiceModel.Fixed(S(5));
        foreach (var name in new[] { "a", "b", "c" })
        {
            for (var i = 0; i < 25; i++)
                test.Call(new RequestProfile { Endpoints = [name] });
        }

        test["a"].Faults.WithProbability(0.3, FakeFault.Status(503));
        var calls = new List<Task<CallDetail>>();
        for (var i = 0; i < 300; i++)
        {
            calls.Add(test.CallAsync(new RequestProfile { Deadline = S(2) }));
            test.Time.Advance(S(1 / perSecond));
        }

        test.Time.Advance(S(3));
        // A first attempt may go to the slow endpoint while the first endpoint is ejected. These calls are served too, by the endpoint that is fast enough.
        calls.Should().OnlyContain(c => c.IsCompletedSuccessfully);
        var moved = calls.Select(c => c.Result).Where(d => d.Attempts is [{ Endpoint: "a" }, _]).ToArray();
        moved.Should().NotBeEmpty();
        moved.Should().OnlyContain(d => d.Endpoint == "c" && d.Waited == TimeSpan.Zero);
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
