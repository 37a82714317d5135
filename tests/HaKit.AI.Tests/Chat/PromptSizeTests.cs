using System.Text.Json;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>Tests how the estimated and the given size of a prompt choose the endpoint.</summary>
public sealed class PromptSizeTests
{
    public static TheoryData<string> LongContents => ["result", "result of text", "contents of a result", "arguments"];

    [Theory]
    [MemberData(nameof(LongContents))]
    public void The_text_of_a_tool_call_and_of_its_result_counts(string content)
    {
        var world = new ChatWorld(endpoint: (name, e) => e.ContextWindow = name == "a" ? 1_000 : 100_000);
        var text = new string('x', 10_000);
        AIContent tool = content switch
        {
            "result" => new FunctionResultContent("1", JsonSerializer.SerializeToElement(text)),
            "result of text" => new FunctionResultContent("1", text),
            "contents of a result" => new FunctionResultContent("1", new List<AIContent> { new TextContent(text) }),
            _ => new FunctionCallContent("1", "write", new Dictionary<string, object?> { ["path"] = "x", ["text"] = JsonSerializer.SerializeToElement(text) }),
        };

        world.Ask(messages: [ChatWorld.Hi[0], new(ChatRole.Assistant, [tool])]).GetServingEndpoint().Should().Be("b");
    }
}
