using System.ClientModel;
using HaKit;
using HaKit.Testing;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Release.Tests.Start;

// The code of docs/start.md. PackageTests runs it as a stranger would: from the page, in projects of its own.

public static class ChatPool
{
    public static void Describe(EndpointPoolOptions pool) => pool.Endpoints = [
        new() { Name = "main", Address = "http://localhost:8001/v1", HealthPath = "/health" },
        new() { Name = "standby", Address = "http://localhost:8002/v1", HealthPath = "/health", Tier = 1 },
    ];
}

internal static class AskProgram
{
    public static async Task RunAsync()
    {
        await using var standby = await FakeAiServer.StartAsync(port: 8002);
        var options = new EndpointPoolOptions();
        ChatPool.Describe(options);
        await using var pool = new EndpointPool("chat", options);
        var chat = new ChatClient("any", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool));
        Console.WriteLine((await chat.CompleteChatAsync("Are you there?")).Value.Content[0].Text);
    }
}

public class ChatPoolTests
{
    [Fact]
    public void The_standby_serves_while_the_quota_of_the_main_endpoint_is_used_up()
    {
        using var test = TestPools.Create([], ChatPool.Describe);
        test["main"].Faults.Always(FakeFaults.OpenAI.QuotaExhausted());
        Assert.Equal("standby", test.Call().Endpoint);
    }
}
