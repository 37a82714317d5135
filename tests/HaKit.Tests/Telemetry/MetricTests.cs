using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Telemetry;
using HaKit.Tests.Architecture;
using Polly;

namespace HaKit.Tests.Telemetry;

public sealed partial class MetricTests
{
    [Fact]
    public async Task A_call_that_fails_over_is_one_call_two_attempts_and_one_failover()
    {
        await using var bench = new TelemetryBench();
        bench.Down["a"] = FaultKind.ServerError;
        bench.Call().Should().BeNull();
        bench.Metrics.Values("hakit.call.duration", ("hakit.pool", bench.Name), ("hakit.outcome", "served")).Should().Equal(2);
        bench.Metrics.Values("hakit.attempt.duration", ("hakit.endpoint", "a"), ("error.type", "ServerError")).Should().Equal(1);
        bench.Metrics.Values("hakit.attempt.duration", ("hakit.endpoint", "b"), ("error.type", null)).Should().BeEmpty("success has no error.type");
        bench.Metrics.Values("hakit.attempt.duration", ("hakit.endpoint", "b"), ("server.address", "b.test"), ("gen_ai.provider.name", "acme"), ("gen_ai.request.model", "m1")).Should().Equal(1);
        bench.Metrics.Sum("hakit.failovers", ("hakit.endpoint", "a"), ("error.type", "ServerError")).Should().Be(1);
        bench.Metrics.Sum("hakit.tokens", ("gen_ai.token.type", "input")).Should().Be(12);
        bench.Metrics.Sum("hakit.tokens", ("gen_ai.token.type", "output")).Should().Be(34);
        bench.Metrics.Values("hakit.retries").Should().BeEmpty();
        bench.Metrics.Sum("hakit.calls.saved", ("hakit.pool", bench.Name)).Should().Be(1);
        bench.Down.Clear();
        bench.Call().Should().BeNull();
        bench.Metrics.Sum("hakit.calls.saved").Should().Be(1, "no attempt of the second call failed");
    }

    [Fact]
    public async Task A_call_that_nobody_serves_is_failed_and_tells_its_retries_and_its_waiting()
    {
        await using var bench = new TelemetryBench(1);
        bench.Down["a"] = FaultKind.ServerError;
        bench.Call().Should().NotBeNull();
        bench.Metrics.Values("hakit.call.duration", ("hakit.outcome", "failed"), ("error.type", "DeadlineExceeded")).Should().HaveCount(1);
        bench.Metrics.Sum("hakit.waits", ("hakit.wait.rule", "Pace")).Should().Be(1, "a rule is counted once for each call");
        bench.Metrics.Sum("hakit.retries", ("hakit.endpoint", "a"), ("error.type", "ServerError")).Should().BeGreaterThan(0);
        bench.Metrics.Values("hakit.queue.wait").Should().ContainSingle().Which.Should().BeGreaterThan(0);
        bench.Metrics.Values("hakit.calls.saved").Should().BeEmpty();
    }

    [Fact]
    public async Task A_refused_request_is_the_request_s_own_outcome()
    {
        await using var bench = new TelemetryBench(1);
        bench.Down["a"] = FaultKind.InvalidRequest;
        bench.Call();
        bench.Metrics.Values("hakit.call.duration", ("hakit.outcome", "request"), ("error.type", "InvalidRequest")).Should().HaveCount(1);
        bench.Pool.GetAvailabilityReport().Calls.Total.Should().Be(0, "it says nothing about the pool's availability");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_call_that_an_attempt_ends_has_the_error_of_the_attempt_whatever_its_exception_is(FaultKind kind)
    {
        foreach (var thrown in new Exception[] { new InvalidOperationException("x"), new TimeoutException(), new OperationCanceledException(), new HttpRequestException("x", null, System.Net.HttpStatusCode.BadGateway) })
        {
            await using var bench = new TelemetryBench(1);
            var call = () => bench.Pool.ExecuteAsync<int, int>(new RequestProfile { MayRepeat = false }, 0, (attempt, _, _) =>
            {
                attempt.ReportFault(new Fault(kind) { Applied = FaultApplied.Ambiguous });
                throw thrown;
            }).AsTask();
            await call.Should().ThrowAsync<Exception>();
            bench.Metrics.Values("hakit.call.duration", ("error.type", kind.ToString())).Should().ContainSingle("{0} was thrown", thrown.GetType().Name);
            bench.Metrics.Values("hakit.attempt.duration", ("error.type", kind.ToString())).Should().ContainSingle();
        }
    }

    public static TheoryData<FaultKind> Kinds => [.. Enum.GetValues<FaultKind>()];

    [Fact]
    public async Task A_call_that_gets_its_first_refusal_has_the_error_of_the_first_refusal()
    {
        foreach (var isResult in (bool[])[false, true])
        {
            await using var bench = new TelemetryBench(2);
            var call = () => bench.Pool.ExecuteAsync(RequestProfile.Default, 0, (attempt, _, _) =>
            {
                attempt.ReportFault(new Fault(attempt.Endpoint.Name == "a" ? FaultKind.Forbidden : FaultKind.ModelNotFound) { SecondOpinion = SecondOpinion.Each, IsProvisional = true });
                return isResult ? new ValueTask<int>(1) : throw new InvalidOperationException();
            }).AsTask();
            if (isResult)
                await call();
            else
                await call.Should().ThrowAsync<InvalidOperationException>();
            bench.Metrics.Values("hakit.attempt.duration").Should().HaveCount(2);
            bench.Metrics.Values("hakit.call.duration", ("error.type", "Forbidden")).Should().ContainSingle("result: {0}", isResult);
        }
    }

    [Fact]
    public async Task An_ejection_is_counted_once_with_its_cause()
    {
        await using var bench = new TelemetryBench();
        bench.Down["a"] = FaultKind.ConnectFailed;
        for (var i = 0; i < 4; i++)
            bench.Call();
        bench.Metrics.Sum("hakit.endpoint.ejections", ("hakit.endpoint", "a"), ("error.type", "ConnectFailed")).Should().Be(1);
        bench.Metrics.Collect();
        bench.Metrics.Sum("hakit.endpoint.state", ("hakit.endpoint", "a"), ("hakit.state", "Ejected")).Should().Be(1);
        bench.Metrics.Sum("hakit.endpoint.state", ("hakit.endpoint", "a")).Should().Be(1, "it is in one state");
        bench.Metrics.Values("hakit.endpoint.ramp", ("hakit.endpoint", "a")).Should().Equal(0);
    }

    [Fact]
    public async Task Gauges_read_every_pool_of_their_factory_and_stop_with_it()
    {
        await using var bench = new TelemetryBench(2, o =>
        {
            o.Endpoints[0].Limits = new() { MaxConcurrency = 4 };
            o.Endpoints[0].Account = "x";
            o.AccountLimits["x"] = new() { RequestsPerMinute = 10 };
        });
        bench.Call();
        bench.Time.Advance(TimeSpan.FromMinutes(2));
        bench.Metrics.Collect();
        bench.Metrics.Measurements.Select(m => m.Instrument).Distinct().Should().Contain(GaugeTable.All.Select(g => g.Name).Where(n => !n.StartsWith("hakit.peers.", StringComparison.Ordinal)), "it has no link to other replicas");
        bench.Metrics.Values("hakit.pool.availability", ("hakit.kind", "delivered")).Should().Equal(1);
        bench.Metrics.Values("hakit.slo.budget_left").Should().Equal(1);
        bench.Metrics.Values("hakit.slo.burn_rate", ("hakit.alert", "fast"), ("hakit.window", "long")).Should().Equal(0);
        bench.Metrics.Values("hakit.endpoint.limit.utilization", ("hakit.limit", "concurrency")).Should().Equal(0);
        bench.Metrics.Values("hakit.endpoint.limit.utilization", ("hakit.limit", "account.requests")).Should().HaveCount(1);
        await bench.Pool.DisposeAsync();
        bench.Metrics.Clear();
        bench.Metrics.Collect();
        bench.Metrics.Measurements.Should().BeEmpty();
    }

    [Fact]
    public async Task Strategies_of_the_user_s_own_are_counted_by_event()
    {
        await using var bench = new TelemetryBench(1, parts: p => p.ConfigureEndpointPipeline = (builder, _) =>
            builder.AddStrategy(context => new Noisy(context.Telemetry), new NoisyOptions()));
        bench.Call();
        bench.Metrics.Values("hakit.polly.events", ("hakit.endpoint", "a"), ("event.name", "OnNoise"), ("strategy.name", "Noisy")).Should().Equal(1);
        bench.Spans.Attempts.Single().Events.Select(e => e.Name).Should().Contain("OnNoise");
    }

    [Fact]
    public async Task No_tag_has_more_values_than_configuration_and_enumerations_allow()
    {
        await using var bench = new TelemetryBench(2, o => o.CircuitBreaker.FailuresToEject = 1000);
        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            foreach (var i in Enumerable.Range(0, 5))
            {
                bench.Down["a"] = kind;
                bench.Call(new RequestProfile { AffinityKey = $"user{i}", IdempotencyKey = $"key{kind}{i}", Model = i % 2 == 0 ? "m1" : $"m{i}{kind}" });
            }
        }

        bench.Metrics.Collect();
        var values = bench.Metrics.Measurements.SelectMany(m => m.Tags).GroupBy(t => t.Key).ToDictionary(g => g.Key, g => g.Select(t => t.Value).Distinct().Count());
        values["error.type"].Should().BeLessThanOrEqualTo(Enum.GetValues<FaultKind>().Length + 1);
        values["hakit.endpoint"].Should().Be(2);
        values["gen_ai.request.model"].Should().Be(1, "models that requests ask for are not tags");
        values["hakit.state"].Should().Be(Enum.GetValues<EndpointHealthStatus>().Length);
        values.Should().NotContain(v => v.Value > 40);
    }

    [Fact]
    public async Task Every_instrument_is_on_the_page_with_its_kind_unit_and_tags()
    {
        var found = new Dictionary<string, (string Kind, string Unit)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == "HaKit")
                    found[instrument.Name] = (instrument.GetType().Name.Split('`')[0].Replace("Observable", "", StringComparison.Ordinal), instrument.Unit ?? "none");
            },
        };
        listener.Start();
        await using var bench = new TelemetryBench();
        var page = Row().Matches(await File.ReadAllTextAsync(Path.Combine(ArchitectureTests.RepositoryRoot, "docs", "telemetry.md"), TestContext.Current.CancellationToken))
            .ToDictionary(m => m.Groups["name"].Value, m => (m.Groups["kind"].Value, m.Groups["unit"].Value));
        page.Should().BeEquivalentTo(found);
    }

    [GeneratedRegex(@"^\| `(?<name>hakit\.[a-z_.]+)` \| (?<kind>\w+) \| `(?<unit>[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    private sealed class NoisyOptions : Polly.ResilienceStrategyOptions
    {
        public NoisyOptions() => Name = "Noisy";
    }

    private sealed class Noisy(Polly.Telemetry.ResilienceStrategyTelemetry telemetry) : Polly.ResilienceStrategy
    {
        protected override ValueTask<Polly.Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<Polly.ResilienceContext, TState, ValueTask<Polly.Outcome<TResult>>> callback, Polly.ResilienceContext context, TState state)
        {
            telemetry.Report(new Polly.Telemetry.ResilienceEvent(Polly.Telemetry.ResilienceEventSeverity.Warning, "OnNoise"), context, "args");
            return callback(context, state);
        }
    }
}
