using FsCheck;
using FsCheck.Fluent;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests the guarantees for code that opens and reads a stream, one guarantee per test.</summary>
public sealed class StreamContractTests : StreamBench
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static int InFlight(EndpointPool pool) => pool.Explain(RequestProfile.Default).Sum(e => e.InFlight);

    private sealed class NoMarks : StreamItemReader<string>
    {
        public override bool MarksEnd => false;

        public override StreamSignal Read(string item) => item == "throws" ? throw new FormatException("unreadable") : StreamSignal.Content;
    }

    private sealed class Sized : StreamItemReader<string>
    {
        public override StreamSignal Read(string item) => item == "." ? StreamSignal.End : item == "tick" ? StreamSignal.None : StreamSignal.Content;

        public override int SizeOf(string item) => 100;

        public override bool TryGetUsage(string item, out long? inputTokens, out long? outputTokens)
        {
            var isEnd = item == ".";
            (inputTokens, outputTokens) = (isEnd ? 7 : null, isEnd ? 3 : null);
            return isEnd;
        }
    }

    private ValueTask<StreamedAnswer<string>> OpenWith(EndpointPool pool, StreamItemReader<string> reader, Action<EndpointAttempt>? seen = null) =>
        pool.StreamAsync(RequestProfile.Default, (this, seen), static (attempt, s, token) =>
        {
            s.seen?.Invoke(attempt);
            s.Item1.Opened.Add(attempt.Endpoint.Name);
            return ValueTask.FromResult(s.Item1.Scripts[attempt.Endpoint.Name](token));
        }, reader, Ct);

    // Opening

    [Fact]
    public async Task Nothing_is_opened_for_a_call_that_is_cancelled_already()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Scripts["b"] = Says("Hello .");
        await Open(pool, ct: new CancellationToken(canceled: true)).AsTask().Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        Opened.Should().BeEmpty();
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task Cancelling_before_the_first_content_ends_the_call_and_tries_nobody_else()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Scripts["b"] = Says("role wait");
        using var caller = new CancellationTokenSource();
        var call = Open(pool, ct: caller.Token).AsTask();
        caller.Cancel();
        await call.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        Opened.Should().Equal("a");
        Disposed.Should().Be(1);
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task An_endpoint_that_never_finishes_opening_is_left_for_the_next()
    {
        await using var pool = Pool(2);
        Scripts["b"] = Says("Hello .");
        var call = pool.StreamAsync(RequestProfile.Default, this, static (attempt, test, token) =>
            attempt.Endpoint.Name == "a" ? new(new TaskCompletionSource<IAsyncEnumerable<string>>().Task) : new(test.Scripts["b"](token)), new Words(), Ct).AsTask();
        Time.Advance(S(30));
        (await ReadAll(await call)).Should().Be("Hello .");
    }

    [Fact]
    public async Task When_nobody_shows_content_the_exception_lists_every_attempt_and_keeps_the_last_failure()
    {
        await using var pool = Pool(3, o => { o.Retry.MaxRetryAttempts = 2; o.TotalRequestTimeout.Timeout = S(10); });
        Scripts["a"] = Scripts["b"] = Scripts["c"] = Says("role cut");
        var failure = (await Open(pool).AsTask().Awaiting(t => t).Should().ThrowAsync<NoEndpointAvailableException>()).Which;
        failure.Attempts.Select(a => a.Endpoint).Should().Equal("a", "b", "c");
        failure.Attempts.Should().OnlyContain(a => a.Fault!.Kind == FaultKind.BrokenBody || a.Fault.Kind == FaultKind.ConnectionReset);
        failure.InnerException.Should().BeOfType<HttpIOException>();
        Disposed.Should().Be(3);
    }

    [Fact]
    public async Task A_request_that_is_wrong_comes_back_as_it_is_and_is_shown_to_nobody_else()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Scripts["b"] = _ => throw new ArgumentException("no such tool");
        (await Open(pool).AsTask().Awaiting(t => t).Should().ThrowAsync<ArgumentException>()).WithMessage("no such tool");
        Opened.Should().Equal("a");
    }

    [Fact]
    public async Task A_failed_stream_is_closed_before_the_next_is_opened()
    {
        await using var pool = Pool(2);
        var closedBefore = -1;
        Scripts["a"] = Says("role cut");
        Scripts["b"] = token => { closedBefore = Disposed; return Play("Hello .", token); };
        await ReadAll(await Open(pool));
        closedBefore.Should().Be(1);
    }

    [Fact]
    public async Task The_only_endpoint_is_asked_again_after_its_backoff()
    {
        await using var pool = Pool(1);
        var first = true;
        Scripts["a"] = token => { var script = first ? "role cut" : "Hello ."; first = false; return Play(script, token); };
        var call = Open(pool).AsTask();
        call.IsCompleted.Should().BeFalse();
        Time.Advance(S(0.25));
        (await ReadAll(await call)).Should().Be("Hello .");
        Opened.Should().Equal("a", "a");
    }

    [Fact]
    public async Task All_attempts_of_a_call_carry_one_idempotency_key_and_another_call_another()
    {
        await using var pool = Pool(2);
        var keys = new List<string>();
        Scripts["a"] = Says("cut");
        Scripts["b"] = Says("Hello .");
        await ReadAll(await OpenWith(pool, new Sized(), attempt => keys.Add(attempt.IdempotencyKey)));
        Scripts["a"] = Scripts["b"];
        await ReadAll(await OpenWith(pool, new Sized(), attempt => keys.Add(attempt.IdempotencyKey)));
        keys.Should().HaveCount(3);
        keys[1].Should().Be(keys[0]);
        keys[2].Should().NotBe(keys[0]);
    }

    [Fact]
    public async Task The_callers_own_idempotency_key_is_the_one_that_is_shown()
    {
        await using var pool = Pool(1);
        string? shown = null;
        Scripts["a"] = Says("Hello .");
        await using var stream = await pool.StreamAsync(new RequestProfile { IdempotencyKey = "order-7" }, this, (attempt, test, token) =>
        {
            shown = attempt.IdempotencyKey;
            return new ValueTask<IAsyncEnumerable<string>>(test.Scripts["a"](token));
        }, new Words(), Ct);
        shown.Should().Be("order-7");
    }

    [Fact]
    public async Task A_deadline_before_the_first_content_ends_the_call()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("role wait");
        var call = Open(pool, new RequestProfile { Deadline = S(5) }).AsTask();
        Time.Advance(S(5));
        (await call.Awaiting(t => t).Should().ThrowAsync<DeadlineExceededException>()).Which.Attempts.Should().ContainSingle();
        Disposed.Should().Be(1);
    }

    [Fact]
    public async Task How_long_the_first_content_may_take_is_learned_from_the_endpoint_itself()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Scripts["b"] = Says("role 0.1s Hello .");
        for (var i = 0; i < 60; i++)
        {
            var usual = Open(pool).AsTask();
            Time.Advance(S(0.2));
            await ReadAll(await usual);
        }
        Scripts["a"] = Says("role wait");
        Opened.Clear();
        while (!Opened.Contains("a"))
        {
            var call = Open(pool).AsTask();
            Time.Advance(S(1.1)); // three times the endpoint's own 99th percentile is less than the shortest limit, 1 s
            call.IsCompleted.Should().BeTrue("a silence of a second is unusual here");
            await ReadAll(await call);
        }
    }

    [Fact]
    public async Task A_fault_told_within_the_stream_before_its_content_cools_the_endpoint()
    {
        await using var pool = Pool(2);
        Scripts["b"] = Says("Hello .");
        await using var stream = await pool.StreamAsync(RequestProfile.Default, this, static (attempt, test, token) =>
        {
            if (attempt.Endpoint.Name == "b")
                return ValueTask.FromResult(test.Scripts["b"](token));
            attempt.ReportFault(new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(20) });
            throw new EndpointFaultException(attempt.Endpoint.Name, new Fault(FaultKind.Throttled));
        }, new Words(), Ct);
        stream.Detail.Endpoint.Should().Be("b");
        pool.Explain(RequestProfile.Default).Single(e => e.NotAdmittedBy is not null).Endpoint.Should().Be("a");
        Time.Advance(S(21));
        pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.NotAdmittedBy == null);
    }

    // Up to the first content

    [Theory]
    [InlineData("role .")]
    [InlineData(".")]
    public async Task An_end_mark_without_content_is_a_whole_answer(string script)
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says(script);
        (await ReadAll(await Open(pool))).Should().Be(script);
        Opened.Should().Equal("a");
    }

    [Fact]
    public async Task An_end_without_a_mark_is_an_end_where_the_dialect_has_none()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one two");
        (await ReadAll(await OpenWith(pool, new NoMarks()))).Should().Be("one two");
    }

    [Fact]
    public async Task What_is_held_without_content_is_bounded_in_bytes_and_then_handed_over()
    {
        await using var pool = Pool(1, o => o.Streaming.HoldBytes = 800);
        Scripts["a"] = Says(string.Concat(Enumerable.Repeat("tick ", 8)) + "wait");
        await using var stream = await OpenWith(pool, new Sized());
        for (var i = 0; i < 8; i++)
            (await stream.MoveNextAsync()).Should().BeTrue();
    }

    [Fact]
    public async Task How_many_items_come_without_content_never_decides()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says(string.Concat(Enumerable.Repeat("ping ", 5_000)) + "Hello .");
        (await ReadAll(await Open(pool))).Should().EndWith("Hello .");
        Opened.Should().Equal("a");
    }

    [Fact]
    public async Task Failure_18_quick_keep_alives_do_not_pass_for_content_while_another_endpoint_is_untried()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says(string.Concat(Enumerable.Repeat("ping 0.1s ", 1000)));
        Scripts["b"] = Says("Hello .");
        var call = Open(pool).AsTask();
        Time.Advance(S(31));
        (await ReadAll(await call)).Should().Be("Hello .");
        Time.Advance(S(1));
        Disposed.Should().Be(2);
    }

    [Fact]
    public async Task What_was_handed_over_without_content_and_then_falls_silent_is_partial_with_nothing_delivered()
    {
        await using var pool = Pool(1, o => o.Streaming.HoldBytes = 200);
        Scripts["a"] = Says("tick tick wait");
        var reading = ReadAll(await OpenWith(pool, new Sized()));
        Time.Advance(S(31));
        (await reading.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which.DeliveredItems.Should().Be(0);
    }

    [Fact]
    public async Task A_reader_that_throws_before_the_first_content_fails_the_attempt_and_not_the_call()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says("throws");
        Scripts["b"] = Says("one");
        (await ReadAll(await OpenWith(pool, new NoMarks()))).Should().Be("one");
    }

    [Fact]
    public async Task A_reader_that_throws_later_ends_the_stream_and_frees_the_place()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one throws");
        await ReadAll(await OpenWith(pool, new NoMarks())).Awaiting(t => t).Should().ThrowAsync<Exception>();
        InFlight(pool).Should().Be(0);
        Disposed.Should().Be(1);
    }

    // After the first content

    [Fact]
    public async Task Contents_that_come_just_in_time_are_never_cut()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says(string.Concat(Enumerable.Repeat("29s word ", 50)) + ".");
        var call = Open(pool).AsTask();
        Time.Advance(S(29));
        var reading = ReadAll(await call);
        Time.Advance(S(29 * 50));
        (await reading).Should().EndWith("word .");
    }

    [Fact]
    public async Task A_pause_of_our_own_process_does_not_cut_a_stream()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one 25s two .");
        var reading = ReadAll(await Open(pool));
        Time.Advance(S(1));
        Time.Pause(S(60));
        Time.Advance(S(1));
        (await reading).Should().Be("one two .");
    }

    [Fact]
    public async Task After_a_cut_reading_on_goes_on_throwing()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello cut");
        var stream = await Open(pool);
        await ReadAll(stream).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>();
        for (var i = 0; i < 2; i++)
            await stream.Awaiting(s => s.MoveNextAsync().AsTask()).Should().ThrowAsync<PartialResponseException>("an end would look like a whole answer");
    }

    [Fact]
    public async Task The_exception_of_a_cut_says_what_the_attempts_came_to_and_shows_nothing_of_the_answer()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says("role cut");
        Scripts["b"] = Says("secret 3s answer cut");
        var reading = ReadAll(await Open(pool));
        Time.Advance(S(4));
        var partial = (await reading.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.Attempts.Select(a => a.Endpoint).Should().Equal("a", "b");
        partial.Attempts[1].Fault!.Applied.Should().Be(FaultApplied.Partial);
        partial.Attempts[1].Duration.Should().Be(S(3));
        partial.Message.Should().NotContain("secret").And.NotContain("unfinished");
        partial.InnerException.Should().BeOfType<HttpIOException>();
    }

    [Fact]
    public async Task A_stream_that_breaks_because_the_caller_cancelled_is_cancelled_and_not_partial()
    {
        await using var pool = Pool(1);
        using var caller = new CancellationTokenSource();
        Scripts["a"] = Says("one wait");
        var reading = ReadAll(await Open(pool, ct: caller.Token));
        caller.Cancel();
        (await reading.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(caller.Token);
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();
    }

    [Fact]
    public async Task The_token_of_the_reading_ends_it_like_that_of_the_call()
    {
        await using var pool = Pool(1);
        using var reader = new CancellationTokenSource();
        Scripts["a"] = Says("one wait");
        await using var stream = await Open(pool);
        var items = stream.GetAsyncEnumerator(reader.Token);
        (await items.MoveNextAsync()).Should().BeTrue();
        var next = items.MoveNextAsync().AsTask();
        reader.Cancel();
        await next.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task Leaving_the_loop_early_closes_the_source_and_cancels_its_token()
    {
        await using var pool = Pool(1);
        CancellationToken held = default;
        Scripts["a"] = token => { held = token; return Play("one two three .", token); };
        await foreach (var _ in await Open(pool))
            break;
        Disposed.Should().Be(1);
        held.IsCancellationRequested.Should().BeTrue();
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task Disposing_while_a_read_waits_ends_that_read()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one wait");
        var stream = await Open(pool);
        await stream.MoveNextAsync();
        var next = stream.MoveNextAsync().AsTask();
        await stream.DisposeAsync();
        next.IsCompleted.Should().BeTrue();
        await next.Awaiting(t => t).Should().ThrowAsync<Exception>();
        Disposed.Should().Be(1);
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task Disposing_twice_is_disposing_once()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one wait");
        var stream = await Open(pool);
        await stream.DisposeAsync();
        await stream.DisposeAsync();
        Disposed.Should().Be(1);
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task A_stream_that_nobody_began_to_read_can_be_disposed_of()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("role one two .");
        await (await Open(pool)).DisposeAsync();
        Disposed.Should().Be(1);
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task A_stream_counts_as_one_call_under_way_from_its_opening_to_its_end_and_not_longer()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one two .");
        var seen = new List<int>();
        await foreach (var _ in await Open(pool))
            seen.Add(InFlight(pool));
        seen.Should().Equal(1, 1, 1);
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task A_trial_is_decided_at_the_first_content_while_the_stream_goes_on()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says("cut");
        Scripts["b"] = Says("Hello .");
        for (var i = 0; i < 10; i++)
            await ReadAll(await Open(pool));
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("health");
        Scripts["a"] = Says("Hello 600s .");
        Time.Advance(S(10));
        Opened.Clear();
        await using var trial = await Open(pool);
        Opened.Should().Equal("a");
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull("its trial was passed, although its stream goes on");
    }

    [Fact]
    public async Task Usage_at_the_end_of_a_stream_settles_the_limits_by_the_truth()
    {
        await using var pool = Pool(1, o => o.Endpoints[0].Limits = new() { TokensPerMinute = 2000 });
        Scripts["a"] = Says("one two .");
        var estimate = new RequestProfile { InputTokens = 100, MaxOutputTokens = 800 };
        for (var i = 0; i < 20; i++) // with the estimated tokens, the third call would have to wait
        {
            await using (var stream = await pool.StreamAsync(estimate, this, static (attempt, test, token) => new ValueTask<IAsyncEnumerable<string>>(test.Scripts["a"](token)), new Sized(), Ct))
                await ReadAll(stream);
        }

        Opened.Clear();
        InFlight(pool).Should().Be(0);
    }

    // Hedging

    [Fact]
    public async Task Of_two_streams_the_first_content_wins_and_nothing_of_the_other_is_delivered()
    {
        await using var pool = Pool(2, o => { o.Hedging.Enabled = true; o.Hedging.MinimumDelay = S(1); o.FirstContent.Minimum = S(20); });
        Scripts["a"] = Scripts["b"] = Says("role 0.1s usual .");
        for (var i = 0; i < 60; i++)
        {
            var usual = Open(pool).AsTask();
            Time.Advance(S(0.2));
            await ReadAll(await usual);
        }
        Scripts["a"] = Says("role 5s fromA .");
        Scripts["b"] = Says("role 5s fromB .");
        var before = Disposed;
        Opened.Clear();
        var call = Open(pool).AsTask();
        Time.Advance(S(1));
        Opened.Should().HaveCount(2, "a second of silence is unusual here");
        var winner = Opened[0];
        Time.Advance(S(4));
        var stream = await call;
        stream.Detail.Hedged.Should().BeTrue();
        (await ReadAll(stream)).Should().Be($"role from{winner.ToUpperInvariant()} .");
        Time.Advance(S(5));
        (Disposed - before).Should().Be(2);
        InFlight(pool).Should().Be(0);
    }

    // Continuation

    [Fact]
    public async Task A_whole_answer_is_never_continued()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello .");
        var asked = 0;
        await ReadAll(await Open(pool, continueWith: (_, _) => { asked++; return new((IAsyncEnumerable<string>?)null); }));
        asked.Should().Be(0);
    }

    [Fact]
    public async Task A_cancelled_answer_is_never_continued()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello wait");
        using var caller = new CancellationTokenSource();
        var asked = 0;
        var reading = ReadAll(await Open(pool, ct: caller.Token, continueWith: (_, _) => { asked++; return new((IAsyncEnumerable<string>?)null); }));
        caller.Cancel();
        await reading.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        asked.Should().Be(0);
    }

    [Fact]
    public async Task A_continuation_may_be_a_stream_of_the_pool_itself_and_leaves_nothing_open()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says("Hello cut");
        Scripts["b"] = Says("world .");
        var stream = await Open(pool, continueWith: async (_, _) => await Open(pool));
        (await ReadAll(stream)).Should().Be("Hello world .");
        InFlight(pool).Should().Be(0);
        Disposed.Should().Be(2);
    }

    [Fact]
    public async Task A_continuation_without_an_end_mark_is_a_cut_like_the_first()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello !");
        var stream = await Open(pool, continueWith: (_, token) => new(Play("more", token)));
        (await ReadAll(stream).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which.Fault.Kind.Should().Be(FaultKind.Overloaded);
    }

    // All guarantees together

    [Fact]
    public void Whatever_three_endpoints_send_the_reader_gets_one_whole_answer_or_the_beginning_of_one_and_an_exception()
    {
        var words = Gen.Elements("role", "ping", "one", "two", "1s", "40s", ".", "!", "cut", "hang", "wait");
        var script = words.ArrayOf().Select(w => string.Join(' ', w));
        var scripts = from a in script from b in script from c in script select new[] { a, b, c };
        Prop.ForAll(scripts.ToArbitrary(), all => Check(all).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(Effort.Of(100)));

        async Task Check(string[] all)
        {
            await using var pool = Pool(3, o => o.TotalRequestTimeout.Timeout = S(60));
            var left = Disposed;
            Opened.Clear();
            foreach (var (name, words) in "abc".Zip(all))
                Scripts[name.ToString()] = Says(words);
            var items = new List<string>();
            Exception? failure = null;
            string? servedBy = null;
            var reading = Read();
            for (var i = 0; i < 300 && !reading.IsCompleted; i++)
                Time.Advance(S(1));
            reading.IsCompleted.Should().BeTrue("every silence has a bound");
            await reading;
            InFlight(pool).Should().Be(0);
            if (servedBy is null)
            {
                failure.Should().BeAssignableTo<EndpointPoolException>();
            }
            else
            {
                var sent = all[servedBy[0] - 'a'].Split(' ').Where(w => !w.EndsWith('s') && w is not ("cut" or "hang" or "wait" or "!")).ToList();
                items.Should().Equal(sent.Take(items.Count), "nothing is replayed, mixed, or out of order");
                if (failure is null)
                    items.Should().Contain(".", "an answer that ends well has its end mark");
                else
                    failure.Should().BeOfType<PartialResponseException>();
            }

            async Task Read()
            {
                try
                {
                    await using var stream = await Open(pool);
                    servedBy = stream.Detail.Endpoint;
                    await foreach (var item in stream)
                        items.Add(item);
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            }
        }
    }
}
