using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Release.Tests.Start;

// The last code of docs/start.md, in a file of its own because of its usings.

public class OutageTests
{
    [Fact]
    public async Task The_chat_survives_an_outage_of_any_endpoint()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", ChatPool.Describe);
        await HaDrill.SurvivesAsync(services, "chat");
    }
}
