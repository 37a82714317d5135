using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>State that a provider stores for a caller is never sent to another provider.</summary>
public sealed class StateTests
{
    private static ChatMessage User => new(ChatRole.User, "and then?");

    private static Action<string, EndpointOptions> Accounts(params string[] accounts) => (name, e) => e.Account = accounts[name[0] - 'a'];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_conversation_goes_on_where_it_was_begun(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.Next(1, FakeFault.Refused);
        world["b"].Answer = _ => Whole("conv-1");

        var first = world.Ask(streamed);
        var second = world.Ask(streamed, new ChatOptions { ConversationId = first.ConversationId });

        second.GetServingEndpoint().Should().Be("b");
        world["a"].Requests.Should().HaveCount(1, "it came first, and had no part in the conversation");
        world.Ask(streamed).GetServingEndpoint().Should().Be("a");
    }

    [Fact]
    public void Endpoints_of_one_account_share_its_conversations()
    {
        var world = new ChatWorld(3, endpoint: Accounts("x", "y", "y"));
        world["a"].Faults.Next(1, FakeFault.Refused);
        world["b"].Answer = _ => Whole("conv-1");
        world.Ask().GetServingEndpoint().Should().Be("b");
        world["b"].Faults.Always(FakeFault.Refused);

        world.Ask(options: new ChatOptions { ConversationId = "conv-1" }).GetServingEndpoint().Should().Be("c");
        world["a"].Requests.Should().HaveCount(1);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("account", false)]
    [InlineData("region", false)]
    [InlineData("weight", true)]
    public void State_is_not_sent_to_another_account_that_a_reload_gave_the_name_of_its_maker(string what, bool isSame)
    {
        EndpointPoolOptions options = null!;
        var world = new ChatWorld(configure: o => options = o);
        world["a"].Answer = _ => Whole("conv-1");
        world.Ask().GetServingEndpoint().Should().Be("a");
        _ = what switch
        {
            "account" => options.Endpoints[0].Account = "another",
            "region" => options.Endpoints[0].Region = "another",
            _ => (options.Endpoints[0].Weight = 2).ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        world.Pool.Update(options);
        if (isSame)
            world.Ask(options: new ChatOptions { ConversationId = "conv-1" }).GetServingEndpoint().Should().Be("a");
        else
            world.Failure(options: new ChatOptions { ConversationId = "conv-1" }).Should().BeOfType<StateNotPortableException>();
        world["a"].Requests.Should().HaveCount(isSame ? 2 : 1);
        world["b"].Requests.Should().BeEmpty();
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public void A_conversation_goes_on_where_it_was_begun_although_each_call_has_a_client_of_its_own(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.Next(1, FakeFault.Refused);
        world["b"].Answer = _ => Whole("conv-1");
        var options = new ChatOptions { ConversationId = world.Ask(streamed).ConversationId };
        using var other = world.Pool.AsChatClient();
        world.Time.Run(() => other.GetResponseAsync([User], options)).GetServingEndpoint().Should().Be("b");
    }

    [Fact]
    public void Regions_of_one_account_do_not()
    {
        var world = new ChatWorld(endpoint: (name, e) => (e.Account, e.Region) = ("x", name));
        world["a"].Answer = _ => Whole("conv-1");
        world.Ask();
        world["a"].Faults.Always(FakeFault.Refused);

        world.Failure(options: new ChatOptions { ConversationId = "conv-1" }).Should().BeOfType<DeadlineExceededException>();
        world["b"].Counts.Received.Should().Be(0);
    }

    [Fact]
    public void Where_calls_may_not_be_confined_the_call_is_refused_with_what_and_whose()
    {
        var world = new ChatWorld(chat: o => o.PinState = false);
        world["a"].Answer = _ => Whole("secret-conversation");
        world.Ask();

        var failure = world.Failure(options: new ChatOptions { ConversationId = "secret-conversation" }).Should().BeOfType<StateNotPortableException>().Which;

        failure.Kind.Should().Be(StateKind.Conversation);
        failure.Endpoint.Should().Be("a");
        failure.Message.Should().NotContain("secret-conversation");
    }

    [Fact]
    public void State_of_unknown_origin_is_sent_nowhere_until_its_caller_says_where_it_belongs()
    {
        var world = new ChatWorld();
        var options = new ChatOptions { ConversationId = "from-elsewhere" };

        world.Failure(options: options).Should().BeOfType<StateNotPortableException>().Which.Message.Should().Contain("UseHaProfile");
        world["a"].Counts.Received.Should().Be(0);
        world.Ask(options: options.UseHaProfile(new RequestProfile { Endpoints = ["b"] })).GetServingEndpoint().Should().Be("b");
    }

    [Fact]
    public void Where_all_endpoints_share_an_account_origins_do_not_matter()
    {
        var world = new ChatWorld(endpoint: Accounts("x", "x"));
        world["a"].Faults.Always(FakeFault.Refused);

        world.Ask(options: new ChatOptions { ConversationId = "from-elsewhere" }).GetServingEndpoint().Should().Be("b");
    }

    public static TheoryData<string> Carriers => ["conversation", "previous response", "file", "vector store", "reasoning", "tool's file", "background", "previous response as JSON", "file in a tool's result", "file for a tool"];

    [Theory]
    [MemberData(nameof(Carriers))]
    public void State_of_every_kind_stays_with_its_maker(string carrier)
    {
        var world = new ChatWorld();
        var made = new ChatMessage(ChatRole.Assistant,
        [
            new TextReasoningContent("hm") { ProtectedData = "sig" }, new HostedFileContent("file-1"), new HostedVectorStoreContent("vs-1"), new TextContent("done"),
            new CodeInterpreterToolResultContent("1") { Outputs = [new HostedFileContent("file-2")] },
        ]);
        var token = ResponseContinuationToken.FromBytes("later"u8.ToArray());
        world["a"].Faults.Next(1, FakeFault.Refused);
        world["b"].Answer = _ => new ChatResponse(made) { ConversationId = "conv-1", ContinuationToken = token, FinishReason = ChatFinishReason.Stop };
        world.Ask().GetServingEndpoint().Should().Be("b");
        world["b"].Answer = _ => Whole(null);

        var (options, message) = carrier switch
        {
            "conversation" => (new ChatOptions { ConversationId = "conv-1" }, User),
            "previous response" => (new ChatOptions { AdditionalProperties = new() { ["previous_response_id"] = "conv-1" } }, User),
            "previous response as JSON" => (new ChatOptions { AdditionalProperties = new() { ["previous_response_id"] = Json("conv-1") } }, User),
            "file in a tool's result" => (null, new ChatMessage(ChatRole.Assistant, [new CodeInterpreterToolResultContent("1") { Outputs = [new HostedFileContent("file-2")] }])),
            "file for a tool" => (null, new ChatMessage(ChatRole.Assistant, [new CodeInterpreterToolCallContent("1") { Inputs = [new HostedFileContent("file-1")] }])),
            "file" => (null, new ChatMessage(ChatRole.User, [new HostedFileContent("file-1")])),
            "vector store" => (new ChatOptions { Tools = [new HostedFileSearchTool { Inputs = [new HostedVectorStoreContent("vs-1")] }] }, User),
            "reasoning" => (null, new ChatMessage(ChatRole.Assistant, [new TextReasoningContent("hm") { ProtectedData = "sig" }])),
            "tool's file" => (new ChatOptions { Tools = [new HostedCodeInterpreterTool { Inputs = [new HostedFileContent("file-2")] }] }, User),
            _ => (new ChatOptions { ContinuationToken = token }, User),
        };
        world.Ask(options: options, messages: [message, User]).GetServingEndpoint().Should().Be("b");
        world["a"].Requests.Should().HaveCount(1);
    }

    [Fact]
    public void A_maker_is_known_by_its_name_in_a_message_that_was_stored_as_JSON()
    {
        var world = new ChatWorld();
        var stored = new ChatMessage(ChatRole.Assistant, [new TextReasoningContent("hm") { ProtectedData = "sig" }]) { AdditionalProperties = new() { [ChatStory.EndpointKey] = Json("b") } };

        world.Ask(messages: [stored, User]).GetServingEndpoint().Should().Be("b");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void State_for_which_no_endpoint_is_left_is_sent_nowhere(bool isKnown)
    {
        var world = new ChatWorld();
        world["a"].Answer = _ => Whole("conv-1");
        world.Ask();
        var options = new ChatOptions { ConversationId = isKnown ? "conv-1" : "from-elsewhere" };

        world.Failure(options: options.UseHaProfile(new RequestProfile { Endpoints = ["removed"] })).Should().BeOfType<StateNotPortableException>();

        world["a"].Counts.Received.Should().Be(1);
        world["b"].Counts.Received.Should().Be(0);
    }

    [Fact]
    public void That_one_endpoint_alone_supports_a_parameter_does_not_make_the_state_its_own()
    {
        var world = new ChatWorld(chatEndpoint: (name, o) => o.Unsupported = name == "b" ? ChatParameters.Seed : ChatParameters.None);

        world.Failure(options: new ChatOptions { ConversationId = "from-elsewhere", Seed = 1 }).Should().BeOfType<StateNotPortableException>();
        world["a"].Counts.Received.Should().Be(0);
    }

    [Fact]
    public void State_of_unknown_origin_does_not_go_along_with_known_state()
    {
        var world = new ChatWorld();
        world["a"].Answer = _ => Whole("of-a");
        world.Ask();

        var both = new ChatOptions { ConversationId = "of-a", AdditionalProperties = new() { ["previous_response_id"] = "from-elsewhere" } };

        world.Failure(options: both).Should().BeOfType<StateNotPortableException>();
    }

    [Fact]
    public void An_endpoint_that_joins_while_a_call_runs_is_not_given_its_state()
    {
        var world = new ChatWorld(1, configure: o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        world["a"].Answer = _ => Whole("conv-1");
        world.Ask();
        using var newcomer = new FakeChatClient("z", world.Time);
        var isThere = false;
        world["a"].Answer = _ =>
        {
            if (!isThere)
                world.Pool.AddEndpoint("z", newcomer);
            isThere = true;
            throw new HttpRequestException(HttpRequestError.ConnectionError);
        };

        world.Failure(options: new ChatOptions { ConversationId = "conv-1" }).Should().NotBeNull();

        isThere.Should().BeTrue();
        newcomer.Counts.Received.Should().Be(0);
    }

    [Fact]
    public void State_of_two_providers_in_one_call_is_refused()
    {
        var world = new ChatWorld();
        world["a"].Answer = _ => Whole("of-a");
        world["b"].Answer = _ => Whole("of-b");
        world.Ask();
        world["a"].Faults.Next(1, FakeFault.Refused);
        world.Ask().GetServingEndpoint().Should().Be("b");

        var both = new ChatOptions { ConversationId = "of-a", AdditionalProperties = new() { ["previous_response_id"] = "of-b" } };

        world.Failure(options: both).Should().BeOfType<StateNotPortableException>();
    }

    [Fact]
    public void Encrypted_reasoning_of_a_stream_is_known_after_its_updates_were_put_together()
    {
        var world = new ChatWorld();
        world["a"].Faults.Next(1, FakeFault.Refused);
        world["b"].AnswerStream = _ =>
        [
            new(ChatRole.Assistant, [new TextReasoningContent("let me ")]), new(null, [new TextReasoningContent("think")]),
            new(null, [new TextReasoningContent("") { ProtectedData = "sig" }]), new(null, "yes") { FinishReason = ChatFinishReason.Stop },
        ];
        var first = world.Ask(streamed: true);

        world.Ask(messages: [.. first.Messages, User]).GetServingEndpoint().Should().Be("b");
    }

    [Fact]
    public void Encrypted_reasoning_can_be_left_out_for_whoever_cannot_read_it()
    {
        var world = new ChatWorld(chat: o => o.EncryptedReasoning = EncryptedReasoning.LeaveOut);
        world["a"].Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent("hm") { ProtectedData = "sig" }, new TextContent("yes")])) { FinishReason = ChatFinishReason.Stop };
        ChatMessage[] history = [.. world.Ask().Messages, User];

        world.Ask(messages: history);
        world["a"].Requests.Last().Messages[0].Contents.Should().HaveCount(2, "it can read it");
        world["a"].Faults.Always(FakeFault.Refused);
        world.Ask(messages: history).GetServingEndpoint().Should().Be("b");

        world["b"].Requests.Single().Messages[0].Contents.Should().ContainSingle().Which.Should().BeOfType<TextContent>();
        history[0].Contents.Should().HaveCount(2, "the caller's own messages stay as they are");
        world.Ask(messages: [new(ChatRole.Assistant, [new TextReasoningContent("hm") { ProtectedData = "sig" }]), User]);
        world["b"].Requests.Last().Messages.Should().ContainSingle("a message of which nothing is left is none");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Encrypted_reasoning_of_unknown_origin_is_left_in_where_all_endpoints_could_have_made_it(bool streamed)
    {
        ChatMessage[] history = [new(ChatRole.Assistant, [new TextReasoningContent("hm") { ProtectedData = "sig" }, new TextContent("yes")]), User];
        var one = new ChatWorld(1, chat: o => o.EncryptedReasoning = EncryptedReasoning.LeaveOut);
        one.Ask(streamed, messages: history);
        one["a"].Requests.Single().Messages[0].Contents.Should().HaveCount(2);

        var world = new ChatWorld(3, chat: o => o.EncryptedReasoning = EncryptedReasoning.LeaveOut, endpoint: Accounts("x", "x", "y"));
        world.Ask(streamed, new ChatOptions().UseHaProfile(new RequestProfile { Endpoints = ["a", "b"] }), history);
        world["a"].Requests.Single().Messages[0].Contents.Should().HaveCount(2, "a and b are of one account");
        world.Ask(streamed, messages: history);
        world["a"].Requests.Last().Messages[0].Contents.Should().ContainSingle("c may have made it");
    }

    [Fact]
    public void Encrypted_reasoning_of_unknown_origin_is_not_given_to_an_endpoint_that_joins_while_the_call_runs()
    {
        var world = new ChatWorld(1, chat: o => o.EncryptedReasoning = EncryptedReasoning.LeaveOut);
        using var newcomer = new FakeChatClient("z", world.Time);
        world["a"].Answer = _ =>
        {
            world.Pool.AddEndpoint("z", newcomer);
            throw new HttpRequestException(HttpRequestError.ConnectionError);
        };

        world.Ask(messages: [new(ChatRole.Assistant, [new TextReasoningContent("hm") { ProtectedData = "sig" }, new TextContent("yes")]), User]).GetServingEndpoint().Should().Be("z");

        world["a"].Requests.First().Messages[0].Contents.Should().HaveCount(2);
        newcomer.Requests.Single().Messages[0].Contents.Should().ContainSingle();
    }

    [Fact]
    public void The_latest_origins_are_remembered_and_the_oldest_forgotten()
    {
        var origins = new StateOrigins(capacity: 10);
        var maker = new ChatWorld(1).Pool.Endpoints[0];
        for (var i = 0; i < 100; i++)
        {
            origins.Remember($"{i}", maker);
            origins.MakerOf("0").Should().BeSameAs(maker, "what is in use stays");
        }
        for (var i = 92; i < 100; i++)
            origins.MakerOf($"{i}").Should().BeSameAs(maker);
        origins.MakerOf("1").Should().BeNull();
    }

    private static System.Text.Json.JsonElement Json(string text) => System.Text.Json.JsonSerializer.SerializeToElement(text);

    private static ChatResponse Whole(string? conversation) =>
        new(new ChatMessage(ChatRole.Assistant, "yes")) { ConversationId = conversation, FinishReason = ChatFinishReason.Stop };
}
