using System.Diagnostics;
using System.Text;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>
/// Tests streamed chat answers that are cut: how another endpoint continues them, which answers are not continued and why, and the result for the caller.
/// </summary>
public sealed class ContinuationTests
{
    private static readonly ChatOptions s_long = new() { MaxOutputTokens = 60 };

    private static string Whole => FakeAnswers.AnswerTo("hi", 60);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(59)]
    [InlineData(60)] // only the finish reason is missing
    public void A_cut_answer_is_continued_by_another_endpoint_and_comes_whole(int after)
    {
        var world = Continuing(2);
        world["a"].Faults.Always(FakeFault.CutAfter(after));
        var (updates, failure) = world.Read(s_long);
        failure.Should().BeNull();
        Text(updates).Should().Be(Whole);
        var request = world["b"].Requests.Should().ContainSingle().Subject;
        request.Messages[^1].Role.Should().Be(ChatRole.Assistant);
        request.Messages[^1].Text.Should().Be(string.Concat(Pieces(updates).Take(after)).TrimEnd());
        request.Options!.MaxOutputTokens.Should().Be(Math.Max(1, 60 - after));
    }

    [Fact]
    public void Without_continuation_a_cut_ends_the_stream_and_says_that_it_is_off()
    {
        var world = new ChatWorld(2);
        world["a"].Faults.Always(FakeFault.CutAfter(3));
        var failure = world.Read(s_long).Failure.Should().BeOfType<PartialResponseException>().Subject;
        failure.NotContinued.Should().Be(NotContinuedReason.Off);
        world["b"].Requests.Should().BeEmpty();
    }

    [Fact]
    public void One_call_may_ask_for_continuation_or_forbid_it()
    {
        var world = Continuing(2, o => o.Streaming.Continuation = StreamContinuation.Off);
        world["a"].Faults.Always(FakeFault.CutAfter(3));
        world.Read(new ChatOptions { MaxOutputTokens = 60 }.UseHaProfile(new RequestProfile { MayContinue = true })).Failure.Should().BeNull();
        var on = Continuing(2);
        on["a"].Faults.Always(FakeFault.CutAfter(3));
        on.Read(new ChatOptions().UseHaProfile(new RequestProfile { MayContinue = false })).Failure.Should().BeOfType<PartialResponseException>();
    }

    [Fact]
    public void The_answer_has_one_id_and_one_finish_reason_and_its_usage_and_price_are_those_of_both_parts()
    {
        var world = Continuing(2, endpoint: (name, e) => (e.InputTokenPrice, e.OutputTokenPrice) = name == "a" ? (1_000_000, 10_000_000) : (2_000_000, 20_000_000));
        world["a"].Faults.Always(FakeFault.CutAfter(10));
        var (updates, failure) = world.Read(s_long);
        failure.Should().BeNull();
        updates.Count(u => u.FinishReason is not null).Should().Be(1);
        var usage = updates.SelectMany(u => u.Contents).OfType<UsageContent>().Should().ContainSingle().Subject.Details;
        usage.OutputTokenCount.Should().Be(60);
        var prompt = FakeAnswers.CountTokens("hi");
        var second = prompt + FakeAnswers.CountTokens(world["b"].Requests.Single().Messages[^1].Text);
        usage.InputTokenCount.Should().Be(second + Math.Max(0, second - 10));
        var last = updates.Last(u => u.AdditionalProperties?.ContainsKey(ChatStory.SeamsKey) == true);
        last.AdditionalProperties![ChatStory.SeamsKey].Should().BeOfType<string>().Which.Should().StartWith("a → b after ");
        var cost = second * 2 + 50 * 20 + Math.Max(0, second - 10) * 1 + 10 * 10;
        updates.Select(u => u.AdditionalProperties?.GetValueOrDefault(ChatStory.CostKey)).OfType<string>().Should().Equal(FormattableString.Invariant($"≥{cost}"));
        updates.Select(u => u.AdditionalProperties?.GetValueOrDefault(ChatStory.EndpointKey)).OfType<string>().Should().Equal("a");
    }

    [Fact]
    public void A_conversation_that_the_rest_names_goes_on_at_the_endpoint_of_the_rest()
    {
        var world = Continuing(2);
        world["a"].Faults.Next(1, FakeFault.CutAfter(3));
        world["b"].Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, "and the rest of it.")) { ConversationId = "of-b", FinishReason = ChatFinishReason.Stop };
        var (updates, failure) = world.Read(s_long);
        failure.Should().BeNull();
        updates.Select(static u => u.ConversationId).OfType<string>().Distinct().Should().Equal("of-b");

        world.Ask(options: new ChatOptions { ConversationId = "of-b" }).GetServingEndpoint().Should().Be("b");
    }

    [Fact]
    public void The_attempt_for_the_rest_is_traced_as_chat_too()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "HaKit",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                    spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var outside = new Activity("outside").Start();
        var world = Continuing(2);
        world["a"].Faults.Next(1, FakeFault.CutAfter(3));
        world.Read(s_long).Failure.Should().BeNull();

        lock (spans)
        {
            spans.Where(s => s.TraceId == outside.TraceId && s.Kind == ActivityKind.Client).Select(static s => (s.OperationName, s.GetTagItem("gen_ai.operation.name")))
                .Should().BeEquivalentTo([("attempt a", (object?)"chat"), ("attempt b", "chat")]);
        }
    }

    [Fact]
    public void A_repeated_tail_is_dropped_and_a_refusal_or_a_fresh_start_moves_on()
    {
        var world = Continuing(4, endpoint: (name, e) => e.RepeatsTail = name == "d");
        world["a"].Faults.Always(FakeFault.CutAfter(10));
        world["b"].Continuation = FakeContinuation.Refuses;
        world["c"].Continuation = FakeContinuation.StartsOver;
        world["d"].Continuation = FakeContinuation.RepeatsTail;
        var (updates, failure) = world.Read(s_long);
        failure.Should().BeNull();
        Text(updates).Should().Be(Whole);
        world["b"].Requests.Should().NotBeEmpty();
        world["c"].Requests.Should().NotBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(59)]
    public void The_beginning_with_which_Mistral_begins_its_answer_is_dropped(int after)
    {
        var world = Continuing(2, endpoint: (name, e) => e.Dialect = name == "b" ? WireDialect.Mistral : WireDialect.Unknown);
        world["a"].Faults.Always(FakeFault.CutAfter(after));
        world["b"].Continuation = FakeContinuation.RepeatsBeginning;
        var (updates, failure) = world.Read(s_long);
        failure.Should().BeNull();
        Text(updates).Should().Be(Whole);
    }

    [Fact]
    public void A_rest_that_started_over_and_ends_within_the_delivered_text_does_not_make_the_answer_whole()
    {
        const string Text = "The quick brown fox jumps over the lazy dog, and then it sleeps in the sun until the evening comes down.";
        var world = new ChatWorld(
            configure: static o => o.Streaming.Continuation = StreamContinuation.On,
            endpoint: static (name, e) => (e.Continuation, e.Dialect) = (Continuation.AssistantPrefix, name == "b" ? WireDialect.Mistral : WireDialect.Unknown),
            chatEndpoint: static (name, c) => c.MarksEnd = name == "a");
        world["a"].AnswerStream = _ => Cut([new(ChatRole.Assistant, Text)]);
        world["b"].AnswerStream = _ => [new(ChatRole.Assistant, Text[..60])];

        var (updates, failure) = world.Read();

        failure.Should().BeOfType<PartialResponseException>().Which.NotContinued.Should().Be(NotContinuedReason.Failed);
        ContinuationTests.Text(updates).Should().Be(Text);
    }

    [Theory]
    [InlineData(FakeContinuation.Refuses)]
    [InlineData(FakeContinuation.StartsOver)]
    public void A_continuation_that_fails_gives_the_first_cut_and_delivers_nothing_twice(FakeContinuation how)
    {
        var world = Continuing(2);
        world["a"].Faults.Always(FakeFault.CutAfter(10));
        world["b"].Continuation = how;
        var (updates, failure) = world.Read(s_long);
        var partial = failure.Should().BeOfType<PartialResponseException>().Subject;
        (partial.Endpoint, partial.NotContinued, partial.DeliveredItems).Should().Be(("a", NotContinuedReason.Failed, 10));
        Whole.Should().StartWith(Text(updates));
    }

    [Fact]
    public void An_instruction_follows_the_beginning_in_the_applications_words()
    {
        var world = Continuing(2, endpoint: (name, e) => (e.Continuation, e.ContinuationInstruction) = (Continuation.Instruction, "Bitte schreibe genau dort weiter."));
        world["a"].Faults.Always(FakeFault.CutAfter(10));
        world["b"].AnswerStream = _ => [new(ChatRole.Assistant, " and the rest."), new() { FinishReason = ChatFinishReason.Stop }];
        var (updates, failure) = world.Read(s_long);
        failure.Should().BeNull();
        Text(updates).Should().EndWith(" and the rest.");
        world["b"].Requests.Single().Messages.Select(m => m.Role).Should().Equal(ChatRole.User, ChatRole.Assistant, ChatRole.User);
        world["b"].Requests.Single().Messages[^1].Text.Should().Be("Bitte schreibe genau dort weiter.");
    }

    [Fact]
    public void Any_text_cut_anywhere_twice_comes_whole()
    {
        string[] texts =
        [
            "ha ha ha ha ha ha ha ha ha ha!", "| a | b |\n|---|---|\n| 1 | 2 |\n| 1 | 2 |\n", "if x:\n    return [\n        1,\n    ]\n",
            "Zwölf Boxkämpfer 春はあけぼの。 😀😀 👨‍👩‍👧 \u00A0 end", "  \n leading and trailing  \n",
        ];
        var random = new Random(7);
        foreach (var text in texts)
        {
            for (var run = 0; run < 15; run++)
            {
                var world = Continuing(3);
                int[] cuts = [random.Next(1, text.Length), random.Next(1, text.Length)];
                foreach (var (name, i) in new[] { ("a", 0), ("b", 1), ("c", 2) })
                    world[name].AnswerStream = request => Streamed(text, request.Beginning ?? "", random, i < 2 ? Math.Max(cuts[0], i == 0 ? 0 : cuts[0] + 1) + i * 3 : null, Math.Min(cuts[0], text.Length));
                var (updates, failure) = world.Read(s_long);
                failure.Should().BeNull();
                Text(updates).Should().Be(text);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Obstacles))]
    public void What_is_not_continued_is_told(NotContinuedReason reason, ChatOptions? options, AIContent? content)
    {
        var world = Continuing(2);
        // A text that begins with a mark such as '<' must be the first content, because the mark is searched only at the beginning of the answer.
        var first = content is TextContent { Text: ['<', ..] } ? "" : "Hello";
        world["a"].AnswerStream = _ => Cut([new(ChatRole.Assistant, first), new(ChatRole.Assistant, content is null ? [] : [content])]);
        var partial = world.Read(options).Failure.Should().BeOfType<PartialResponseException>().Subject;
        partial.NotContinued.Should().Be(reason);
        world["b"].Requests.Should().BeEmpty();
    }

    public static TheoryData<NotContinuedReason, ChatOptions?, AIContent?> Obstacles() => new()
    {
        { NotContinuedReason.ToolCall, new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "f")] }, new FunctionCallContent("1", "f") },
        { NotContinuedReason.ToolCall, new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "f")] }, null },
        { NotContinuedReason.StructuredOutput, new ChatOptions { ResponseFormat = ChatResponseFormat.Json }, null },
        { NotContinuedReason.StopSequences, new ChatOptions { StopSequences = ["x"] }, null },
        { NotContinuedReason.Reasoning, new ChatOptions { Reasoning = new() { Effort = ReasoningEffort.High } }, null },
        { NotContinuedReason.Reasoning, null, new TextReasoningContent("hm") },
        { NotContinuedReason.Audio, null, new DataContent(new byte[] { 1 }, "audio/wav") },
        { NotContinuedReason.OtherContent, null, new DataContent(new byte[] { 1 }, "image/png") },
        { NotContinuedReason.Citations, null, new TextContent("x") { Annotations = [new CitationAnnotation()] } },
        { NotContinuedReason.ContentFilter, null, new ErrorContent("I cannot") { ErrorCode = "Refusal" } },
        { NotContinuedReason.SeveralChoices, new ChatOptions { AdditionalProperties = new() { ["n"] = 2 } }, null },
        { NotContinuedReason.LogProbabilities, new ChatOptions { AdditionalProperties = new() { ["logprobs"] = true } }, null },
        { NotContinuedReason.StopSequences, With("stop", "END"), null },
        { NotContinuedReason.StructuredOutput, With("response_format", "json_object"), null },
        { NotContinuedReason.Reasoning, With("reasoning_effort", "high"), null },
        { NotContinuedReason.Reasoning, null, new TextContent("<think>hm") },
        { NotContinuedReason.Audio, With("modalities", "audio"), null },
        { NotContinuedReason.Citations, With("web_search_options", new object()), null },
        { NotContinuedReason.Citations, new ChatOptions { Tools = [new HostedWebSearchTool()] }, null },
        { NotContinuedReason.StoredState, new ChatOptions { AllowBackgroundResponses = true }, null },
        { NotContinuedReason.OtherRequest, new ChatOptions { RawRepresentationFactory = _ => null }, null },
    };

    private static ChatOptions With(string name, object value) => new() { AdditionalProperties = new() { [name] = value } };

    private static IEnumerable<ChatResponseUpdate> Cut(IEnumerable<ChatResponseUpdate> updates) => [.. updates, new(ChatRole.Assistant, [new ErrorContent("overloaded") { ErrorCode = "server_error" }])];

    // Gets the rest of the text from its beginning on; for a cut stream, up to the cut.
    private static IEnumerable<ChatResponseUpdate> Streamed(string text, string beginning, Random random, int? cutAt, int least)
    {
        var end = cutAt is { } cut ? Math.Min(Math.Max(cut, least), text.Length) : text.Length;
        for (var at = beginning.Length; at < end;)
        {
            var length = Math.Min(random.Next(1, 6), end - at);
            yield return new ChatResponseUpdate(ChatRole.Assistant, text.Substring(at, length));
            at += length;
        }
        if (cutAt is not null)
            throw new HttpIOException(HttpRequestError.ResponseEnded);
        yield return new ChatResponseUpdate { FinishReason = ChatFinishReason.Stop };
    }

    private static IEnumerable<string> Pieces(List<ChatResponseUpdate> updates) => updates.Select(u => u.Text).Where(t => t.Length > 0);

    private static string Text(List<ChatResponseUpdate> updates) => updates.Aggregate(new StringBuilder(), (all, update) => all.Append(update.Text)).ToString();

    private static ChatWorld Continuing(int endpoints, Action<EndpointPoolOptions>? configure = null, Action<string, EndpointOptions>? endpoint = null) => new(
        endpoints,
        o =>
        {
            o.Streaming.Continuation = StreamContinuation.On;
            configure?.Invoke(o);
        },
        endpoint: (name, e) =>
        {
            e.Continuation = Continuation.AssistantPrefix;
            endpoint?.Invoke(name, e);
        });
}
