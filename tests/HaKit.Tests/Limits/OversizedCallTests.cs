using HaKit.Limits;
using HaKit.Testing;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Limits;

/// <summary>Tests calls that are larger than a limit of a whole minute. Waiting cannot help them.</summary>
public sealed class OversizedCallTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    private Task<int> Call(EndpointPool pool, int tokens) => pool.ExecuteAsync(
        new RequestProfile { InputTokens = tokens },
        _time,
        static async (_, time, token) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(5), time, token);
            return 0;
        },
        Ct).AsTask();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    public async Task A_call_that_never_fits_ends_at_once_although_the_end_of_another_call_will_free_capacity(bool isOfAccount, int othersInFlight)
    {
        await using var pool = TestPool.Create(_time, 1, o =>
        {
            var limits = new LimitOptions { TokensPerMinute = 1000, MaxConcurrency = 5 };
            if (isOfAccount)
                (o.Endpoints[0].Account, o.AccountLimits["team"]) = ("team", limits);
            else
                o.Endpoints[0].Limits = limits;
        });
        var others = Enumerable.Range(0, othersInFlight).Select(_ => Call(pool, 10)).ToArray();
        var call = Call(pool, 5000);
        call.IsCompleted.Should().BeTrue("no end of another call helps it");
        var refused = (await call.Awaiting(static t => t).Should().ThrowAsync<NoEndpointAvailableException>()).Which;
        refused.RetryAfter.Should().BeNull("the call never fits");
        _time.Advance(TimeSpan.FromSeconds(5));
        await Task.WhenAll(others);
    }

    [Fact]
    public async Task A_call_that_fits_waits_for_the_end_of_another_call()
    {
        await using var pool = TestPool.Create(_time, 1, o => o.Endpoints[0].Limits = new LimitOptions { TokensPerMinute = 1000, MaxConcurrency = 1 });
        var other = Call(pool, 10);
        var call = Call(pool, 900);
        _time.Advance(TimeSpan.FromSeconds(5));
        await other;
        call.IsCompleted.Should().BeFalse();
        _time.Advance(TimeSpan.FromSeconds(5));
        await call;
    }
}
