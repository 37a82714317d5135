using System.ClientModel;
using System.Text;
using System.Text.Json;
using Anthropic.Models.Messages;
using HaKit.Testing;
using OpenAI.Chat;
using OpenAI.Files;
using OpenAI.Images;

namespace HaKit.Tests;

/// <summary>Tests the ways in which applications use the official SDKs, over a pool of two servers of which the preferred server fails.</summary>
public sealed class SdkTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static readonly ChatTool s_weather =
        ChatTool.CreateFunctionTool("weather", "w", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}}}"""));

    private static readonly byte[] s_file = [.. Enumerable.Range(0, 100_000).Select(b => (byte)(b * 7))];

    private static readonly Dictionary<string, Func<SdkWorld, Task<string>>> s_asks = new()
    {
        ["embedding"] = async world =>
        {
            var vector = await world.Client().GetEmbeddingClient("e").GenerateEmbeddingAsync("one", cancellationToken: Ct);
            return string.Join(' ', vector.Value.ToFloats().ToArray());
        },
        ["upload"] = async world => (await world.Client().GetOpenAIFileClient().UploadFileAsync(new MemoryStream(s_file), "a.bin", FileUploadPurpose.Assistants, Ct)).Value.Id,
        ["image"] = async world =>
            Encoding.UTF8.GetString((await world.Client().GetImageClient("i").GenerateImageAsync("a cat", new ImageGenerationOptions { ResponseFormat = GeneratedImageFormat.Bytes }, Ct)).Value.ImageBytes),
        ["tool"] = async world =>
        {
            var answer = await world.OpenAI().CompleteChatAsync([new UserChatMessage("Paris")], new ChatCompletionOptions { Tools = { s_weather } }, Ct);
            return answer.Value.ToolCalls[0].FunctionName + answer.Value.ToolCalls[0].FunctionArguments;
        },
        ["streamed tool"] = async world =>
        {
            var call = new StringBuilder();
            await foreach (var update in world.OpenAI().CompleteChatStreamingAsync([new UserChatMessage("Paris")], new ChatCompletionOptions { Tools = { s_weather } }, Ct))
            {
                foreach (var part in update.ToolCallUpdates)
                    call.Append(part.FunctionName).Append(part.FunctionArgumentsUpdate);
            }

            return call.ToString();
        },
        ["Anthropic tool"] = async world =>
        {
            var message = await world.Anthropic().Messages.Create(AskForWeather(), Ct);
            message.Content[0].TryPickToolUse(out var call).Should().BeTrue();
            return call!.Name + JsonSerializer.Serialize(call.Input);
        },
        ["Anthropic streamed tool"] = async world =>
        {
            var call = new StringBuilder();
            await foreach (var update in world.Anthropic().Messages.CreateStreaming(AskForWeather(), Ct))
            {
                if (update.TryPickContentBlockStart(out var start) && start.ContentBlock.TryPickToolUse(out var tool))
                    call.Append(tool.Name);
                else if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickInputJson(out var piece))
                    call.Append(piece.PartialJson);
            }

            return call.ToString();
        },
        ["synchronous"] = world => Task.Run(() => world.OpenAI().CompleteChat([new UserChatMessage("hi")], cancellationToken: Ct).Value.Content[0].Text),
        ["OpenAI"] = world => world.AskAsync(Sdk.OpenAI, streamed: false),
        ["OpenAI streamed"] = world => world.AskAsync(Sdk.OpenAI, streamed: true),
        ["Anthropic"] = world => world.AskAsync(Sdk.Anthropic, streamed: false),
        ["Anthropic streamed"] = world => world.AskAsync(Sdk.Anthropic, streamed: true),
    };

    private static readonly Dictionary<string, string> s_answers = new()
    {
        ["embedding"] = string.Join(' ', FakeAnswers.EmbeddingOf("one", "e")),
        ["upload"] = FakeAnswers.FileIdOf(s_file),
        ["image"] = FakeAnswers.AnswerTo("a cat"),
        ["synchronous"] = FakeAnswers.AnswerTo("hi"),
    };

    public static MatrixTheoryData<string, string> Asks() => new(s_asks.Keys, ["refused", "silent", "busy", "resetting"]);

    [Theory]
    [MemberData(nameof(Asks))]
    public async Task Whatever_is_asked_is_answered_while_the_preferred_endpoint_is_in_trouble(string ask, string trouble)
    {
        await using var world = await SdkWorld.StartAsync();
        if (trouble == "refused")
            await world.Servers[0].StopAsync();
        else
            world.Servers[0].Faults.Always(trouble == "silent" ? FakeFault.Hang : trouble == "busy" ? FakeFault.Status(503) : FakeFault.Reset);

        var answer = await world.PassTimeAsync(s_asks[ask](world), () => world.IsStandbyIdle);

        answer.Should().Be(ask.EndsWith("tool", StringComparison.Ordinal) ? """weather{"city":"Paris"}""" : s_answers.GetValueOrDefault(ask, SdkWorld.Answer));
        (world.Servers[0].Counts.Received, world.Servers[1].Counts.Received).Should().Be((trouble == "refused" ? 0 : 1, 1));
    }

    [Fact]
    public async Task Failure_31_one_call_of_the_sdk_is_one_call_of_the_pool()
    {
        await using var world = await SdkWorld.StartAsync();
        foreach (var server in world.Servers)
            server.Faults.Always(FakeFaults.OpenAI.ContentFiltered());
        await world.OpenAI().CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Ct).Awaiting(c => c).Should().ThrowAsync<ClientResultException>();
        world.Servers.Sum(s => s.Counts.Received).Should().Be(1);
    }

    public static MatrixTheoryData<string, int> Refusals() => new(s_asks.Keys, [400, 404, 408, 409, 425, 429, 500, 502, 503, 504, 529]);

    // The SDK would repeat 408, 409, 429 and each 5xx three times. With one retry, the pool makes at most two attempts.
    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Failure_31_no_sdk_repeats_a_call_that_the_pool_has_given_up(string ask, int status)
    {
        await using var servers = await SdkWorld.StartAsync();
        foreach (var server in servers.Servers)
            server.Faults.Always(FakeFault.Status(status));
        await using var world = SdkWorld.Over(servers.Servers, static o => o.Retry.MaxRetryAttempts = 1, TimeProvider.System);
        await s_asks[ask](world).Awaiting(static a => a).Should().ThrowAsync<Exception>();
        world.Servers.Sum(static s => s.Counts.Received).Should().BeInRange(1, 2);
    }

    [Theory]
    [InlineData(Sdk.OpenAI)]
    [InlineData(Sdk.Anthropic)]
    public async Task Cancelling_a_stream_closes_it_at_the_server(Sdk sdk)
    {
        await using var world = await SdkWorld.StartAsync();
        foreach (var server in world.Servers)
            server.Faults.Always(FakeFault.SilentAfter(2));
        using var caller = new CancellationTokenSource();
        var reading = sdk == Sdk.OpenAI ? ReadOpenAI() : ReadAnthropic();
        await reading.Awaiting(r => r).Should().ThrowAsync<OperationCanceledException>();
        while (world.Servers.Sum(s => s.Counts.InFlight) > 0)
            await Task.Delay(1, Ct);
        world.Pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);

        async Task ReadOpenAI()
        {
            await foreach (var _ in world.OpenAI().CompleteChatStreamingAsync([new UserChatMessage("hi")], cancellationToken: caller.Token))
                await caller.CancelAsync();
        }

        async Task ReadAnthropic()
        {
            var ask = new MessageCreateParams { Model = "m", MaxTokens = 20, Messages = [new UserMessageParam("hi")] };
            await foreach (var update in world.Anthropic().Messages.CreateStreaming(ask, caller.Token))
            {
                if (update.TryPickContentBlockDelta(out _))
                    await caller.CancelAsync();
            }
        }
    }

    private static MessageCreateParams AskForWeather() => new()
    {
        Model = "m",
        MaxTokens = 20,
        Messages = [new UserMessageParam("Paris")],
        Tools =
        [
            new Tool
            {
                Name = "weather",
                InputSchema = new InputSchema { Properties = new Dictionary<string, JsonElement> { ["city"] = JsonSerializer.SerializeToElement(new { type = "string" }) } },
            },
        ],
    };
}
