using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>Tests the options that an endpoint gets, and the calls that it does not get.</summary>
public sealed class EndpointFitTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Failure_24_each_endpoint_is_asked_for_its_own_model_and_the_caller_s_options_stay_as_they_are(bool streamed)
    {
        var world = new ChatWorld(endpoint: (name, e) => e.Model = $"model-of-{name}");
        world["a"].Faults.Always(FakeFault.Reset);
        var options = new ChatOptions { ModelId = "mine", Temperature = 0.5f };

        world.Ask(streamed, options);

        world["a"].Requests.First().Options!.ModelId.Should().Be("model-of-a");
        world["b"].Requests.Single().Options.Should().Match<ChatOptions>(o => o.ModelId == "model-of-b" && o.Temperature == 0.5f);
        options.ModelId.Should().Be("mine");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Failure_24_another_provider_is_not_asked_for_the_model_that_the_caller_knows(bool streamed)
    {
        var world = new ChatWorld(3);
        (world["a"].Metadata, world["b"].Metadata, world["c"].Metadata) = (new("openai", null, "gpt"), new("anthropic", null, "claude"), new("unknown"));
        world["a"].Faults.Always(FakeFault.Refused);
        var options = new ChatOptions { ModelId = "gpt" };

        world.Ask(streamed, options).ModelId.Should().Be("claude");
        world["b"].Faults.Always(FakeFault.Refused);
        world.Ask(streamed, options).ModelId.Should().Be("gpt", "of whom nobody knows a model, the caller knows best");
        options.ModelId.Should().Be("gpt");
    }

    [Fact]
    public void Endpoints_of_one_provider_get_the_model_that_the_caller_names()
    {
        var world = new ChatWorld();
        (world["a"].Metadata, world["b"].Metadata) = (new("openai", null, "usual"), new("openai", null, "usual"));

        world.Ask(options: new ChatOptions { ModelId = "special" }).ModelId.Should().Be("special");
    }

    [Fact]
    public void Options_that_need_no_change_are_handed_on_themselves()
    {
        var world = new ChatWorld(1);
        var options = new ChatOptions { ModelId = "mine" };

        world.Ask(options: options);

        world["a"].Requests.Single().Options.Should().BeSameAs(options);
    }

    [Fact]
    public void An_endpoint_s_own_transform_sees_a_copy()
    {
        var world = new ChatWorld(1, chatEndpoint: (_, c) => c.ConfigureOptions = o => o.Instructions = "Be brief.");
        var options = new ChatOptions { Instructions = "mine" };

        world.Ask(options: options);

        world["a"].Requests.Single().Options!.Instructions.Should().Be("Be brief.");
        options.Instructions.Should().Be("mine");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_parameter_that_an_endpoint_does_not_support_sends_the_call_elsewhere(bool streamed)
    {
        var world = new ChatWorld(chatEndpoint: (name, c) => c.Unsupported = name == "a" ? ChatParameters.Seed | ChatParameters.ResponseFormat : ChatParameters.None);

        world.Ask(streamed, new ChatOptions { Seed = 7 }).GetServingEndpoint().Should().Be("b");
        world.Ask(streamed, new ChatOptions { ResponseFormat = ChatResponseFormat.Text }).GetServingEndpoint().Should().Be("a", "plain text is what everyone answers");
    }

    [Fact]
    public void When_no_endpoint_supports_it_the_call_is_refused_by_name_and_nothing_is_sent()
    {
        var world = new ChatWorld(chatEndpoint: (_, c) => c.Unsupported = ChatParameters.Seed);

        world.Failure(options: new ChatOptions { Seed = 7 }).Should().BeOfType<UnsupportedParametersException>()
            .Which.Should().Match<UnsupportedParametersException>(e => e.Parameters == ChatParameters.Seed && e.Pool == "chat" && e.Message.Contains("Seed"));
        world["a"].Counts.Received.Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_only_tunes_is_left_out_where_the_policy_says_so_and_the_answer_tells(bool streamed)
    {
        var world = new ChatWorld(1, chatEndpoint: (_, c) => (c.Unsupported, c.OnUnsupported) = (ChatParameters.Seed | ChatParameters.TopK | ChatParameters.TopP, UnsupportedParameters.Drop));
        var options = new ChatOptions { Seed = 7, TopK = 3, Temperature = 1 };

        var response = world.Ask(streamed, options);

        response.AdditionalProperties![ChatStory.DroppedKey].Should().Be("TopK, Seed");
        world["a"].Requests.Single().Options.Should().Match<ChatOptions>(o => o.Seed == null && o.TopK == null && o.Temperature == 1);
        options.Seed.Should().Be(7);
    }

    public static TheoryData<string> Meaning => ["format", "stop", "length", "tool mode", "one tool call"];

    [Theory]
    [MemberData(nameof(Meaning))]
    public void What_changes_the_meaning_is_never_left_out(string parameter)
    {
        var world = new ChatWorld(1, chatEndpoint: (_, c) => (c.Unsupported, c.OnUnsupported) = ((ChatParameters)(-1), UnsupportedParameters.Drop));
        var options = parameter switch
        {
            "format" => new ChatOptions { ResponseFormat = ChatResponseFormat.Json },
            "stop" => new ChatOptions { StopSequences = ["."] },
            "length" => new ChatOptions { MaxOutputTokens = 5 },
            "tool mode" => new ChatOptions { ToolMode = ChatToolMode.RequireAny },
            _ => new ChatOptions { AllowMultipleToolCalls = false },
        };

        world.Failure(options: options).Should().BeOfType<UnsupportedParametersException>();
        world["a"].Counts.Received.Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_prompt_that_looks_too_long_for_a_window_goes_to_a_larger_one_at_once(bool streamed)
    {
        var world = new ChatWorld(endpoint: (name, e) => e.ContextWindow = name == "a" ? 1_000 : 100_000);

        world.Ask(streamed, messages: [new(ChatRole.User, new string('x', 10_000))]).GetServingEndpoint().Should().Be("b");
        world["a"].Counts.Received.Should().Be(0);
    }

    [Fact]
    public void The_length_that_the_caller_allows_counts_too()
    {
        var world = new ChatWorld(endpoint: (name, e) => e.ContextWindow = name == "a" ? 1_000 : 100_000);

        world.Ask(options: new ChatOptions { MaxOutputTokens = 999 }).GetServingEndpoint().Should().Be("b");
    }

    [Fact]
    public void An_estimate_alone_refuses_no_call()
    {
        var world = new ChatWorld(endpoint: (name, e) => e.ContextWindow = name == "a" ? 1_000 : 2_000);

        world.Ask(messages: [new(ChatRole.User, new string('x', 100_000))]).GetServingEndpoint().Should().Be("b", "it is the largest, and knows better than an estimate");
    }

    [Fact]
    public void Estimates_can_be_made_by_the_caller_s_own_tokenizer()
    {
        var world = new ChatWorld(endpoint: (name, e) => e.ContextWindow = name == "a" ? 1_000 : 100_000, chat: o => o.EstimateTokens = static (_, _) => 50_000);

        world.Ask().GetServingEndpoint().Should().Be("b");
    }

    [Fact]
    public void A_context_overflow_that_only_the_endpoint_knew_of_goes_to_a_larger_window_only()
    {
        var world = new ChatWorld(3, endpoint: (name, e) => e.ContextWindow = name switch { "a" => 8_000, "b" => 8_000, _ => 100_000 });
        world["a"].Faults.Always(FakeFaults.OpenAI.ContextLengthExceeded());

        world.Ask().GetServingEndpoint().Should().Be("c");
        world["b"].Counts.Received.Should().Be(0);
    }

    [Fact]
    public void Images_and_tools_go_only_where_they_are_understood()
    {
        var world = new ChatWorld(endpoint: (name, e) => e.Vision = e.Tools = name != "a");
        var image = new ChatMessage(ChatRole.User, [new TextContent("what is it?"), new DataContent(new byte[] { 1, 2 }, "image/png")]);

        world.Ask(messages: [image]).GetServingEndpoint().Should().Be("b");
        world.Ask(options: new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "one")] }).GetServingEndpoint().Should().Be("b");
        world.Ask().GetServingEndpoint().Should().Be("a");
    }

    [Fact]
    public void A_call_says_where_it_may_go_and_endpoints_never_see_that()
    {
        var world = new ChatWorld(endpoint: (name, e) => e.Residency = name == "a" ? "us" : "eu");

        var options = new ChatOptions { Seed = 1 }.UseHaProfile(new RequestProfile { Residency = "eu" });

        for (var i = 0; i < 2; i++)
            world.Ask(options: options).GetServingEndpoint().Should().Be("b", "options serve for many calls");
        world["b"].Requests.Should().OnlyContain(r => r.Options!.Seed == 1 && (r.Options.AdditionalProperties == null || r.Options.AdditionalProperties.Count == 0));
    }

    [Theory]
    [InlineData(null, 5_000)]
    [InlineData(8_000, 5_000)]
    [InlineData(8_000, null)]
    public void A_prompt_that_seems_larger_than_a_whole_minute_of_every_endpoint_is_tried_all_the_same(int? window, int? limitOfB)
    {
        var world = new ChatWorld(endpoint: (name, e) =>
        {
            var limit = name == "a" ? 1_000 : limitOfB;
            (e.ContextWindow, e.Limits) = (window, limit is null ? null : new() { TokensPerMinute = limit });
        });
        var images = Enumerable.Range(0, 10).Select(static _ => (AIContent)new UriContent("https://images.example/1.png", "image/png"));

        world.Ask(messages: [new ChatMessage(ChatRole.User, [.. images])]).GetServingEndpoint().Should().Be("b", "each image is guessed as 1,000 tokens, and b accepts the most");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Usage_that_an_answer_reports_settles_token_limits(bool streamed)
    {
        var world = new ChatWorld(endpoint: (name, e) => e.Limits = name == "a" ? new() { TokensPerMinute = 1_000 } : null);
        var usage = new UsageDetails { InputTokenCount = 900, OutputTokenCount = 90 };
        world["a"].Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, "x")) { Usage = usage, FinishReason = ChatFinishReason.Stop };

        world.Ask(streamed).GetServingEndpoint().Should().Be("a");
        world.Ask(streamed, messages: [new(ChatRole.User, new string('x', 400))]).GetServingEndpoint().Should().Be("b", "990 of the 1,000 tokens of this minute are used");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_call_cost_is_told_by_the_prices_of_the_endpoint_that_served_it(bool streamed)
    {
        var world = new ChatWorld(endpoint: (name, e) => (e.InputTokenPrice, e.OutputTokenPrice) = name == "a" ? (100, 100) : (2, 10));
        world["b"].AnswerStream = _ => [new(ChatRole.Assistant, "x"), new() { FinishReason = ChatFinishReason.Stop }, new(null, [new UsageContent(new() { InputTokenCount = 1000, OutputTokenCount = 500 })])];
        world["b"].Answer = r => world["b"].AnswerStream!(r).ToChatResponse();

        world["a"].Faults.Next(1, FakeFault.Refused);
        world.Ask(streamed).AdditionalProperties![ChatStory.CostKey].Should().Be("0.007");
        world["a"].Faults.Next(1, FakeFault.Reset);
        world.Ask(streamed).AdditionalProperties![ChatStory.CostKey].Should().Be("≥0.007", "the call that was reset was perhaps billed");
    }

    [Fact]
    public void A_lost_hedge_counts_as_perhaps_billed()
    {
        var world = new ChatWorld(configure: o => o.Hedging = new() { Enabled = true });
        for (var i = 0; i < 30; i++)
            world.Ask();
        world["a"].Faults.Always(FakeFault.Hang);

        var served = world.Time.Run(() => world.Client.GetResponseWithDetailAsync(ChatWorld.Hi, null, world.Caller).AsTask());

        served.Detail.Endpoint.Should().Be("b");
        served.Detail.PerhapsBilled.Should().BeGreaterThanOrEqualTo(1);
    }
}
