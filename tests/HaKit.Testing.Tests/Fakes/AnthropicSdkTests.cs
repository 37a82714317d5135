using System.Text;
using System.Text.Json;
using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;

namespace HaKit.Testing.Tests.Fakes;

/// <summary>The official Anthropic SDK, over real sockets and in memory.</summary>
public sealed class AnthropicSdkTests
{
    private const string FakeModel = "claude-fake";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_message_is_answered_whole(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);

        var message = await Connect(fake).Messages.Create(Ask("What is a lease?", 20), Token);

        TextOf(message).Should().Be(FakeAnswers.AnswerTo("What is a lease?", 20));
        message.StopReason!.Value().Should().Be(StopReason.EndTurn);
        message.Usage.OutputTokens.Should().Be(20);
        (await fake.CountsWhenSettledAsync()).AnsweredWhole.Should().Be(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_streamed_message_is_answered_token_by_token(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        var text = new StringBuilder();
        var (deltas, stopped) = (0, false);

        await foreach (var update in Connect(fake).Messages.CreateStreaming(Ask("stream", 30), Token))
        {
            if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var piece))
            {
                text.Append(piece.Text);
                deltas++;
            }

            stopped |= update.TryPickStop(out _);
        }

        text.ToString().Should().Be(FakeAnswers.AnswerTo("stream", 30));
        deltas.Should().Be(30);
        stopped.Should().BeTrue();
        (await fake.CountsWhenSettledAsync()).AnsweredWhole.Should().Be(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_offered_tool_is_called(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        var ask = Ask("Paris", 20) with
        {
            Tools =
            [
                new Tool
                {
                    Name = "weather",
                    InputSchema = new InputSchema { Properties = new Dictionary<string, JsonElement> { ["city"] = JsonSerializer.SerializeToElement(new { type = "string" }) } },
                },
            ],
        };

        var message = await Connect(fake).Messages.Create(ask, Token);

        message.StopReason!.Value().Should().Be(StopReason.ToolUse);
        message.Content[0].TryPickToolUse(out var call).Should().BeTrue();
        call!.Name.Should().Be("weather");
        call.Input["city"].GetString().Should().Be("Paris");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Its_models_are_listed_in_its_own_dialect(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets, new FakeAiOptions { Models = ["x", "y"] });

        var page = await Connect(fake).Models.List(cancellationToken: Token);

        page.Items.Select(m => m.ID).Should().Equal("x", "y");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Its_errors_come_as_its_own_exceptions(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        var client = Connect(fake);
        fake.Faults.InOrder(FakeFaults.Anthropic.Overloaded(), FakeFaults.Anthropic.RateLimited(), FakeFaults.Anthropic.BadKey(), FakeFaults.Anthropic.OverloadedInStream(2));

        (await Failure(client)).Should().BeAssignableTo<AnthropicApiException>().Which.StatusCode.Should().Be((System.Net.HttpStatusCode)529);
        (await Failure(client)).Should().BeOfType<AnthropicRateLimitException>();
        (await Failure(client)).Should().BeOfType<AnthropicUnauthorizedException>();
        var deltas = 0;
        var stream = async () =>
        {
            await foreach (var update in client.Messages.CreateStreaming(Ask("s", 9), Token))
            {
                if (update.TryPickContentBlockDelta(out _))
                    deltas++;
            }
        };
        await stream.Should().ThrowAsync<AnthropicException>();
        deltas.Should().Be(2);
        (await fake.CountsWhenSettledAsync()).Should().Match<FakeCounts>(c => c.Failed == 3 && c.Cut == 1);

        static async Task<Exception?> Failure(AnthropicClient client) =>
            await Record.ExceptionAsync(() => client.Messages.Create(Ask("hi", 5), Token));
    }

    private static MessageCreateParams Ask(string prompt, long maxTokens) => new()
    {
        Model = FakeModel,
        MaxTokens = maxTokens,
        Messages = [new UserMessageParam(prompt)],
    };

    private static string TextOf(Message message) =>
        string.Concat(message.Content.Select(block => block.TryPickText(out var text) ? text.Text : ""));

    private static AnthropicClient Connect(Transport fake) => new()
    {
        ApiKey = "key",
        BaseUrl = fake.Root.ToString(),
        HttpClient = fake.Client,
        MaxRetries = 0,
    };
}
