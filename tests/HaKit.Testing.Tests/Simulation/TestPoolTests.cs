using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Testing.Tests;

public sealed class TestPoolTests
{
    [Fact]
    public void A_standby_serves_while_the_quota_of_the_first_is_used_up()
    {
        using var test = TestPools.Create(2, options => options.Endpoints[1].Tier = 1);
        test["a"].Faults.Always(FakeFaults.OpenAI.QuotaExhausted());

        test.Call().Endpoint.Should().Be("b");
        test.Time.Advance(TimeSpan.FromHours(2));
        test["a"].Attempts.Should().Be(1, "a used-up quota is not asked again");

        test["a"].Faults.Clear();
        test.Time.Run(() => test.Pool.BringUpAsync("a").AsTask());
        test.Time.Advance(TimeSpan.FromMinutes(1));
        test.Call().Endpoint.Should().Be("a");
    }

    [Fact]
    public void A_retry_after_is_read_from_the_header_and_waited_for()
    {
        using var test = TestPools.Create(1);
        test["a"].Faults.Next(1, FakeFault.Status(429).WithHeader("Retry-After", "7"));

        var detail = test.Call();

        detail.Attempts.Should().HaveCount(2);
        detail.Attempts[0].Fault!.RetryAfter.Should().Be(TimeSpan.FromSeconds(7));
        detail.Waited.Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(7));
        test["a"].EarlySends.Should().Be(0);
    }

    [Fact]
    public void Connections_that_are_refused_three_times_eject_and_the_event_says_why()
    {
        using var test = TestPools.Create(2, options => options.Selection.Preset = HaKit.Selection.SelectionPreset.RoundRobin);
        test["a"].Faults.Always(FakeFault.Refused);

        for (var i = 0; i < 20; i++)
            test.Call().Endpoint.Should().Be("b");

        test["a"].Attempts.Should().BeLessThanOrEqualTo(4);
        test.Events.GetEvents<EndpointEjected>()[0].Fault!.Kind.Should().Be(FaultKind.ConnectFailed);
    }

    [Fact]
    public void Probes_find_what_the_script_says_and_bring_the_endpoint_back()
    {
        using var test = TestPools.Create(2, options => options.Heartbeat.Enabled = true);
        var fault = test["a"].Faults.Always(FakeFault.Status(500), static _ => true);
        test.Time.Advance(TimeSpan.FromMinutes(1));
        test.Events.GetEvents<EndpointEjected>().Should().Contain(e => e.Endpoint == "a" && e.Source == ChangeSource.Heartbeat);

        fault.Dispose();
        test.Time.Advance(TimeSpan.FromMinutes(1));
        test.Events.GetEvents<EndpointRecovered>().Should().Contain(e => e.Endpoint == "a");
        test["a"].Attempts.Should().Be(0, "no call was needed");
    }

    [Fact]
    public void An_answer_that_is_cut_is_not_asked_for_again()
    {
        using var test = TestPools.Create(2);
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.Always(FakeFault.CutAfter(3));

        test.Invoking(t => t.Call()).Should().Throw<HttpRequestException>();

        test.Endpoints.Sum(e => e.Attempts).Should().Be(1);
    }

    [Fact]
    public void A_name_without_an_endpoint_is_refused_with_those_there_are()
    {
        using var test = TestPools.Create(2);
        test.Invoking(t => t["c"]).Should().Throw<ArgumentException>().WithMessage("*'c'*a, b*");
    }
}
