#region first lines
using System.ClientModel;
using HaKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenAI;
using OpenAI.Chat;
#endregion

namespace HaKit.Sample.Tests.Readme;

/// <summary>The code that the README shows.</summary>
internal static class FirstLines
{
    public static async Task<string> RunAsync(string[] args)
    {
        #region first lines
        var builder = Host.CreateApplicationBuilder(args);
        builder.Services.AddHaEndpointPool("chat", builder.Configuration.GetSection("chat"));
        using var app = builder.Build();
        await app.StartAsync();

        var pool = app.Services.GetRequiredKeyedService<EndpointPool>("chat");
        var options = new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool);
        var client = new ChatClient("gpt-4o-mini", new ApiKeyCredential("each endpoint has its own"), options);
        ChatCompletion answer = await client.CompleteChatAsync("Are you there?");
        Console.WriteLine(answer.Content[0].Text);
        #endregion
        return answer.Content[0].Text;
    }
}
