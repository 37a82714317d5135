using HaKit.Limits;
using HaKit.Testing;
using Polly;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>Endpoints come and go while the pool runs: limits of accounts wait for their endpoints, and an endpoint that cannot be added changes nothing.</summary>
public sealed class LaterEndpointTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    [Fact(Timeout = 60_000)]
    public async Task The_limits_of_an_account_may_come_before_its_first_endpoint()
    {
        var options = new EndpointPoolOptions { AllowEmpty = true, Heartbeat = { Enabled = false }, AccountLimits = { ["gpu"] = new LimitOptions { RequestsPerMinute = 2 } } };
        await using var pool = new EndpointPool("later", options, new EndpointPoolParts { TimeProvider = _time });

        pool.AddEndpoint(new EndpointOptions { Name = "a", Account = "gpu" });
        (await ServeAsync(pool) + await ServeAsync(pool)).Should().Be("aa");
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("limit");
    }

    [Fact(Timeout = 60_000)]
    public async Task After_the_last_endpoint_of_an_account_was_removed_another_endpoint_can_be_added_and_the_limits_stay()
    {
        await using var pool = TestPool.Create(_time, 2, o =>
        {
            o.Endpoints[1].Account = "team";
            o.AccountLimits["team"] = new LimitOptions { RequestsPerMinute = 1 };
        });
        pool.RemoveEndpoint("b").Should().BeTrue();

        pool.AddEndpoint(new EndpointOptions { Name = "c" });
        pool.AddEndpoint(new EndpointOptions { Name = "d", Account = "team" });
        pool.RemoveEndpoint("a");
        pool.RemoveEndpoint("c");
        (await ServeAsync(pool)).Should().Be("d");
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("limit");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_endpoint_whose_strategies_cannot_be_made_is_not_added_and_may_be_added_again()
    {
        var fails = true;
        await using var pool = TestPool.Create(_time, 1, parts: p => p.ConfigureEndpointPipeline = (builder, endpoint) =>
        {
            if (fails && endpoint.Name == "b")
                throw new FormatException("no strategy");
            builder.AddTimeout(TimeSpan.FromSeconds(50));
        });
        pool.Invoking(p => p.AddEndpoint(new EndpointOptions { Name = "b" })).Should().Throw<FormatException>();
        pool.Endpoints.Select(e => e.Name).Should().Equal("a");

        fails = false;
        pool.AddEndpoint(new EndpointOptions { Name = "b" });
        pool.Endpoints.Select(e => e.Name).Should().Equal("a", "b");
    }

    private static ValueTask<string> ServeAsync(EndpointPool pool) => pool.ExecuteAsync(0, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct);
}
