using System.Globalization;
using System.Text;
using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests each answer that was seen in public reports and once misled this library, from its file and over real sockets. The endpoint with the answer is in tier
/// 0, and a healthy endpoint is in tier 1.
/// </summary>
public sealed class WireInputTests
{
    private const int Calls = 60;
    private const int MostAttempts = 10;
    private static readonly Action<EndpointPoolOptions> s_ofAnotherAccount = o => o.Endpoints[1].Account = o.Endpoints[1].KeyName = "another";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string> Moving => Expecting("moves");

    public static TheoryData<string> GoingBack => Expecting("back");

    public static TheoryData<string> Refused => Expecting("refused");

    public static TheoryData<string> Partial => Expecting("partial");

    public static TheoryData<string> Whole => Expecting("whole");

    public static TheoryData<string> Silent => Expecting("silent");

    public static TheoryData<string> Thinking => Expecting("thinks");

    public static TheoryData<string> Cooling => Expecting("cools");

    public static TheoryData<string> Quotas => Expecting("quota");

    public static TheoryData<string> Once => Expecting("once");

    public static TheoryData<string> Unasked => Expecting("unasked");

    public static TheoryData<string> Usage => Expecting("usage");

    [Fact]
    public void Every_file_is_in_one_of_the_lists() =>
        new[] { Moving, GoingBack, Refused, Partial, Whole, Silent, Thinking, Cooling, Quotas, Once, Unasked, Usage }.Sum(l => l.Count).Should().Be(WireInput.All.Count).And.BeGreaterThan(80);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Moving))]
    public async Task An_endpoint_that_answers_so_takes_no_calls_from_a_well_sibling(string name)
    {
        var input = WireInput.Named(name);
        await using var pair = new WirePair(input, _ => input.AnswerAt(default));
        for (var i = 0; i < Calls; i++)
        {
            (await pair.AskAsync()).Text.Should().Contain("served");
        }
        pair.Asked.First.Should().BeInRange(1, MostAttempts);
        pair.Asked.Second.Should().Be(Calls);
        (pair.Health[0].Cause is not null || pair.Health[0].CooldownUntil is not null).Should().BeTrue("the state tells why");
        if (input.Settings.TryGetValue("fault", out var fault))
        {
            $"{pair.Health[0].Cause?.Kind}".Should().Be(fault);
        }
        pair.Health[1].Should().Match<HealthState>(h => h.Status == EndpointHealthStatus.Healthy && h.CooldownUntil == null);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(GoingBack))]
    public async Task A_refusal_of_one_prompt_goes_back_at_once_and_moves_no_other_call(string name)
    {
        var input = WireInput.Named(name);
        var most = int.Parse(input.Settings.GetValueOrDefault("asked", "2"), CultureInfo.InvariantCulture);
        await using var pair = new WirePair(input, r => r.Body.Contains("BAD", StringComparison.Ordinal) ? input.AnswerAt(default) : null, isOfBoth: true);
        for (var i = 0; i < 8; i++)
        {
            var before = pair.Asked;
            (await pair.AskAsync("BAD")).Should().Be((input.Status, Encoding.UTF8.GetString(input.Body)));
            (pair.Asked.First - before.First).Should().Be(1);
            (pair.Asked.Second - before.Second).Should().BeLessThanOrEqualTo(most - 1);
            (await pair.AskAsync()).Text.Should().Contain("served");
            (pair.Asked.First - before.First).Should().Be(2, "the other call stays where it was");
        }
        pair.Health.Should().OnlyContain(h => h.Status == EndpointHealthStatus.Healthy && h.CooldownUntil == null);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Refused))]
    public async Task What_every_endpoint_answers_goes_back_at_once_and_ejects_none(string name)
    {
        var input = WireInput.Named(name);
        await using var pair = new WirePair(input, _ => input.AnswerAt(default), isOfBoth: true);
        for (var i = 1; i <= 8; i++)
        {
            (await pair.AskAsync()).Should().Be((input.Status, Encoding.UTF8.GetString(input.Body)));
            pair.Asked.Should().Be((i, i));
        }
        pair.Health.Should().OnlyContain(h => h.Status == EndpointHealthStatus.Healthy && h.CooldownUntil == null);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Partial))]
    public async Task A_stream_that_failed_after_content_ends_with_an_exception(string name)
    {
        var input = WireInput.Named(name);
        await using var pair = new WirePair(input, _ => input.AnswerAt(default));
        (await pair.Awaiting(p => p.AskAsync()).Should().ThrowAsync<PartialResponseException>()).Which.DeliveredItems.Should().Be(1);
        pair.Asked.Should().Be((1, 0), "what was delivered is not replayed");
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Whole))]
    public async Task A_whole_answer_is_delivered_byte_for_byte_and_its_text_before_its_end(string name)
    {
        var input = WireInput.Named(name);
        await using var pair = new WirePair(input, _ => input.AnswerAt(default));
        for (var i = 0; i < 3; i++)
        {
            using var response = await pair.SendAsync("hi", Ct);
            (await response.Content.ReadAsByteArrayAsync(Ct)).Should().Equal(input.Body);
        }
        pair.Asked.Should().Be((3, 0));
        pair.Health[0].Should().Match<HealthState>(h => h.Status == EndpointHealthStatus.Healthy && h.CooldownUntil == null);

        var goOn = new TaskCompletionSource();
        var cut = input.Body.AsSpan().IndexOf("half "u8);
        var end = cut + input.Body.AsSpan(cut).IndexOfAny((byte)'\n', (byte)'\r') + 2;
        if (end <= cut + 1 || end >= input.Body.Length)
        {
            return; // in one piece
        }
        await using var slow = new WirePair(input, _ => new RawAnswer(200, input.ContentType, input.Body[..end], input.Body[end..]) { Before = (_, token) => goOn.Task.WaitAsync(token) });
        using var early = await slow.SendAsync("hi", Ct);
        await using var body = await early.Content.ReadAsStreamAsync(Ct);
        var text = "";
        var buffer = new byte[4096];
        while (!text.Contains("half ", StringComparison.Ordinal))
        {
            text += Encoding.UTF8.GetString(buffer, 0, await body.ReadAsync(buffer, Ct));
        }
        goOn.SetResult();
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Silent))]
    public async Task Keep_alives_hold_no_call_beside_a_well_sibling(string name)
    {
        var input = WireInput.Named(name);
        var time = new ManualTimeProvider();
        byte[][] pieces = [.. Enumerable.Repeat(input.Body, 5000)];
        await using var pair = new WirePair(input, _ => new RawAnswer(200, input.ContentType, pieces) { Before = (_, token) => Task.Delay(2, token) }, time: time);
        var call = pair.AskAsync();
        while (!call.IsCompleted)
        {
            if (pair.Asked is { First: > 0, Second: 0 })
                time.Advance(TimeSpan.FromSeconds(0.3));
            await Task.WhenAny(call, Task.Delay(5, Ct));
        }
        (await call).Text.Should().Contain("served");
        time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(35), "the limit on the first content bounds them");
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Thinking))]
    public async Task A_lone_endpoint_that_thinks_for_long_is_waited_for(string name)
    {
        var input = WireInput.Named(name);
        var seconds = int.Parse(input.Argument!, CultureInfo.InvariantCulture);
        var time = new ManualTimeProvider();
        var answers = 0;
        long dueAt = 0;
        await using var pair = new WirePair(input, r =>
        {
            var begun = time.Elapsed;
            var isFirst = Interlocked.Increment(ref answers) == 1;
            return new RawAnswer(200, input.ContentType, [.. Enumerable.Repeat(input.Body, seconds), .. WirePair.Well(r).Pieces]) { Before = (i, token) => UntilAsync(begun + TimeSpan.FromSeconds(i), isFirst, token) };
        }, time: time, isAlone: true);
        var call = pair.AskAsync();
        while (!call.IsCompleted)
        {
            await Task.WhenAny(call, Task.Delay(10, Ct));
            // The time passes only until the next piece of the first answer is due, so it does not run ahead of a busy machine.
            if (time.Elapsed.Ticks < Volatile.Read(ref dueAt))
                time.Advance(TimeSpan.FromSeconds(0.5));
        }
        (await call).Text.Should().Contain("served");
        pair.Asked.First.Should().BeLessThanOrEqualTo(2, "it is kept, and at most one more is asked beside it");
        time.Elapsed.TotalSeconds.Should().BeInRange(seconds, seconds + 3, "the first attempt is never cut");
        pair.Health[0].Status.Should().Be(EndpointHealthStatus.Healthy);

        async Task UntilAsync(TimeSpan at, bool isFirst, CancellationToken token)
        {
            if (isFirst)
                Volatile.Write(ref dueAt, at.Ticks);
            while (time.Elapsed < at)
                await Task.Delay(3, token);
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Cooling))]
    public async Task The_time_to_come_back_is_read(string name)
    {
        var input = WireInput.Named(name);
        var told = TimeSpan.FromSeconds(int.Parse(input.Argument!, CultureInfo.InvariantCulture));
        var time = new ManualTimeProvider();
        await using var pair = new WirePair(input, _ => input.AnswerAt(time.GetUtcNow()), time: time, configure: s_ofAnotherAccount);
        for (var i = 0; i < 3; i++)
        {
            (await pair.AskAsync()).Text.Should().Contain("served");
        }
        pair.Asked.Should().Be((1, 3));
        (pair.Health[0].CooldownUntil!.Value - time.Elapsed).Should().BeCloseTo(told, TimeSpan.FromSeconds(1.1));
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Quotas))]
    public async Task A_used_up_quota_reaches_the_account_and_is_tried_after_60_s_and_then_twice_as_long(string name)
    {
        var input = WireInput.Named(name);
        var time = new ManualTimeProvider();
        var isSpent = false;
        await using var pair = new WirePair(input, _ => isSpent ? input.AnswerAt(time.GetUtcNow()) : null, time: time, configure: s_ofAnotherAccount);
        await pair.AskAsync();
        isSpent = true;
        var asked = new List<double>();
        for (var (i, seen) = (0, pair.Asked.First); i < 700; i++, time.Advance(TimeSpan.FromSeconds(1)))
        {
            (await pair.AskAsync()).Text.Should().Contain("served");
            if (pair.Asked.First > seen)
            {
                asked.Add(time.Elapsed.TotalSeconds);
                pair.Health[0].CooldownCause!.Kind.Should().Be(FaultKind.QuotaExhausted);
            }
            seen = pair.Asked.First;
        }
        asked.Should().HaveCountGreaterThanOrEqualTo(3).And.HaveCountLessThanOrEqualTo(5);
        (asked[1] - asked[0]).Should().BeInRange(50, 75);
        (asked[2] - asked[1]).Should().BeInRange(100, 150);
        isSpent = false;
        time.Advance(TimeSpan.FromMinutes(10));
        var before = pair.Asked.First;
        for (var i = 0; i < 5; i++)
        {
            (await pair.AskAsync()).Text.Should().Contain("served");
        }
        pair.Asked.First.Should().BeGreaterThan(before, "a quota that was filled up is found");
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Once))]
    public async Task One_401_of_a_key_that_has_served_costs_no_call(string name)
    {
        var input = WireInput.Named(name);
        foreach (var isAlone in (bool[])[true, false])
        {
            var time = new ManualTimeProvider();
            var left = 0;
            await using var pair = new WirePair(input, _ => Interlocked.Decrement(ref left) >= 0 ? input.AnswerAt(time.GetUtcNow()) : null, isOfBoth: true, time: time, isAlone: isAlone);
            await pair.AskAsync();
            left = 1;
            for (var i = 0; i < 5; i++)
            {
                (await PassTimeAsync(pair.AskAsync(), time)).Text.Should().Contain("served");
            }
            time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(11));
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Once))]
    public async Task The_next_token_of_a_credential_that_rotates_is_tried_at_once(string name)
    {
        var input = WireInput.Named(name);
        var time = new ManualTimeProvider();
        var token = "old";
        await using var pair = new WirePair(input, r => r.Headers.GetValueOrDefault("Authorization") == "Bearer old" ? input.AnswerAt(time.GetUtcNow()) : null, time: time, isAlone: true,
            parts: new EndpointPoolParts { Credential = (_, _) => new(token) });
        await pair.Awaiting(p => p.AskAsync()).Should().ThrowAsync<EndpointPoolException>();
        pair.Asked.First.Should().Be(1);
        token = "new";
        (await pair.AskAsync()).Text.Should().Contain("served");
        pair.Asked.First.Should().Be(2);
        time.Elapsed.Should().Be(TimeSpan.Zero);
        token = "old";
        await PassTimeAsync(pair.AskAsync(), time).Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>();
        pair.Asked.First.Should().BeLessThanOrEqualTo(6, "a token that was refused gets trials only");
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Once))]
    public async Task A_bad_key_of_one_caller_takes_the_endpoint_from_no_other_caller(string name)
    {
        var input = WireInput.Named(name);
        var time = new ManualTimeProvider();
        await using var pair = new WirePair(input, r => r.Headers.GetValueOrDefault("Authorization") == "Bearer bad" ? input.AnswerAt(time.GetUtcNow()) : null, time: time, isAlone: true,
            configure: o => o.Endpoints[0].ForwardCallerCredential = true);
        for (var i = 0; i < 5; i++)
        {
            await PassTimeAsync(pair.AskAsync(credential: "Bearer bad"), time).Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>();
            (await pair.AskAsync(credential: "Bearer good")).Text.Should().Contain("served");
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Unasked))]
    public async Task What_says_not_to_retry_is_not_asked_again_in_the_call_and_others_are(string name)
    {
        var input = WireInput.Named(name);
        await using (var pair = new WirePair(input, _ => input.AnswerAt(default)))
        {
            (await pair.AskAsync()).Text.Should().Contain("served");
            pair.Asked.Should().Be((1, 1));
        }
        await using var both = new WirePair(input, _ => input.AnswerAt(default), isOfBoth: true);
        await both.Awaiting(p => p.AskAsync()).Should().ThrowAsync<EndpointPoolException>();
        both.Asked.Should().Be((1, 1));
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Usage))]
    public async Task Usage_is_known_wherever_the_answer_tells_it(string name)
    {
        var input = WireInput.Named(name);
        using var tokens = new MetricRecorder("HaKit");
        await using (var pair = new WirePair(input, _ => input.AnswerAt(default), configure: o => o.Endpoints[0].Name = "told by usage"))
        {
            (await pair.AskAsync()).Text.Should().Contain("half");
        }
        double Told(string kind) => tokens.Measurements.Where(m => m.Instrument == "hakit.tokens" && m.Tags.Any(t => Equals(t.Value, "told by usage")) && m.Tags.Any(t => Equals(t.Value, kind))).Sum(m => m.Value);
        $"{Told("input")} {Told("output")}".Should().Be(input.Argument);
    }

    private static async Task<(int Status, string Text)> PassTimeAsync(Task<(int Status, string Text)> call, ManualTimeProvider time)
    {
        while (!call.IsCompleted)
        {
            await Task.WhenAny(call, Task.Delay(20, Ct));
            if (!call.IsCompleted)
                time.Advance(TimeSpan.FromSeconds(0.5));
        }
        return await call;
    }

    private static TheoryData<string> Expecting(string word) => [.. WireInput.All.Where(i => i.Expect == word).Select(i => i.Name)];
}
