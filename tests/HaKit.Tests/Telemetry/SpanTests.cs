using System.Diagnostics;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Telemetry;

public sealed class SpanTests
{
    [Fact]
    public async Task A_call_is_a_span_with_its_attempts_in_it_and_tells_why_it_went_on()
    {
        await using var bench = new TelemetryBench();
        bench.Down["a"] = FaultKind.ServerError;
        using var outside = new Activity("outside").Start();
        bench.Call();
        Activity.Current.Should().BeSameAs(outside);
        var call = bench.Spans.Call;
        call.OperationName.Should().Be($"call {bench.Name}");
        call.ParentSpanId.Should().Be(outside.SpanId);
        call.Duration.Should().Be(TimeSpan.FromSeconds(2), "spans are measured by the pool's own clock");
        call.Status.Should().Be(ActivityStatusCode.Unset);
        call.Events.Should().ContainSingle(e => e.Name == "failover").Which.Tags.Should().BeEquivalentTo(new Dictionary<string, object?>
        {
            ["hakit.endpoint"] = "a",
            ["hakit.endpoint.next"] = "b",
            ["error.type"] = "ServerError",
        });
        bench.Spans.Attempts.Select(a => a.OperationName).Should().Equal("attempt a", "attempt b");
        bench.Spans.Attempts.Should().OnlyContain(a => a.ParentSpanId == call.SpanId && a.Duration == TimeSpan.FromSeconds(1));
        var failed = bench.Spans.Attempts[0];
        failed.Status.Should().Be(ActivityStatusCode.Error);
        failed.GetTagItem("error.type").Should().Be("ServerError");
        failed.GetTagItem("http.response.status_code").Should().Be(500);
        failed.GetTagItem("server.port").Should().Be(8443);
        bench.Spans.Attempts[1].GetTagItem("gen_ai.usage.output_tokens").Should().Be(34L);
        bench.Spans.Attempts[1].GetTagItem("hakit.attempt").Should().Be(2);
    }

    [Theory]
    [InlineData("chat/completions", "chat")]
    [InlineData("responses", "chat")]
    [InlineData("completions", "text_completion")]
    [InlineData("embeddings", "embeddings")]
    [InlineData("models/m:generateContent", "generate_content")]
    [InlineData("files", null)]
    [InlineData("threads/thread_1/messages", null)]
    [InlineData("chat/completions", null, "GET")]
    public async Task An_attempt_over_HTTP_says_its_operation(string path, string? operation, string method = "POST")
    {
        const string name = "spans of operations";
        using var spans = new SpanRecorder(name);
        using var network = new FakeHttpNetwork().Add(new Uri("http://127.0.0.1:9000/v1"), new FakeHttpEndpoint());
        await using var pool = new EndpointPool(name, new EndpointPoolOptions { Heartbeat = { Enabled = false }, TotalRequestTimeout = { Timeout = TimeSpan.FromMinutes(1) }, Endpoints = [new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9000/v1" }] });
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = network });
        using var request = new HttpRequestMessage(new HttpMethod(method), "http://127.0.0.1:9000/v1/" + path) { Content = method == "POST" ? new StringContent("{}", null, "application/json") : null };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        spans.Attempts[0].GetTagItem("gen_ai.operation.name").Should().Be(operation);
    }

    [Fact]
    public async Task A_failed_call_is_an_error_of_its_kind()
    {
        await using var bench = new TelemetryBench(1);
        bench.Down["a"] = FaultKind.Overloaded;
        bench.Call();
        bench.Spans.Call.Status.Should().Be(ActivityStatusCode.Error);
        bench.Spans.Call.GetTagItem("error.type").Should().Be("DeadlineExceeded");
        bench.Spans.Call.GetTagItem("hakit.wait.rules").Should().Be("Pace");
        bench.Spans.Call.Events.Select(e => e.Name).Should().Contain(["retry", "waited"]);
    }

    [Fact]
    public async Task What_a_callback_starts_is_a_part_of_its_attempt_and_what_the_caller_starts_next_is_not()
    {
        await using var bench = new TelemetryBench();
        using var source = new ActivitySource("test.inner." + bench.Name);
        using var listener = new ActivityListener { ShouldListenTo = s => s == source, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData };
        ActivitySource.AddActivityListener(listener);
        using var outside = new Activity("outside").Start();
        var gate = new TaskCompletionSource();
        var inner = new List<Activity>();
        var task = bench.Pool.ExecuteAsync(0, async (_, _, _) =>
        {
            inner.Add(source.StartActivity("before")!);
            inner[0].Stop();
            await gate.Task;
            inner.Add(source.StartActivity("after")!);
            inner[1].Stop();
            return 1;
        }, TestContext.Current.CancellationToken);
        Activity.Current.Should().BeSameAs(outside, "the call is under way, and so is its caller");
        gate.SetResult();
        (await task).Should().Be(1);
        Activity.Current.Should().BeSameAs(outside);
        inner.Should().OnlyContain(i => i.ParentSpanId == bench.Spans.Attempts.Single().SpanId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_that_ends_before_it_returns_leaves_its_caller_s_span_current(bool well)
    {
        await using var bench = new TelemetryBench();
        using var outside = new Activity("outside").Start();
        var task = bench.Pool.ExecuteAsync(new RequestProfile { MayRepeat = false }, well, static (attempt, well, _) =>
        {
            if (!well)
                attempt.ReportFault(new Fault(FaultKind.ServerError));
            return new ValueTask<int>(1);
        }, TestContext.Current.CancellationToken);
        task.IsCompleted.Should().BeTrue();
        Activity.Current.Should().BeSameAs(outside);
        bench.Spans.Attempts.Should().HaveCount(1);
    }

    [Fact]
    public async Task A_stream_s_spans_last_to_its_end_and_leave_its_reader_alone()
    {
        await using var bench = new TelemetryBench();
        using var outside = new Activity("outside").Start();
        bench.Time.Run(async () =>
        {
            var stream = await bench.Pool.StreamAsync(bench, static (_, bench, token) => new ValueTask<IAsyncEnumerable<string>>(Words(bench.Time)), new WordReader());
            bench.Spans.Ended.Should().BeEmpty("the stream goes on");
            await foreach (var word in stream)
                Activity.Current.Should().BeSameAs(outside);
            Activity.Current.Should().BeSameAs(outside);
            return 0;
        });
        bench.Spans.Call.Duration.Should().Be(TimeSpan.FromSeconds(3));
        bench.Spans.Call.Status.Should().Be(ActivityStatusCode.Unset);
    }

    [Fact]
    public async Task A_cut_stream_is_an_error_of_the_call_and_of_its_attempt()
    {
        await using var bench = new TelemetryBench(1);
        bench.Time.Run(async () =>
        {
            var stream = await bench.Pool.StreamAsync(bench, static (_, bench, token) => new ValueTask<IAsyncEnumerable<string>>(Words(bench.Time, cut: true)), new WordReader());
            bench.Spans.Ended.Should().BeEmpty("the stream goes on");
            var reading = async () =>
            {
                await foreach (var word in stream)
                    GC.KeepAlive(word);
            };
            await reading.Should().ThrowAsync<PartialResponseException>();
            return 0;
        });
        var (call, attempt) = (bench.Spans.Call, bench.Spans.Attempts.Single());
        call.Status.Should().Be(ActivityStatusCode.Error);
        call.Duration.Should().Be(TimeSpan.FromSeconds(3));
        attempt.GetTagItem("error.type").Should().Be("PartialResponse");
        attempt.Events.Should().ContainSingle(e => e.Name == "first_content").Which.Timestamp.Should().Be(attempt.StartTimeUtc + TimeSpan.FromSeconds(1));
        bench.Metrics.Values("hakit.attempt.time_to_first_content", ("hakit.endpoint", "a")).Should().Equal(1);
        bench.Metrics.Values("hakit.call.duration", ("hakit.outcome", "served")).Should().Equal(1);
    }

    private static async IAsyncEnumerable<string> Words(TimeProvider time, bool cut = false)
    {
        foreach (var word in (string[])["one", "two", "three"])
        {
            await Task.Delay(TimeSpan.FromSeconds(1), time).ConfigureAwait(false);
            if (cut && word == "three")
                yield break;
            yield return word;
        }
    }

    private sealed class WordReader : StreamItemReader<string>
    {
        public override StreamSignal Read(string item) => item == "three" ? StreamSignal.Content | StreamSignal.End : StreamSignal.Content;
    }
}
