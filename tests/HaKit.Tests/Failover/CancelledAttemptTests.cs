using System.Diagnostics.Metrics;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Testing;
using Polly;

namespace HaKit.Tests.Failover;

/// <summary>
/// The pool cancels an attempt. The caller must get the documented exception, whatever the code of the attempt does about its cancelled token, and at which
/// moment. An <see cref="OperationCanceledException"/> is only for a caller that has cancelled.
/// </summary>
public sealed class CancelledAttemptTests : IDisposable
{
    private static readonly Reaction[] s_reactions = [.. Enum.GetValues<Reaction>().Except([Reaction.ReturnsInside])];
    private static readonly CallWay[] s_streams = [CallWay.Stream, CallWay.PipelineStream, CallWay.HttpEvents, CallWay.HttpBytes];
    private static readonly CallWay[] s_interfaces = [.. Enum.GetValues<CallWay>().Except([CallWay.HttpBytes])]; // its attempts end with the headers
    private readonly ManualTimeProvider _time = new();
    private readonly Meters _meters = new();
    private readonly MetricRecorder _metrics;

    public CancelledAttemptTests() => _metrics = new(i => ReferenceEquals(i.Meter, _meters.Made));

    /// <summary>The reasons for which the pool cancels an attempt before its first content, and the exception that the caller gets.</summary>
    private static readonly Dictionary<string, Type> s_reasons = new()
    {
        ["first content"] = typeof(TimeoutException),
        ["attempt timeout"] = typeof(TimeoutException),
        ["short attempt timeout"] = typeof(TimeoutException),
        ["timeout that OnFault returns"] = typeof(TimeoutException),
        ["timeout after removal"] = typeof(TimeoutException),
        ["timeout after drain"] = typeof(TimeoutException),
        ["timeout after forced down"] = typeof(TimeoutException),
        ["timeout without retries"] = typeof(NoEndpointAvailableException),
        ["deadline"] = typeof(DeadlineExceededException),
        ["deadline and first content"] = typeof(DeadlineExceededException),
    };

    public static TheoryData<CallWay, string> Table => [.. from way in s_interfaces from reason in s_reasons.Keys select (way, reason)];

    public static TheoryData<CallWay> Interfaces => [.. s_interfaces];

    public static TheoryData<CallWay> Streams => [.. s_streams];

    [Theory]
    [MemberData(nameof(Table))]
    public void A_cancelled_attempt_ends_the_call_with_the_documented_exception_whenever_and_however_it_ends(CallWay way, string reason)
    {
        foreach (var reaction in s_reactions)
        {
            using var pool = Pool(way, reason);
            var test = new CancelledAttempts(pool, _time, reaction);
            var failure = Failure(async () =>
            {
                var call = test.CallAsync(way, ProfileFor(reason), CancellationToken.None);
                ChangeEndpoints(pool, reason);
                await call;
            });
            failure.Should().BeOfType(s_reasons[reason], "{0} is the reaction", reaction);
            test.Begun.Should().Be(1, "{0} is the reaction", reaction);
            Outcome().Should().StartWith("failed", "{0} is the reaction", reaction);
            if (failure is TimeoutException)
                Outcome().Should().Be($"failed {AttemptFaults().Single()}", "the attempt ended the call, and {0} is the reaction", reaction);
            pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
        }
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public void A_caller_that_cancels_gets_its_cancellation_whatever_the_attempt_does(CallWay way)
    {
        foreach (var mayRepeat in (bool[])[true, false])
        {
            foreach (var reaction in s_reactions)
            {
                using var pool = Pool(way, "");
                using var caller = new CancellationTokenSource();
                var test = new CancelledAttempts(pool, _time, reaction);
                using var cancels = _time.CreateTimer(_ => caller.Cancel(), null, S(1), Timeout.InfiniteTimeSpan);
                Failure(() => test.CallAsync(way, new RequestProfile { MayRepeat = mayRepeat }, caller.Token)).Should().BeAssignableTo<OperationCanceledException>("{0} is the reaction", reaction);
                test.Begun.Should().Be(1);
                Outcome().Should().Be("caller CallerCancelled");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_silence_after_the_first_content_is_a_cut_whatever_the_source_does(CallWay way)
    {
        foreach (var marksEnd in (bool[])[true, false])
        {
            foreach (var reaction in Enum.GetValues<Reaction>())
            {
                using var pool = Pool(way, "");
                var test = new CancelledAttempts(pool, _time, reaction) { Before = "Hello", MarksEnd = marksEnd };
                var cut = Failure(() => test.CallAsync(way, RequestProfile.Default, CancellationToken.None)).Should().BeOfType<PartialResponseException>("{0} is the reaction", reaction).Which;
                cut.Fault.Kind.Should().Be(FaultKind.IdleTimeout, "{0} is the reaction", reaction);
                test.Read.Should().Be("Hello");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_caller_that_cancels_a_stream_gets_its_cancellation_whatever_the_source_does(CallWay way)
    {
        foreach (var reaction in Enum.GetValues<Reaction>())
        {
            using var pool = Pool(way, "");
            using var caller = new CancellationTokenSource();
            var test = new CancelledAttempts(pool, _time, reaction) { Before = "Hello", MarksEnd = false };
            using var cancels = _time.CreateTimer(_ => caller.Cancel(), null, S(1), Timeout.InfiniteTimeSpan);
            Failure(() => test.CallAsync(way, RequestProfile.Default, caller.Token)).Should().BeAssignableTo<OperationCanceledException>("{0} is the reaction", reaction);
            AttemptFaults().Should().Equal(["CallerCancelled"], "{0} is the reaction", reaction);
        }
    }

    [Theory]
    [InlineData(CallWay.Stream, true)]
    [InlineData(CallWay.Stream, false)]
    [InlineData(CallWay.PipelineStream, false)]
    [InlineData(CallWay.HttpEvents, true)]
    public void A_held_stream_that_becomes_silent_is_a_timeout_and_never_half_an_answer(CallWay way, bool marksEnd)
    {
        foreach (var reason in (string[])["idle", "attempt timeout", "deadline"])
        {
            foreach (var reaction in Enum.GetValues<Reaction>())
            {
                using var pool = Pool(way, reason, o => o.Streaming.HoldUntil = HoldUntil.End);
                var test = new CancelledAttempts(pool, _time, reaction) { Before = "Hello", MarksEnd = marksEnd };
                var failure = Failure(() => test.CallAsync(way, ProfileFor(reason), CancellationToken.None));
                failure.Should().BeOfType(s_reasons.GetValueOrDefault(reason, typeof(TimeoutException)), "{0} is the reaction", reaction);
                test.Begun.Should().Be(1);
                Outcome().Should().StartWith("failed");
            }
        }
    }

    [Theory]
    [InlineData(CallWay.Stream)]
    [InlineData(CallWay.PipelineStream)]
    public void A_stream_that_ends_because_it_was_cancelled_before_its_first_content_is_no_answer(CallWay way)
    {
        using var pool = Pool(way, "attempt timeout");
        var test = new CancelledAttempts(pool, _time, Reaction.ReturnsInside) { MarksEnd = false };
        Failure(() => test.CallAsync(way, ProfileFor("attempt timeout"), CancellationToken.None)).Should().BeOfType<TimeoutException>();
    }

    [Fact]
    public void The_loser_of_a_race_has_the_same_fault_however_it_ends()
    {
        foreach (var reaction in s_reactions)
        {
            using var pool = Pool(CallWay.Execute, "first content", o => o.Hedging.Enabled = true);
            var answer = _time.Run(() => pool.ExecuteAsync(new RequestProfile(), reaction, async (attempt, reaction, token) =>
            {
                attempt.ReportOperation("chat");
                if (attempt.Number == 1)
                    await reaction.HangAsync(_time, token);
                return attempt.Endpoint.Name;
            }).AsTask());
            answer.Should().Be("b");
            AttemptFaults().Should().BeEquivalentTo([null, "FirstContentTimeout"], "{0} is the reaction", reaction);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_cancellation_that_neither_the_caller_nor_the_pool_caused_is_a_timeout(int inner)
    {
        using var pool = Pool(CallWay.Execute, "");
        var thrown = new TaskCanceledException("The client gave up.", inner == 0 ? null : new TimeoutException());
        var failure = Failure(() => pool.ExecuteAsync<Exception, int>(new RequestProfile { MayRepeat = false }, thrown, static (_, thrown, _) => throw thrown).AsTask());
        failure.Should().BeOfType<TimeoutException>().Which.InnerException.Should().BeSameAs(thrown);
        Outcome().Should().Be("failed AttemptTimeout");
    }

    [Theory]
    [InlineData(FaultKind.CallerCancelled)]
    [InlineData(FaultKind.DeadlineExceeded)]
    [InlineData(FaultKind.Superseded)]
    public void A_fault_of_the_caller_that_a_callback_reports_ends_the_call_without_another_attempt(FaultKind kind)
    {
        using var pool = Pool(CallWay.Execute, "");
        var begun = 0;
        Failure(() => pool.ExecuteAsync<int, int>(new RequestProfile { MayRepeat = false }, 0, (attempt, _, _) =>
        {
            begun++;
            attempt.ReportFault(new Fault(kind));
            throw new OperationCanceledException();
        }).AsTask()).Should().BeOfType<EndpointFaultException>().Which.Fault.Kind.Should().Be(kind);
        begun.Should().Be(1);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _meters.Dispose();
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static RequestProfile ProfileFor(string reason) => new()
    {
        MayRepeat = reason is "timeout that OnFault returns" or "timeout without retries",
        Deadline = reason switch { "deadline" => S(3), "deadline and first content" => S(1), _ => null },
    };

    private static void ChangeEndpoints(EndpointPool pool, string reason)
    {
        _ = reason switch
        {
            "timeout after removal" => Task.FromResult(pool.RemoveEndpoint("a")),
            "timeout after drain" => pool.DrainAsync("a").AsTask(),
            "timeout after forced down" => pool.ForceDownAsync("a").AsTask(),
            _ => Task.CompletedTask,
        };
    }

    private EndpointPool Pool(CallWay way, string reason, Action<EndpointPoolOptions>? configure = null)
    {
        _meters.Renew();
        _metrics.Clear();
        var pool = TestPool.Create(_time, 2, o =>
        {
            if (reason == "short attempt timeout")
                o.AttemptTimeout = new() { Timeout = S(0.5) };
            else if (reason.Contains("timeout", StringComparison.Ordinal))
                o.AttemptTimeout = new() { Timeout = S(5) };
            if (reason == "timeout without retries")
                o.Retry.MaxRetryAttempts = 0;
            if (reason == "timeout that OnFault returns")
                o.OnFault = static (_, _) => FaultAction.Return;
            configure?.Invoke(o);
        }, parts =>
        {
            parts.MeterFactory = _meters;
            if (way is CallWay.Pipeline or CallWay.PipelineStream)
                parts.ConfigureEndpointPipeline = static (builder, _) => builder.AddStrategy(static _ => new Passes(), new Options());
        });
        if (!reason.Contains("first content", StringComparison.Ordinal))
            return pool;
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            for (var i = 0; i < 120; i++)
                member.Times.Record(i % 2 == 0, S(0.1)); // the learned limit is 1 s, the least that is possible
        }
        return pool;
    }

    private Exception? Failure(Func<Task> call) => Record.Exception(() => _time.Run(call));

    private string Outcome()
    {
        var tags = _metrics.Measurements.Should().ContainSingle(m => m.Instrument == "hakit.call.duration").Which.Tags;
        return $"{tags["hakit.outcome"]} {tags["error.type"]}";
    }

    private IEnumerable<object?> AttemptFaults() => _metrics.Measurements.Where(m => m.Instrument == "hakit.attempt.duration").Select(m => m.Tags.GetValueOrDefault("error.type"));

    private sealed class Options : ResilienceStrategyOptions;

    private sealed class Passes : ResilienceStrategy
    {
        protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) => callback(context, state);
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter? Made { get; private set; }

        public Meter Create(MeterOptions options) => Made ??= new Meter(options);

        public void Renew() => Made = null;

        public void Dispose() => Made?.Dispose();
    }
}
