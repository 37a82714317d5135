using HaKit.Faults;

namespace HaKit.Tests.Situations;

/// <summary>Changes of the configuration in the middle of an outage help the calls that wait.</summary>
public sealed class ReloadTests
{
    [Fact(Timeout = 60_000)]
    public Task An_endpoint_that_is_added_in_an_outage_serves_the_waiting_calls_at_once()
    {
        using var bench = new TrafficBench("a b");
        bench.Let(() => bench.Refuse(FaultKind.Overloaded, retryAfter: 60));
        bench.Let(() => bench.Answer(0.1), "c");
        var call = bench.Begin();
        bench.Advance(10);
        bench.Options.Endpoints.Add(new EndpointOptions { Name = "c", Address = "https://c.test/v1" });
        bench.Pool.Update(bench.Options);
        bench.Advance(2);

        call.Endpoint.Should().Be("c");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_corrected_address_serves_the_waiting_calls_although_the_old_one_was_ejected()
    {
        using var bench = new TrafficBench("a");
        var isFixed = false;
        bench.Let(() => isFixed ? bench.Answer(0.1) : bench.Refuse(FaultKind.ConnectFailed));
        bench.Traffic(40, 0.5, profile: new RequestProfile { Deadline = TimeSpan.FromSeconds(1) });
        var call = bench.Begin();
        bench.Advance(20);
        isFixed = true;
        bench.Options.Endpoints[0].Address = "https://other.test/v1";
        bench.Pool.Update(bench.Options);
        bench.Advance(3);

        call.IsServed.Should().BeTrue();
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_shorter_longest_wait_applies_to_calls_that_wait_already()
    {
        using var bench = new TrafficBench("a");
        bench.Let(() => bench.Refuse(FaultKind.Overloaded));
        var call = bench.Begin();
        bench.Advance(10);
        bench.Options.MaxWait = TimeSpan.FromSeconds(12);
        bench.Pool.Update(bench.Options);
        bench.Advance(10);

        call.Took.Should().BeInRange(12, 14);
        call.Error.Should().BeOfType<NoEndpointAvailableException>();
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_credential_of_another_account_ends_the_cooldown_of_an_exhausted_quota()
    {
        using var bench = new TrafficBench("a b");
        bench.Let(() => bench.Refuse(FaultKind.QuotaExhausted, status: 402));
        bench.Traffic(280, 1 / 70.0, profile: new RequestProfile { Deadline = TimeSpan.FromSeconds(5) });
        bench.Let(() => bench.Answer(0.1));
        foreach (var endpoint in bench.Options.Endpoints)
            endpoint.Credential = "key-of-another-account";
        bench.Pool.Update(bench.Options);
        var call = bench.Begin();
        bench.Advance(1);

        call.IsServed.Should().BeTrue("the new key may belong to an account with a quota");
        return Task.CompletedTask;
    }
}
