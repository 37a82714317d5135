using HaKit.Failover;

namespace HaKit.Tests.Failover;

/// <summary>Tests how the engine continues a cut answer: which endpoint is asked for the rest, for how long, and what the caller gets.</summary>
public sealed class ContinuationTests : StreamBench
{
    private readonly List<string> _asked = [];

    [Fact]
    public async Task Another_endpoint_goes_on_where_the_answer_was_cut_and_the_detail_tells_it()
    {
        await using var pool = Continuing(2);
        Scripts["a"] = Says("Hello cut");
        Scripts["b"] = Says("world .");
        var stream = await OpenContinued(pool);
        (await ReadAll(stream)).Should().Be("Hello world .");
        var seam = stream.Detail.Seams.Should().ContainSingle().Subject;
        (seam.From, seam.To, seam.AfterCharacters).Should().Be(("a", "b", 5));
        seam.Why.Applied.Should().Be(FaultApplied.Partial);
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Fact]
    public async Task An_answer_has_at_most_two_seams_and_then_the_first_cut_is_told_with_all_that_was_tried()
    {
        await using var pool = Continuing(4);
        foreach (var name in "abcd")
            Scripts[name.ToString()] = Says($"word-{name} cut");
        var reading = ReadAll(await OpenContinued(pool));
        var partial = (await reading.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.Endpoint.Should().Be("a");
        partial.NotContinued.Should().Be(NotContinuedReason.TooManySeams);
        partial.DeliveredItems.Should().Be(3);
        partial.Attempts.Select(a => a.Endpoint).Should().Equal("a", "b", "c");
        Opened.Should().Equal("a", "b", "c");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_answer_that_is_not_continued_counts_the_attempts_of_its_call_and_of_the_calls_for_its_rest()
    {
        await using var pool = Continuing(2, o => o.Endpoints[0].Tier = 1);
        Scripts["a"] = token => Opened.Count > 20 ? Play("Hello cut", token) : throw new HttpRequestException("500", null, System.Net.HttpStatusCode.InternalServerError);
        Scripts["b"] = _ => throw new HttpRequestException("500", null, System.Net.HttpStatusCode.InternalServerError);
        var stream = Time.Run(() => OpenContinued(pool).AsTask());
        var partial = await FluentActions.Awaiting(async () => Time.Run(() => ReadAll(stream))).Should().ThrowAsync<PartialResponseException>();
        partial.Which.NotContinued.Should().Be(NotContinuedReason.Failed);
        partial.Which.Attempts.Should().HaveCount(13).And.Subject.Last().Endpoint.Should().Be("b");
        _asked.Should().NotBeEmpty();
        (partial.Which.AttemptCount, partial.Which.PerhapsBilled).Should().Be((Opened.Count, Opened.Count));
        partial.Which.WaitRules.Should().NotBeEmpty().And.Equal(stream.Detail.WaitRules);
    }

    [Fact]
    public async Task A_rest_that_is_cut_is_continued_by_an_endpoint_that_has_not_cut_the_answer()
    {
        await using var pool = Continuing(3);
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Says("two cut");
        Scripts["c"] = Says("three .");
        var stream = await OpenContinued(pool);
        (await ReadAll(stream)).Should().Be("one two three .");
        stream.Detail.Seams.Select(s => $"{s.From}{s.To}").Should().Equal("ab", "bc");
    }

    [Fact]
    public async Task Endpoints_of_the_same_model_go_first_and_those_that_declare_nothing_are_never_asked()
    {
        await using var pool = Continuing(4, o =>
        {
            foreach (var endpoint in o.Endpoints)
                endpoint.Model = endpoint.Name is "a" or "d" ? "large" : "small";
            o.Endpoints[1].Continuation = Continuation.None;
        });
        Scripts["a"] = Says("one cut");
        Scripts["d"] = Says("role cut");
        Scripts["c"] = Says("two .");
        var stream = await OpenContinued(pool, new RequestProfile { Tags = [] });
        (await ReadAll(stream)).Should().Be("one two .");
        Opened.Should().Equal("a", "d", "c");
    }

    [Fact]
    public async Task A_refusal_of_the_request_for_the_rest_moves_on_and_masks_nothing()
    {
        await using var pool = Continuing(3);
        Scripts["a"] = Says("one cut");
        Scripts["b"] = _ => throw new HttpRequestException("refused", null, System.Net.HttpStatusCode.BadRequest);
        Scripts["c"] = Says("two .");
        (await ReadAll(await OpenContinued(pool))).Should().Be("one two .");

        Opened.Clear();
        Scripts["c"] = Scripts["b"];
        Scripts["a"] = Says("one cut");
        var partial = (await ReadAll(await OpenContinued(pool, new RequestProfile { Endpoints = ["a", "b", "c"] })).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.NotContinued.Should().Be(NotContinuedReason.Failed);
    }

    [Fact]
    public async Task A_rest_is_waited_for_thirty_seconds_after_the_cut_even_if_the_deadline_is_over()
    {
        await using var pool = Continuing(2, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5));
        Scripts["a"] = Says("one 20s two cut");
        Scripts["b"] = Says("hang");
        var reading = ReadAll(await OpenContinued(pool));
        Time.Advance(TimeSpan.FromSeconds(20));
        Time.Advance(TimeSpan.FromSeconds(29));
        reading.IsCompleted.Should().BeFalse();
        Time.Advance(TimeSpan.FromSeconds(2));
        (await reading.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which.Endpoint.Should().Be("a");
    }

    [Theory]
    [InlineData(2, true, 0)]
    [InlineData(2, false, 0)]
    [InlineData(3, true, 0)]
    [InlineData(3, false, 0)]
    [InlineData(2, true, 3)]
    [InlineData(3, false, 3)]
    public async Task A_rest_is_waited_for_no_longer_than_MaxWait(int endpoints, bool isOfProfile, double seconds)
    {
        var wait = TimeSpan.FromSeconds(seconds);
        await using var pool = Continuing(endpoints, o => o.MaxWait = isOfProfile ? null : wait);
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Scripts["c"] = _ => throw new HttpRequestException("out", null, System.Net.HttpStatusCode.ServiceUnavailable);
        var reading = ReadAll(await OpenContinued(pool, isOfProfile ? new RequestProfile { MaxWait = wait } : null));
        Time.Advance(wait * (endpoints - 1));
        reading.IsCompleted.Should().BeTrue();
        (await reading.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which.NotContinued.Should().Be(NotContinuedReason.Failed);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_rest_that_arrives_after_its_stream_was_disposed_is_disposed_too()
    {
        await using var pool = Continuing(2);
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Says("2s two 100s three .");
        var stream = await OpenContinued(pool);
        await stream.MoveNextAsync();
        var reading = stream.MoveNextAsync().AsTask();
        await stream.DisposeAsync();
        Time.Advance(TimeSpan.FromSeconds(2));
        await reading.Awaiting(static r => r).Should().ThrowAsync<OperationCanceledException>();
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
        (await stream.Awaiting(static s => s.MoveNextAsync().AsTask()).Should().ThrowAsync<Exception>()).Which.Should().NotBeOfType<PartialResponseException>();
    }

    [Fact]
    public async Task A_silence_within_the_rest_is_a_cut_like_any_other()
    {
        await using var pool = Continuing(3);
        Scripts["a"] = Says("one hang");
        Scripts["b"] = Says("two hang");
        Scripts["c"] = Says("three .");
        var reading = ReadAll(await OpenContinued(pool));
        Time.Advance(TimeSpan.FromSeconds(31));
        reading.IsCompleted.Should().BeFalse();
        Time.Advance(TimeSpan.FromSeconds(31));
        (await reading).Should().Be("one two three .");
    }

    [Theory]
    [InlineData(NotContinuedReason.ToolCall)]
    [InlineData(NotContinuedReason.StructuredOutput)]
    public async Task An_obstacle_is_told_and_nothing_is_asked(NotContinuedReason obstacle)
    {
        await using var pool = Continuing(2);
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Says("two .");
        var partial = (await ReadAll(await OpenContinued(pool, obstacle: obstacle)).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.NotContinued.Should().Be(obstacle);
        partial.Message.Should().Contain(obstacle.ToString());
        Opened.Should().Equal("a");
    }

    [Fact]
    public async Task A_profile_may_forbid_and_ask_for_continuation_whatever_the_pool_says()
    {
        await using var pool = Continuing(2);
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Says("two .");
        pool.MayContinue(RequestProfile.Default).Should().BeTrue();
        pool.MayContinue(new RequestProfile { MayContinue = false }).Should().BeFalse();
        await using var off = Continuing(2, o => o.Streaming.Continuation = StreamContinuation.Off);
        off.MayContinue(RequestProfile.Default).Should().BeFalse();
        off.MayContinue(new RequestProfile { MayContinue = true }).Should().BeTrue();
    }

    [Fact]
    public async Task A_caller_that_cancels_while_the_rest_is_asked_for_ends_the_stream()
    {
        await using var pool = Continuing(2);
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Says("wait");
        using var caller = new CancellationTokenSource();
        var reading = ReadAll(await OpenContinued(pool, ct: caller.Token));
        reading.IsCompleted.Should().BeFalse();
        caller.Cancel();
        await reading.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Fact]
    public async Task A_continued_answer_is_one_call_for_the_objective_and_an_event()
    {
        await using var pool = Continuing(2);
        Scripts["a"] = Says("one cut");
        Scripts["b"] = Says("two .");
        using var events = pool.Events.Subscribe();
        await ReadAll(await OpenContinued(pool));
        pool.Dispose();
        var seen = new List<PoolEvent>();
        await foreach (var happened in events)
        {
            seen.Add(happened);
        }
        seen.OfType<AnswerContinued>().Should().ContainSingle().Which.Seam.To.Should().Be("b");
    }

    private ValueTask<StreamedAnswer<string>> OpenContinued(EndpointPool pool, RequestProfile? profile = null, NotContinuedReason? obstacle = null, CancellationToken? ct = null)
    {
        profile ??= RequestProfile.Default;
        return Open(pool, profile, ct, async (cut, token) => await pool.ContinueAsync(profile, cut, new AnswerSoFar(5, obstacle), this, static (attempt, test, token) =>
        {
            test.Opened.Add(attempt.Endpoint.Name);
            test._asked.Add(attempt.Endpoint.Name);
            return ValueTask.FromResult(test.Scripts[attempt.Endpoint.Name](token));
        }, new Words(), token));
    }

    private EndpointPool Continuing(int endpoints, Action<EndpointPoolOptions>? configure = null) => Pool(endpoints, o =>
    {
        o.Streaming.Continuation = StreamContinuation.On;
        foreach (var endpoint in o.Endpoints)
            (endpoint.Continuation, endpoint.Tier) = (Continuation.AssistantPrefix, endpoint.Name[0] - 'a');
        configure?.Invoke(o);
    });
}
