using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Tests.Failover;

/// <summary>Tests backoffs as long as the settings allow.</summary>
public sealed class BackoffTests : StreamBench
{
    [Theory(Timeout = 60_000)]
    [InlineData(0.25)]
    [InlineData(1)]
    [InlineData(87_600)]
    public async Task A_backoff_is_no_longer_than_its_setting_after_any_number_of_failures(double hours)
    {
        var most = TimeSpan.FromHours(hours);
        await using var pool = Pool(1, o =>
        {
            o.Retry.Delay = o.Retry.MaxDelay = most;
            o.OnFault = static (_, _) => FaultAction.Wait;
        });
        var call = pool.Engine.BeginCall(RequestProfile.Default with { Deadline = TimeSpan.MaxValue }, isStream: false, TimeSpan.Zero, Ct);
        for (var failure = 0; failure < 40; failure++)
        {
            call.BackoffUntil = null;
            pool.Engine.ActionFor(call, new Fault(FaultKind.ServerError)).Should().Be(FaultAction.Wait);
            call.HoldUntil.Should().BeGreaterThanOrEqualTo(TimeSpan.Zero).And.BeLessThanOrEqualTo(most);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_lone_call_with_backoffs_of_an_hour_is_served_when_its_endpoint_is_back()
    {
        await using var pool = Pool(1, static o => o.Retry.Delay = o.Retry.MaxDelay = TimeSpan.FromHours(1));
        var answer = Time.RunUntil(pool.ExecuteAsync(RequestProfile.Default, this, static (attempt, test, _) => test.Time.Elapsed < TimeSpan.FromSeconds(60)
            ? ValueTask.FromException<string>(new HttpRequestException(HttpRequestError.ConnectionError))
            : new(attempt.Endpoint.Name), Ct));
        answer.Should().Be("a");
        Time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(70));
    }
}
