using System.Net;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Testing;
using HaKit.Tests.Http;

namespace HaKit.Tests.Health;

/// <summary>Every rule that can take an endpoint out has a switch that reloads.</summary>
public sealed class RuleModeTests
{
    private const int Calls = 30;

    public static TheoryData<string> Rules => ["FailuresRule", "ConnectFailuresRule", "FailureRatioRule", "RefusalsRule", "KeyRule", "QuotaRule"];

    [Fact]
    public void Every_rule_is_tried_here_or_with_heartbeats() =>
        typeof(HealthOptions).GetProperties().Where(p => p.PropertyType == typeof(RuleMode)).Select(p => p.Name).Should().BeEquivalentTo([.. Rules.Select(r => r.Data), "HeartbeatsRule"]);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Rules))]
    public async Task A_rule_that_is_enforced_takes_the_endpoint_out_and_one_that_reports_or_is_off_does_not(string rule)
    {
        (await AskAsync(rule, RuleMode.Enforce)).Should().Be((true, false));
        (await AskAsync(rule, RuleMode.Report)).Should().Be((false, true));
        (await AskAsync(rule, RuleMode.Off)).Should().Be((false, false));
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Rules))]
    public async Task A_switch_reloads(string rule)
    {
        await using var http = Start(rule, RuleMode.Off, new Lines());
        await CallAsync(http);
        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();

        var options = http.Pool.Options;
        Set(options.CircuitBreaker, rule, RuleMode.Enforce);
        http.Pool.Update(options);
        await CallAsync(http);

        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().NotBeNull();
    }

    [Theory]
    [InlineData(RuleMode.Enforce, true)]
    [InlineData(RuleMode.Report, false)]
    [InlineData(RuleMode.Off, false)]
    public void Missed_heartbeats_have_a_switch_too(RuleMode mode, bool isOut)
    {
        var bench = new HealthBench(new HealthOptions { HeartbeatsRule = mode });
        var endpoint = bench.Add("a");
        bench.Add("b");
        for (var i = 0; i < 5; i++)
        {
            endpoint.Probe(ProbeLevel.Generating, new Fault(FaultKind.ServerError), bench.Now);
        }
        (endpoint.State.Status == EndpointHealthStatus.Ejected).Should().Be(isOut);
        bench.Changes.Exists(c => c.IsReport).Should().Be(mode == RuleMode.Report);
    }

    private static async Task<(bool IsOut, bool IsTold)> AskAsync(string rule, RuleMode mode)
    {
        var lines = new Lines();
        await using var http = Start(rule, mode, lines);
        await CallAsync(http);
        return (http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy is not null, lines.All.Exists(IsReport));
    }

    private static async Task CallAsync(HttpPool http)
    {
        for (var i = 0; i < Calls; i++)
        {
            using var response = await http.SendAsync(HttpPool.Chat("hi"));
            response.StatusCode.Should().Be(HttpStatusCode.OK);
        }
    }

    // The first of two endpoints is preferred. It has the failures that the tested rule is about, and no failures for other rules.
    [Fact(Timeout = 60_000)]
    public async Task The_switch_of_heartbeats_reloads()
    {
        var time = new ManualTimeProvider();
        var options = new EndpointPoolOptions { Seed = 1, CircuitBreaker = { HeartbeatsRule = RuleMode.Off } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://a.example/v1" });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = "http://b.example/v1" });
        await using var pool = new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = time, Probe = _ => new HaKit.Heartbeats.DelegateProbe((e, _) => new ValueTask<bool>(e.Name != "a")) });
        time.Advance(TimeSpan.FromMinutes(2));
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();

        Reload(RuleMode.Report);
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();
        Reload(RuleMode.Enforce);
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("health");

        void Reload(RuleMode mode)
        {
            var changed = pool.Options;
            changed.CircuitBreaker.HeartbeatsRule = mode;
            pool.Update(changed);
            time.Advance(TimeSpan.FromMinutes(2));
        }
    }

    private static HttpPool Start(string rule, RuleMode mode, Lines lines)
    {
        var http = new HttpPool(
            2,
            o =>
            {
                o.Endpoints[1].Tier = 1;
                foreach (var other in Rules.Select(r => r.Data))
                {
                    Set(o.CircuitBreaker, other, RuleMode.Off);
                }
                Set(o.CircuitBreaker, rule, mode);
            },
            p => p.LoggerFactory = lines);
        http.Fakes[0].Faults.Always(rule switch
        {
            "ConnectFailuresRule" => FakeFault.Refused,
            "RefusalsRule" => FakeFault.Status(404, "<html>nginx</html>", "text/html"),
            "KeyRule" => FakeFaults.OpenAI.BadKey(),
            "QuotaRule" => FakeFaults.OpenAI.QuotaExhausted(),
            _ => FakeFault.Status(500),
        });
        return http;
    }

    private static void Set(HealthOptions options, string rule, RuleMode mode) => typeof(HealthOptions).GetProperty(rule)!.SetValue(options, mode);

    private static bool IsReport(string line) => line.Contains("the CircuitBreaker rule for this failure is set to Report", StringComparison.Ordinal);
}
