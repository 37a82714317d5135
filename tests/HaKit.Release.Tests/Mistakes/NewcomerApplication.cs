using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Runs a small application with a mistake. It is started, and makes a call if it starts.</summary>
internal static class NewcomerApplication
{
    public const string Good = """{ "Name": "a", "Address": "http://127.0.0.1:9/v1" }""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Starts an application whose pool <c>chat</c> has this section, and returns what it says.</summary>
    public static Task<string> WithPoolAsync(string section, Action<IEndpointPoolBuilder>? more = null, Func<EndpointPool, Task>? use = null) =>
        SaysAsync($$"""{ "chat": {{section}} }""", builder =>
        {
            var pool = builder.Services.AddHaEndpointPool("chat", builder.Configuration.GetSection("chat"));
            more?.Invoke(pool);
        }, use is null ? null : provider => use(provider.GetRequiredService<EndpointPool>()));

    /// <summary>Does the same with one endpoint that has these members besides its name and address.</summary>
    public static Task<string> WithEndpointAsync(string members, Func<EndpointPool, Task>? use = null) =>
        WithPoolAsync($$"""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1", {{members}} } ] }""", use: use);

    /// <summary>Does the same with one good endpoint and these settings of the pool.</summary>
    public static Task<string> WithSettingAsync(string members) => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ], {{members}} }""");

    /// <summary>Starts an application, uses it, and returns the message of the exception, or else its log.</summary>
    public static async Task<string> SaysAsync(string json, Action<HostApplicationBuilder> describe, Func<IServiceProvider, Task>? use = null)
    {
        var lines = new NewcomerLog();
        try
        {
            var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)));
            builder.Logging.AddProvider(lines);
            describe(builder);
            using var app = builder.Build();
            await app.StartAsync(Token);
            if (use is not null)
                await use(app.Services);
        }
        catch (Exception exception) when (exception is not (NullReferenceException or Xunit.Sdk.IAssertionException))
        {
            lines.Add(exception.Message);
        }
        return lines.ToString();
    }

    /// <summary>Runs an action that is refused, and returns the message.</summary>
    public static async Task<string> RefusesAsync(Func<Task> act) => (await act.Should().ThrowAsync<Exception>()).Which.Message;
}
