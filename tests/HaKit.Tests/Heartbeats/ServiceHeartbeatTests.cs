using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;

namespace HaKit.Tests.Heartbeats;

/// <summary>Tests heartbeats of services that report their own health.</summary>
public sealed class ServiceHeartbeatTests
{
    private const string Ready = """{"schema":"hakit.heartbeat/1","status":"ready","running":3,"waiting":2,"capacity":8,"more":{"a":[1]}}""";

    private static async Task<(ProbeResult Result, HttpProbe Probe)> AskAsync(string body, HttpStatusCode status = HttpStatusCode.OK, int? retryAfter = null)
    {
        await using var pool = new EndpointPool("p", new EndpointPoolOptions { Endpoints = [new EndpointOptions { Name = "a", Address = "http://a.test" }], Heartbeat = { Enabled = false } });
        using var http = new HttpMessageInvoker(new Answering(() =>
        {
            var response = new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            if (retryAfter is { } seconds)
                response.Headers.RetryAfter = new(TimeSpan.FromSeconds(seconds));
            return response;
        }));
        var probe = new HttpProbe("/heartbeat");
        var context = new ProbeContext { Endpoint = pool.Endpoints[0], Http = http, Classifier = FaultClassifier.Default, Time = TimeProvider.System };
        return (await probe.ProbeAsync(context, TestContext.Current.CancellationToken), probe);
    }

    [Fact]
    public async Task A_ready_service_reports_its_load_and_is_asked_at_every_beat_from_then_on()
    {
        var (result, probe) = await AskAsync(Ready);
        result.Fault.Should().BeNull();
        result.Load.Should().BeEquivalentTo(new { Running = 3, Waiting = 2, Capacity = 8 });
        probe.Pace.Should().Be(ProbePace.Always);
    }

    [Fact]
    public async Task A_draining_service_is_left_alone_for_as_long_as_it_asks_and_has_not_failed()
    {
        var (result, _) = await AskAsync(Ready.Replace("ready", "draining", StringComparison.Ordinal), HttpStatusCode.ServiceUnavailable, 20);
        result.Fault.Should().BeEquivalentTo(new { Kind = FaultKind.Throttled, Blame = FaultBlame.Throttle, RetryAfter = TimeSpan.FromSeconds(20), StatusCode = 503 });
        var state = HealthReducer.Next(new HealthState(TimeSpan.Zero), new HealthEvidence { Source = EvidenceSource.Probe, Fault = result.Fault, Epoch = HealthTicket.NoEpoch }, TimeSpan.FromSeconds(1), new HealthOptions());
        state.Admits(TimeSpan.FromSeconds(20)).Should().BeFalse();
        state.Admits(TimeSpan.FromSeconds(22)).Should().BeTrue();
        state.ProbeMisses.Should().Be(0);
    }

    [Theory]
    [InlineData("ok")]
    [InlineData("")]
    [InlineData("""{"status":"draining"}""")]
    [InlineData("""{"schema":"hakit.heartbeat/1","status":"draining" """)]
    [InlineData("""["hakit.heartbeat/1"]""")]
    [InlineData("""{"other":"hakit.heartbeat/1"}""")]
    public async Task Any_other_body_is_a_plain_health_answer(string body)
    {
        var (result, probe) = await AskAsync(body);
        result.Should().Be(new ProbeResult());
        probe.Pace.Should().Be(ProbePace.WhenQuiet);
    }

    [Theory]
    [InlineData("-4")]
    [InlineData("\"many\"")]
    [InlineData("[1,2]")]
    [InlineData("99999999999")]
    public async Task Numbers_that_make_no_sense_are_none(string number)
    {
        var (result, _) = await AskAsync($$"""{"running":{{number}},"schema":"hakit.heartbeat/1"}""");
        result.Load.Should().BeEquivalentTo(new { Running = 0, Waiting = 0, Capacity = (int?)null });
    }

    private sealed class Answering(Func<HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer());
    }
}
