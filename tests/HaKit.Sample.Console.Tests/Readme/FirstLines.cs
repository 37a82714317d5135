#region first lines
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
        builder.Services.AddHaOpenAIClient("chat", builder.Configuration.GetSection("chat"));
        using var app = builder.Build();
        await app.StartAsync();

        var client = app.Services.GetRequiredService<OpenAIClient>().GetChatClient("gpt-4o-mini");
        ChatCompletion answer = await client.CompleteChatAsync("Are you there?");
        Console.WriteLine(answer.Content[0].Text);
        #endregion
        return answer.Content[0].Text;
    }
}
