using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>An exception that HaKit does not know may be a mistake in the application's code, which waiting does not repair.</summary>
public sealed class UnknownExceptionTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();
    private int _attempts;
    private int _failing = int.MaxValue;

    [Theory(Timeout = 60_000)]
    [InlineData(1, null, 6)]
    [InlineData(2, null, 6)]
    [InlineData(3, null, 6)]
    [InlineData(10, null, 10)]
    [InlineData(1, 2, 3)]
    [InlineData(1, 0, 1)]
    [InlineData(1, 9, 10)]
    public async Task Is_retried_a_few_times_and_ends_the_call_long_before_its_deadline(int endpoints, int? retries, int attempts)
    {
        await using var pool = TestPool.Create(_time, endpoints, o => o.Retry.MaxRetryAttempts = retries);
        for (var call = 0; call < 5; call++)
        {
            (_attempts, var began) = (0, _time.Elapsed);
            var failure = Record.Exception(() => Ask(pool));
            failure.Should().BeAssignableTo<EndpointPoolException>().Which.InnerException.Should().BeOfType<InvalidOperationException>();
            _attempts.Should().BeInRange(1, attempts + endpoints - 1, "an endpoint that comes back while the call runs gets its first attempt");
            (_time.Elapsed - began).TotalSeconds.Should().BeLessThan(60);
            if (call == 0)
                _attempts.Should().Be(attempts);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Is_retried_until_it_no_longer_occurs()
    {
        await using var pool = TestPool.Create(_time, 1);
        _failing = 4;
        Ask(pool).Should().Be(1);
        _attempts.Should().Be(5);
    }

    [Fact(Timeout = 60_000)]
    public async Task Does_not_end_a_call_that_waits_for_another_endpoint()
    {
        await using var pool = TestPool.Create(_time, 2);
        var began = _time.Elapsed;
        var served = _time.Run(() => pool.ExecuteAsync(RequestProfile.Default, this, static (attempt, test, _) =>
        {
            if (attempt.Endpoint.Name == "a")
                throw new InvalidOperationException("a mistake");
            if (test._time.Elapsed < TimeSpan.FromSeconds(40))
                attempt.ReportFault(new Fault(FaultKind.Overloaded));
            return new ValueTask<string>(attempt.Endpoint.Name);
        }, Ct).AsTask());
        served.Should().Be("b");
        (_time.Elapsed - began).TotalSeconds.Should().BeInRange(40, 50);
    }

    private int Ask(EndpointPool pool) => _time.Run(() => pool.ExecuteAsync(RequestProfile.Default, this, static (_, test, _) =>
        test._attempts++ < test._failing ? throw new InvalidOperationException("a mistake") : new ValueTask<int>(1), Ct).AsTask());
}
