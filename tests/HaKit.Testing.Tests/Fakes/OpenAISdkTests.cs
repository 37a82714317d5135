using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Testing.Tests.Fakes;

/// <summary>The official OpenAI SDK, over real sockets and in memory.</summary>
public sealed class OpenAISdkTests
{
    private const string Model = "gpt-fake";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_chat_is_answered_whole(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);

        var completion = (await Connect(fake).GetChatClient(Model).CompleteChatAsync([new SystemChatMessage("be brief"), new UserChatMessage("What is \"quorum\"? 東京")], cancellationToken: Token)).Value;

        completion.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("What is \"quorum\"? 東京"));
        completion.FinishReason.Should().Be(ChatFinishReason.Stop);
        completion.Model.Should().Be(Model);
        completion.Usage.InputTokenCount.Should().Be(FakeAnswers.CountTokens("be brief") + FakeAnswers.CountTokens("What is \"quorum\"? 東京"));
        var counts = await fake.CountsWhenSettledAsync();
        counts.AnsweredWhole.Should().Be(1);
        counts.ByModel[Model].Should().Be(new FakeModelCounts(1, 1, completion.Usage.InputTokenCount, completion.Usage.OutputTokenCount));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_streamed_chat_is_answered_token_by_token(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 40 };
        var text = new StringBuilder();
        var contents = 0;
        ChatFinishReason? finish = null;
        ChatTokenUsage? usage = null;

        await foreach (var update in Connect(fake).GetChatClient(Model).CompleteChatStreamingAsync([new UserChatMessage("stream")], options, Token))
        {
            foreach (var part in update.ContentUpdate)
                text.Append(part.Text);
            contents += update.ContentUpdate.Count(part => part.Text.Length > 0);
            finish = update.FinishReason ?? finish;
            usage = update.Usage ?? usage;
        }

        text.ToString().Should().Be(FakeAnswers.AnswerTo("stream", 40));
        contents.Should().Be(40);
        finish.Should().Be(ChatFinishReason.Stop);
        usage!.OutputTokenCount.Should().Be(40);
        var counts = await fake.CountsWhenSettledAsync();
        counts.AnsweredWhole.Should().Be(1);
        counts.CompletionTokens.Should().Be(40);
    }

    [Theory, InlineData(true, false), InlineData(true, true), InlineData(false, false), InlineData(false, true)]
    public async Task An_offered_tool_is_called_and_its_result_answered(bool sockets, bool streamed)
    {
        await using var fake = await Transport.StartAsync(sockets);
        var client = Connect(fake).GetChatClient(Model);
        var options = new ChatCompletionOptions
        {
            Tools = { ChatTool.CreateFunctionTool("weather", "Weather of a city", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"unit":{"type":"string","enum":["C","F"]}}}""")) },
        };
        List<ChatMessage> messages = [new UserChatMessage("Paris")];

        var (id, name, arguments) = streamed ? await CallStreamedAsync(client, messages, options) : await CallAsync(client, messages, options);

        name.Should().Be("weather");
        arguments.Should().Be("""{"city":"Paris","days":2,"unit":"C"}""");
        messages.Add(new AssistantChatMessage([ChatToolCall.CreateFunctionToolCall(id, name, BinaryData.FromString(arguments))]));
        messages.Add(new ToolChatMessage(id, "sunny"));
        var answer = (await client.CompleteChatAsync(messages, options, Token)).Value;
        answer.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("sunny"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_image_in_a_message_is_part_of_the_question(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        byte[] image = [1, 2, 3, 200];
        var message = new UserChatMessage(
            ChatMessageContentPart.CreateTextPart("what is it? "),
            ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(image), "image/png"));

        var completion = (await Connect(fake).GetChatClient(Model).CompleteChatAsync([message], cancellationToken: Token)).Value;

        completion.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("what is it? " + FakeAnswers.ImageMark(image)));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Embeddings_depend_on_text_and_model(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        var embeddings = (await Connect(fake).GetEmbeddingClient("embed-a").GenerateEmbeddingsAsync(["one", "two"], cancellationToken: Token)).Value;

        embeddings.Select(e => e.Index).Should().Equal(0, 1);
        embeddings[0].ToFloats().ToArray().Should().Equal(FakeAnswers.EmbeddingOf("one", "embed-a"));
        embeddings[1].ToFloats().ToArray().Should().Equal(FakeAnswers.EmbeddingOf("two", "embed-a"));
        embeddings[0].ToFloats().ToArray().Should().NotEqual(FakeAnswers.EmbeddingOf("one", "embed-b"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Models_are_listed_and_count_as_a_probe(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets, new FakeAiOptions { Models = ["a", "b"] });

        var models = (await Connect(fake).GetOpenAIModelClient().GetModelsAsync(Token)).Value;

        models.Select(m => m.Id).Should().Equal("a", "b");
        fake.Counts.Probes.Should().Be(1);
        fake.Counts.Received.Should().Be(0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_file_is_uploaded_as_multipart(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        var content = Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7)).ToArray();

        var file = (await Connect(fake).GetOpenAIFileClient().UploadFileAsync(new MemoryStream(content), "notes – 1.bin", OpenAI.Files.FileUploadPurpose.Assistants, Token)).Value;

        file.Id.Should().Be(FakeAnswers.FileIdOf(content));
        file.SizeInBytes.Should().Be(100_000);
        file.Filename.Should().Be("notes – 1.bin");
        file.Purpose.Should().Be(OpenAI.Files.FilePurpose.Assistants);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_image_is_generated(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);

        var image = (await Connect(fake).GetImageClient("draw").GenerateImageAsync("a cat", cancellationToken: Token)).Value;

        Encoding.UTF8.GetString(image.ImageBytes).Should().Be(FakeAnswers.AnswerTo("a cat"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_wrong_key_an_unknown_model_and_a_long_prompt_are_refused_as_the_provider_does(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets, new FakeAiOptions { ApiKey = "right", Models = [Model], ContextWindow = 100 });

        (await Refused(fake, "wrong", Model, "hello")).Should().Be((401, "invalid_api_key"));
        (await Refused(fake, "right", "other", "hello")).Should().Be((404, "model_not_found"));
        (await Refused(fake, "right", Model, new string('x', 500))).Should().Be((400, "context_length_exceeded"));
        (await Connect(fake, "right").GetChatClient(Model).CompleteChatAsync([new UserChatMessage("hello")], cancellationToken: Token))
            .Value.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("hello"));
        fake.Counts.ByStatus.Should().Equal(new Dictionary<int, long> { [200] = 1, [400] = 1, [401] = 1, [404] = 1 });
    }

    private static async Task<(int Status, string? Code)> Refused(Transport fake, string key, string model, string prompt)
    {
        var call = () => Connect(fake, key).GetChatClient(model).CompleteChatAsync([new UserChatMessage(prompt)], cancellationToken: Token);
        var error = (await call.Should().ThrowAsync<ClientResultException>()).Which;
        var body = System.Text.Json.JsonDocument.Parse(error.GetRawResponse()!.Content).RootElement;
        return (error.Status, body.GetProperty("error").GetProperty("code").GetString());
    }

    private static OpenAIClient Connect(Transport fake, string key = "key") => new(new ApiKeyCredential(key), new OpenAIClientOptions
    {
        Endpoint = new Uri(fake.Root, "v1"),
        Transport = new HttpClientPipelineTransport(fake.Client),
        RetryPolicy = new ClientRetryPolicy(0),
    });

    private static async Task<(string Id, string Name, string Arguments)> CallAsync(ChatClient client, List<ChatMessage> messages, ChatCompletionOptions options)
    {
        var completion = (await client.CompleteChatAsync(messages, options, Token)).Value;
        completion.FinishReason.Should().Be(ChatFinishReason.ToolCalls);
        var call = completion.ToolCalls.Should().ContainSingle().Subject;
        return (call.Id, call.FunctionName, call.FunctionArguments.ToString());
    }

    private static async Task<(string Id, string Name, string Arguments)> CallStreamedAsync(ChatClient client, List<ChatMessage> messages, ChatCompletionOptions options)
    {
        var (id, name, arguments) = ("", "", new StringBuilder());
        await foreach (var update in client.CompleteChatStreamingAsync(messages, options, Token))
        {
            foreach (var call in update.ToolCallUpdates)
            {
                id = call.ToolCallId ?? id;
                name = call.FunctionName ?? name;
                arguments.Append(call.FunctionArgumentsUpdate);
            }
        }

        return (id, name, arguments.ToString());
    }
}
