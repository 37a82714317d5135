using System.Diagnostics;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Telemetry;

/// <summary>Tests what counters, spans and the log report about an answer with a seam.</summary>
public sealed class SeamTelemetryTests
{
    [Fact]
    public async Task A_seam_is_counted_and_told_by_the_call_s_one_span_and_by_the_log()
    {
        await using var bench = Bench();
        using var outside = new Activity("outside").Start();
        Read(bench, failing: null).Should().BeNull();
        Activity.Current.Should().BeSameAs(outside);
        bench.Metrics.Sum("hakit.continuations", ("hakit.endpoint", "a"), ("hakit.outcome", "served"), ("error.type", "PartialResponse")).Should().Be(1);
        var call = bench.Spans.Call;
        call.GetTagItem("hakit.seams").Should().Be(1);
        call.Status.Should().Be(ActivityStatusCode.Unset);
        call.Duration.Should().Be(TimeSpan.FromSeconds(5), "two words of the first endpoint and its end, two of the second");
        call.Events.Should().ContainSingle(e => e.Name == "seam").Which.Tags.Should().BeEquivalentTo(new Dictionary<string, object?>
        {
            ["hakit.endpoint"] = "a",
            ["hakit.endpoint.next"] = "b",
            ["error.type"] = "PartialResponse",
        });
        bench.Spans.Attempts.Select(a => a.OperationName).Should().Equal("attempt a", "attempt b");
        bench.Spans.Attempts.Should().OnlyContain(a => a.ParentSpanId == call.SpanId);
        bench.Metrics.Values("hakit.call.duration").Should().ContainSingle("a continued answer is one call");
        bench.Logs.Entries.Should().Contain(e => e.Message.EndsWith("the answer of endpoint a was cut by PartialResponse, and endpoint b continued it."));
    }

    [Fact]
    public async Task A_rest_that_cannot_be_had_is_counted_as_failed()
    {
        await using var bench = Bench();
        Read(bench, failing: "b").Should().BeOfType<PartialResponseException>().Which.NotContinued.Should().Be(NotContinuedReason.Failed);
        bench.Metrics.Sum("hakit.continuations", ("hakit.endpoint", "a"), ("hakit.outcome", "failed"), ("error.type", "PartialResponse")).Should().Be(1);
        bench.Spans.Call.Status.Should().Be(ActivityStatusCode.Error);
    }

    private static TelemetryBench Bench() => new(configure: static o =>
    {
        o.Streaming.Continuation = StreamContinuation.On;
        foreach (var endpoint in o.Endpoints)
            endpoint.Continuation = Continuation.AssistantPrefix;
    });

    private static Exception? Read(TelemetryBench bench, string? failing) => bench.Time.Run(async () =>
    {
        try
        {
            var stream = await bench.Pool.StreamAsync(
                RequestProfile.Default, (bench, failing), static (attempt, s, token) => new ValueTask<IAsyncEnumerable<string>>(Words(s.bench.Time, attempt, s.failing)), new WordReader(),
                async (cut, token) => await bench.Pool.ContinueAsync(
                    RequestProfile.Default, cut, new AnswerSoFar(6, null), (bench, failing), static (attempt, s, token) => new ValueTask<IAsyncEnumerable<string>>(Words(s.bench.Time, attempt, s.failing)),
                    new WordReader(), token));
            await foreach (var word in stream)
                GC.KeepAlive(word);
            return null;
        }
        catch (EndpointPoolException exception)
        {
            return (Exception)exception;
        }
    });

    // The stream of the first endpoint ends after two words without an end mark.
    private static async IAsyncEnumerable<string> Words(TimeProvider time, EndpointAttempt attempt, string? failing)
    {
        if (attempt.Endpoint.Name == failing)
        {
            attempt.ReportFault(new Fault(FaultKind.ModelNotFound) { StatusCode = 404 });
            throw new HttpRequestException("refused");
        }
        foreach (var word in attempt.Endpoint.Name == "a" ? (string[])["one", "two", ""] : ["three", "."])
        {
            await Task.Delay(TimeSpan.FromSeconds(1), time).ConfigureAwait(false);
            if (word.Length > 0)
                yield return word;
        }
    }

    private sealed class WordReader : StreamItemReader<string>
    {
        public override StreamSignal Read(string item) => item == "." ? StreamSignal.End : StreamSignal.Content;
    }
}
