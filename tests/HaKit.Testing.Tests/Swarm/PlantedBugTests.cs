using System.Net;
using HaKit.Faults;
using Polly;
using Polly.Retry;

namespace HaKit.Testing.Tests.Swarm;

/// <summary>A swarm that finds nothing proves nothing. So bugs are planted in the policy, and the swarm must find them.</summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    private const int Seeds = 2000;

    [Fact]
    public void A_ramp_that_is_off_is_found() =>
        Find("just come back", @case => @case with { Plant = o => o.CircuitBreaker.SlowStartDuration = TimeSpan.Zero });

    [Fact]
    public void Retries_inside_an_attempt_are_found() =>
        Find("in an outage of all", @case => @case with
        {
            PlantedParts = parts => parts.ConfigureEndpointPipeline = static (pipeline, _) => pipeline.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = 1,
                Delay = TimeSpan.Zero,
                ShouldHandle = static args => ValueTask.FromResult(args.Outcome.Exception is not null || args.Outcome.Result is false),
            }),
        });

    [Fact]
    public void An_outage_that_is_asked_every_ten_seconds_is_found() =>
        Find("was decided late", @case => @case with { Plant = o => o.RetryBudget.Cap = 0 });

    [Fact]
    public void Endpoints_that_do_not_know_what_they_share_are_found() =>
        Find("was to be left alone", @case => @case with
        {
            Plant = o =>
            {
                foreach (var endpoint in o.Endpoints)
                    (endpoint.Account, endpoint.KeyName) = (null, null);
            },
        });

    [Fact]
    public void Neutral_outcomes_that_are_counted_as_failures_are_found() =>
        Find("had always been well", @case => @case with { PlantedParts = parts => parts.Classifiers.Add(new BlamesTheEndpoint()) });

    [Fact]
    public void A_first_content_timeout_that_is_off_is_found() =>
        Find("for the first content", @case => @case with
        {
            Plant = o => (o.FirstContent.Learned, o.FirstContent.Timeout) = (false, TimeSpan.FromHours(1)),
        });

    private void Find(string violation, Func<SwarmCase, SwarmCase> plant)
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            if (SwarmRun.Of(plant(SwarmCase.Of(seed))).Violations.Find(v => v.Contains(violation, StringComparison.Ordinal)) is { } found)
            {
                output.WriteLine($"seed {seed}: {found}");
                return;
            }
        }

        Assert.Fail($"Not found within {Seeds} seeds.");
    }

    /// <summary>Treats the fault of a request as a fault of the endpoint.</summary>
    private sealed class BlamesTheEndpoint : IFaultClassifier
    {
        public Fault? Classify(in FaultEvidence evidence) =>
            evidence.Exception is HttpRequestException { StatusCode: HttpStatusCode.BadRequest } ? new Fault(FaultKind.ServerError) : null;
    }
}
