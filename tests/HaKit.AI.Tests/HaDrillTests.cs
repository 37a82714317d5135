using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.AI.Tests;

public sealed class HaDrillTests
{
    [Fact(Timeout = 120_000)]
    public async Task A_chat_client_over_different_providers_survives_the_matrix()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", _ => { })
            .AddEndpoint("gpt", new FakeChatClient("gpt"))
            .AddEndpoint("claude", new FakeChatClient("claude"), e => e.Tier = 1);
        services.AddHaChatClient("chat");

        var result = await HaDrill.SurvivesAsync(services, "chat", options => options.Tiers = [["gpt"], ["claude"]]);

        result.Rows.Count.Should().BeGreaterThan(25);
        result.Rows.Single(r => r.Fault == "cut").Cut.Should().BePositive("what was delivered is not replayed");
        HaDrill.Run(services, "chat", options => (options.AllowCuts, options.Faults) = (false, [DrillFaults.Cut])).Survived.Should().BeFalse();
    }

    [Fact(Timeout = 120_000)]
    public void A_provider_alone_does_not()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", _ => { }).AddEndpoint("gpt", new FakeChatClient("gpt"));
        services.AddHaChatClient("chat");

        HaDrill.Run(services, "chat", options => options.Faults = [DrillFaults.Quota]).Survived.Should().BeFalse();
    }
}
