using HaKit.Faults;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

public sealed class ChatClientTests
{
    private static readonly Dictionary<string, FakeFault> Early = new()
    {
        ["refused"] = FakeFault.Refused,
        ["reset"] = FakeFault.Reset,
        ["hang"] = FakeFault.Hang,
        ["429"] = FakeFaults.OpenAI.RateLimited(),
        ["quota"] = FakeFaults.OpenAI.QuotaExhausted(),
        ["529"] = FakeFaults.Anthropic.Overloaded(),
        ["bad key"] = FakeFaults.OpenAI.BadKey(),
        ["model"] = FakeFaults.OpenAI.ModelNotFound(),
        ["cut"] = FakeFault.CutAfter(0),
        ["end"] = FakeFault.EndAfter(0),
        ["silent"] = FakeFault.SilentAfter(0),
        ["error"] = FakeFault.ErrorEventAfter(0),
        ["unknown"] = FakeFault.Throw(() => new InvalidOperationException("who knows")),
    };

    public static TheoryData<string, bool> Faults()
    {
        var all = new TheoryData<string, bool>();
        foreach (var name in Early.Keys)
        {
            all.Add(name, false);
            all.Add(name, true);
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void Whatever_fails_before_its_first_content_is_served_by_another_endpoint_unseen(string fault, bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.Always(Early[fault]);

        var response = world.Ask(streamed);

        response.Text.Should().Be(ChatWorld.AnswerToHi);
        response.FinishReason.Should().Be(ChatFinishReason.Stop);
        response.GetServingEndpoint().Should().Be("b");
        world["a"].Counts.Received.Should().BeGreaterThan(0);
        world["b"].Counts.AnsweredWhole.Should().Be(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_request_at_fault_goes_back_to_its_caller_at_once(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.Always(FakeFault.Status(400));

        world.Failure(streamed).Should().BeOfType<EndpointFaultException>().Which.Fault.Kind.Should().Be(FaultKind.InvalidRequest);
        world["b"].Counts.Received.Should().Be(0);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("end")]
    [InlineData("error")]
    [InlineData("silent")]
    public void Failure_13_half_a_stream_is_an_exception_after_what_was_delivered(string how)
    {
        var world = new ChatWorld();
        world["a"].Faults.Always(how switch { "cut" => FakeFault.CutAfter(3), "end" => FakeFault.EndAfter(3), "error" => FakeFault.ErrorEventAfter(3), _ => FakeFault.SilentAfter(3) });

        var (updates, failure) = world.Read();

        failure.Should().BeOfType<PartialResponseException>().Which.DeliveredItems.Should().Be(3);
        updates.Count(u => u.Text.Length > 0).Should().Be(3);
        world["b"].Counts.Received.Should().Be(0, "content that was delivered is never replayed");
    }

    [Fact]
    public void Failure_14_updates_without_content_commit_nothing_and_are_delivered_in_order_once_there_is_some()
    {
        var world = new ChatWorld();
        ChatResponseUpdate[] silent = [new(ChatRole.Assistant, []), new(ChatRole.Assistant, [new TextContent("")]), new(null, [new UsageContent(new() { InputTokenCount = 1 })])];
        world["a"].AnswerStream = _ => [.. silent, .. Throwing()];
        world["b"].AnswerStream = _ => [silent[0], silent[1], new(null, "text"), new() { FinishReason = ChatFinishReason.Stop }];

        var (updates, failure) = world.Read();

        failure.Should().BeNull();
        updates.Select(u => u.Text).Should().Equal("", "", "text", "");
        updates[0].Role.Should().Be(ChatRole.Assistant);

        static IEnumerable<ChatResponseUpdate> Throwing()
        {
            if (DateTime.MaxValue.Year > 1)
                throw new IOException("cut");
            yield break;
        }
    }

    public static TheoryData<string> Contents => ["text", "reasoning", "protected", "call", "data", "uri"];

    [Theory]
    [MemberData(nameof(Contents))]
    public void The_first_content_of_any_kind_commits_the_stream(string kind)
    {
        AIContent content = kind switch
        {
            "text" => new TextContent("x"),
            "reasoning" => new TextReasoningContent("x"),
            "protected" => new TextReasoningContent("") { ProtectedData = "secret" },
            "call" => new FunctionCallContent("1", "weather"),
            "data" => new DataContent(new byte[] { 1 }, "image/png"),
            _ => new UriContent("http://x/y.png", "image/png"),
        };
        var world = new ChatWorld();
        world["a"].AnswerStream = _ => [new(ChatRole.Assistant, [content])];

        var (updates, failure) = world.Read();

        failure.Should().BeOfType<PartialResponseException>();
        updates.Should().ContainSingle().Which.Contents.Should().ContainSingle().Which.Should().BeSameAs(content);
        world["b"].Counts.Received.Should().Be(0);
    }

    [Fact]
    public void A_client_that_never_says_why_a_stream_ended_can_be_believed_when_told_so()
    {
        var world = new ChatWorld(chatEndpoint: (_, c) => c.MarksEnd = false);
        world["a"].AnswerStream = _ => [new(ChatRole.Assistant, "whole")];

        var (updates, failure) = world.Read();

        failure.Should().BeNull();
        updates.Should().ContainSingle("no update is made up").Which.Text.Should().Be("whole");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Failure_36_an_answer_with_nothing_in_it_is_none(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Answer = _ => new ChatResponse();
        world["a"].AnswerStream = _ => [];

        world.Ask(streamed).GetServingEndpoint().Should().Be("b");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_error_among_the_contents_is_a_failure_of_its_own_kind(bool streamed)
    {
        var world = new ChatWorld();
        var error = new ErrorContent("You exceeded your current quota, please check your plan and billing details.") { ErrorCode = "insufficient_quota" };
        world["a"].Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, [error]));

        world.Ask(streamed).AdditionalProperties![ChatStory.AttemptsKey].As<string>().Should().StartWith("a: QuotaExhausted");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_refusal_by_the_model_is_an_answer(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, [new ErrorContent("I cannot help with that.") { ErrorCode = "Refusal" }])) { FinishReason = ChatFinishReason.Stop };

        var response = world.Ask(streamed);

        response.GetServingEndpoint().Should().Be("a");
        response.Messages[0].Contents.Should().ContainSingle().Which.Should().BeOfType<ErrorContent>();
    }

    [Theory]
    [InlineData("error", false)]
    [InlineData("abort", true)]
    [InlineData("network_error", true)]
    [InlineData("MALFORMED_FUNCTION_CALL", true)]
    public void An_answer_that_ends_with_a_reason_of_failure_moves_on(string reason, bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, streamed ? "" : "half ")) { FinishReason = new ChatFinishReason(reason) };
        world["a"].AnswerStream = _ => [new() { FinishReason = new ChatFinishReason(reason) }];

        world.Ask(streamed).GetServingEndpoint().Should().Be("b");
    }

    [Fact]
    public void A_stream_that_ends_with_a_reason_of_failure_after_content_is_partial()
    {
        var world = new ChatWorld();
        world["a"].AnswerStream = _ => [new(ChatRole.Assistant, "half "), new() { FinishReason = new ChatFinishReason("error") }];

        FluentActions.Invoking(() => world.Ask(streamed: true)).Should().Throw<PartialResponseException>();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Content_filter_and_length_are_told_apart(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.InOrder(FakeFault.FinishReason("content_filter"), FakeFault.FinishReason("length"));

        world.Ask(streamed).FinishReason.Should().Be(ChatFinishReason.ContentFilter);
        world.Ask(streamed).FinishReason.Should().Be(ChatFinishReason.Length);
        world["b"].Counts.Received.Should().Be(0);
        world.Pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(HaKit.Health.EndpointHealthStatus.Healthy);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_filtered_call_is_asked_elsewhere_only_when_the_caller_opted_in(bool streamed)
    {
        var world = new ChatWorld();
        var options = new ChatOptions().UseHaProfile(new RequestProfile { MoveOnAfterContentFilter = true });
        world["a"].Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, [])) { FinishReason = ChatFinishReason.ContentFilter };

        world.Ask(streamed).FinishReason.Should().Be(ChatFinishReason.ContentFilter);
        world.Ask(streamed, options).GetServingEndpoint().Should().Be("b");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_answer_tells_how_it_came_about_and_keeps_its_own_id(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.Always(FakeFaults.OpenAI.RateLimited());
        var properties = new AdditionalPropertiesDictionary { ["own"] = 1 };
        world["b"].Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, "yes")) { ResponseId = "r1", FinishReason = ChatFinishReason.Stop, AdditionalProperties = properties };

        var response = world.Ask(streamed);

        response.ResponseId.Should().Be("r1");
        response.AdditionalProperties![ChatStory.EndpointKey].Should().Be("b");
        response.AdditionalProperties[ChatStory.AttemptsKey].As<string>().Should().Match("a: Throttled (429 rate_limit_exceeded) after * s; b: served after * s");
        response.AdditionalProperties["own"].Should().Be(1);
        properties.Should().HaveCount(1, "what the client shares is left alone");
    }

    [Fact]
    public void The_detail_is_there_with_types_too()
    {
        var world = new ChatWorld();
        world["a"].Faults.Always(FakeFault.Refused);

        var served = world.Time.Run(() => world.Client.GetResponseWithDetailAsync(ChatWorld.Hi, null, world.Caller).AsTask());

        served.Detail.Attempts.Select(a => a.Endpoint).Should().Equal("a", "b");
        served.Detail.Attempts[0].Fault!.Kind.Should().Be(FaultKind.ConnectFailed);
        served.Detail.OutputTokens.Should().BeGreaterThan(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Lazily_made_messages_are_made_once_for_all_attempts(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.Always(FakeFault.Reset);
        var made = 0;

        world.Time.Run(() => streamed ? world.Client.GetStreamingResponseAsync(Make(), null, world.Caller).ToChatResponseAsync(world.Caller) : world.Client.GetResponseAsync(Make(), null, world.Caller));

        made.Should().Be(1);
        world["b"].Requests.Single().Prompt.Should().Be("hi");

        IEnumerable<ChatMessage> Make()
        {
            made++;
            yield return new(ChatRole.User, "hi");
        }
    }
}
