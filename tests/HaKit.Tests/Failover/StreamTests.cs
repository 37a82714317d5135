using System.Net;
using System.Runtime.CompilerServices;
using HaKit.Faults;

namespace HaKit.Tests.Failover;

/// <summary>Tests up to which point a stream fails over, and what happens after that point.</summary>
public sealed class StreamTests : StreamBench
{
    [Fact]
    public async Task Items_before_the_first_content_are_held_and_delivered_in_order()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("role ping Hello world .");
        (await ReadAll(await Open(pool))).Should().Be("role ping Hello world .");
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("role cut")]
    [InlineData("role ping ping cut")]
    [InlineData("!")]
    [InlineData("role !")]
    [InlineData("")]
    [InlineData("role")]
    public async Task Failure_14_a_stream_that_fails_before_its_first_content_fails_over_silently(string script)
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says(script);
        Scripts["b"] = Says("role Hello world .");
        var stream = await Open(pool);
        (await ReadAll(stream)).Should().Be("role Hello world .");
        Opened.Should().Equal("a", "b");
        stream.Detail.Endpoint.Should().Be("b");
        stream.Detail.Attempts.Should().HaveCount(2);
        Disposed.Should().Be(2);
    }

    [Fact]
    public async Task Failure_15_a_stream_that_is_opened_lazily_is_inside_the_attempt()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says("cut"); // the stream opens successfully and fails when the first item is read
        Scripts["b"] = Says("Hello .");
        (await ReadAll(await Open(pool))).Should().Be("Hello .");
    }

    [Theory]
    [InlineData("Hello wor cut")]
    [InlineData("Hello wor")]
    [InlineData("Hello wor !")]
    public async Task Failure_13_and_16_a_stream_cut_after_content_ends_with_a_partial_response_and_is_not_replayed(string script)
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says(script);
        Scripts["b"] = Says("Hello world .");
        var stream = await Open(pool);
        var partial = (await ReadAll(stream).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.Endpoint.Should().Be("a");
        partial.DeliveredItems.Should().Be(2);
        partial.Fault.Applied.Should().Be(FaultApplied.Partial);
        Opened.Should().Equal("a");
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_cut_counts_the_attempts_that_it_does_not_list_and_names_the_wait_rules_of_its_call()
    {
        await using var pool = Pool(1);
        Scripts["a"] = token => Opened.Count > 20 ? Play("Hello cut", token) : throw new HttpRequestException("500", null, HttpStatusCode.InternalServerError);
        var stream = Time.Run(() => Open(pool).AsTask());
        var partial = (await ReadAll(stream).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.Attempts.Should().HaveCount(13);
        (partial.AttemptCount, partial.PerhapsBilled).Should().Be((21, 21));
        partial.WaitRules.Should().NotBeEmpty().And.Equal(stream.Detail.WaitRules);
        partial.Message.Should().Contain("(8 more)");
    }

    [Fact]
    public async Task A_cut_after_the_end_mark_takes_nothing_from_the_answer()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello . cut");
        (await ReadAll(await Open(pool))).Should().Be("Hello .");
    }

    [Fact]
    public async Task Failure_18_keep_alives_do_not_defeat_the_first_content_limit()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says(string.Concat(Enumerable.Repeat("ping 1s ", 60)) + "late .");
        Scripts["b"] = Says("Hello .");
        var call = Open(pool).AsTask();
        Time.Advance(TimeSpan.FromSeconds(31));
        call.IsCompleted.Should().BeTrue();
        (await ReadAll(await call)).Should().Be("Hello .");
    }

    [Theory]
    [InlineData("Hello ")]
    [InlineData("Hello 5s world ")]
    public async Task Keep_alives_do_not_defeat_the_idle_watchdog_after_content(string beginning)
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says(beginning + string.Concat(Enumerable.Repeat("ping 10s ", 60)));
        var reading = ReadAll(await Open(pool));
        Time.Advance(TimeSpan.FromSeconds(29));
        reading.IsCompleted.Should().BeFalse();
        Time.Advance(TimeSpan.FromSeconds(10));
        (await reading.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which.Fault.Kind.Should().Be(FaultKind.IdleTimeout);
    }

    [Fact]
    public async Task The_watchdog_does_not_need_the_source_to_obey()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello hang");
        var reading = ReadAll(await Open(pool));
        Time.Advance(TimeSpan.FromSeconds(31));
        await reading.Awaiting(t => t).Should().ThrowAsync<PartialResponseException>();
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
    }

    [Fact]
    public async Task The_consumers_own_slowness_is_not_charged_to_the_endpoint()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one 20s two 20s three .");
        var text = "";
        await using var stream = await Open(pool);
        for (var i = 0; i < 4; i++)
        {
            var next = stream.MoveNextAsync().AsTask();
            Time.Advance(TimeSpan.FromSeconds(20));
            (await next).Should().BeTrue();
            text += stream.Current + " ";
            Time.Advance(TimeSpan.FromMinutes(5)); // the consumer does not read for a while
        }
        text.Should().Be("one two three . ");
    }

    [Fact]
    public async Task The_deadline_ends_at_the_first_content()
    {
        await using var pool = Pool(1, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        Scripts["a"] = Says("one " + string.Concat(Enumerable.Repeat("20s more ", 30)) + ".");
        var reading = ReadAll(await Open(pool));
        Time.Advance(TimeSpan.FromMinutes(11));
        (await reading).Should().EndWith("more .");
    }

    [Fact]
    public async Task A_silent_endpoint_is_left_for_the_next_one_even_if_it_ignores_its_token()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says("role hang");
        Scripts["b"] = Says("Hello .");
        var call = Open(pool).AsTask();
        Time.Advance(TimeSpan.FromSeconds(30));
        call.IsCompleted.Should().BeTrue();
        (await ReadAll(await call)).Should().Be("Hello .");
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Fact]
    public async Task A_stream_counts_as_load_until_it_is_disposed()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one wait");
        var stream = await Open(pool);
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(1);
        await stream.DisposeAsync();
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
        Disposed.Should().Be(1);
    }

    [Fact]
    public async Task A_stream_that_is_dropped_without_being_disposed_gives_its_place_back()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one wait");
        await Drop();
        var timers = Time.ArmedTimers;
        for (var i = 0; i < 50 && Time.ArmedTimers == timers && pool.Explain(RequestProfile.Default)[0].InFlight > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(1, "the finalizer's thread must not run callbacks, and leaves this to a timer");
        Time.Advance(TimeSpan.Zero);
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);

        [MethodImpl(MethodImplOptions.NoInlining)]
        async Task Drop() => (await Open(pool)).Current.Should().BeNull();
    }

    [Fact]
    public async Task The_caller_can_cancel_while_the_source_is_silent_and_nobody_is_blamed()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one hang");
        using var caller = new CancellationTokenSource();
        var reading = ReadAll(await Open(pool, ct: caller.Token));
        caller.Cancel();
        await reading.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        var endpoint = pool.Explain(RequestProfile.Default)[0];
        endpoint.InFlight.Should().Be(0);
        endpoint.NotAdmittedBy.Should().BeNull();
    }

    [Fact]
    public async Task A_content_filter_goes_back_to_the_caller_and_on_to_another_endpoint_only_when_asked()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says("role filtered");
        Scripts["b"] = Says("Hello .");
        (await Open(pool).AsTask().Awaiting(t => t).Should().ThrowAsync<EndpointFaultException>()).Which.Fault.Kind.Should().Be(FaultKind.ContentFilter);
        Scripts["b"] = Says("role filtered");
        Scripts["a"] = Says("Hello .");
        (await ReadAll(await Open(pool, new RequestProfile { MoveOnAfterContentFilter = true }))).Should().Be("Hello .");
    }

    [Fact]
    public async Task A_continuation_goes_on_where_the_cut_was()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello cut");
        var stream = await Open(pool, continueWith: (partial, token) => new(Play($"again-after-{partial.DeliveredItems} .", token)));
        (await ReadAll(stream)).Should().Be("Hello again-after-1 .");
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("null")]
    [InlineData("cut")]
    public async Task Failure_17_a_continuation_that_fails_does_not_mask_the_first_cut(string how)
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello world !");
        var stream = await Open(pool, continueWith: (_, token) => how switch
        {
            "throws" => throw new InvalidOperationException("refused"),
            "null" => new((IAsyncEnumerable<string>?)null),
            _ => new(Play("more cut", token)),
        });
        var partial = (await ReadAll(stream).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.Fault.Kind.Should().Be(FaultKind.Overloaded);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_application_s_own_rest_is_requested_once_and_a_cut_of_it_ends_the_stream(bool fromPool)
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello cut");
        var asked = 0;
        var stream = await Open(pool, continueWith: async (_, token) =>
        {
            asked++;
            Scripts["a"] = Says("more cut");
            return fromPool ? await Open(pool, ct: token) : Play("more cut", token);
        });
        var text = "";
        var reading = async () =>
        {
            await foreach (var word in stream)
                text += word + " ";
        };
        var partial = (await reading.Should().ThrowAsync<PartialResponseException>()).Which;
        text.Should().Be("Hello more ");
        asked.Should().Be(1);
        (partial.NotContinued, partial.DeliveredItems).Should().Be((NotContinuedReason.Failed, 2));
        stream.Detail.Seams.Should().ContainSingle();
    }

    [Fact]
    public async Task Streams_cut_after_content_count_against_their_endpoint()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("Hello cut");
        for (var i = 0; i < 20; i++)
            await ReadAll(await Open(pool)).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>();
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("health");
    }

    [Fact]
    public async Task A_token_of_a_stream_is_not_used_again_by_other_calls()
    {
        await using var pool = Pool(1, o => o.AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(5) });
        CancellationToken held = default;
        Scripts["a"] = token => { held = token; return Play("one 1s two 1s three .", token); };
        var stream = await Open(pool);
        for (var i = 0; i < 10; i++)
        {
            var other = pool.ExecuteAsync<int, int>(0, static (_, _, _) => new(new TaskCompletionSource<int>().Task), Ct).AsTask();
            Time.Advance(TimeSpan.FromSeconds(0.1));
        }
        Time.Advance(TimeSpan.FromSeconds(10));
        held.IsCancellationRequested.Should().BeFalse();
        var reading = ReadAll(stream);
        Time.Advance(TimeSpan.FromSeconds(5));
        (await reading).Should().Be("one two three .");
    }
}
