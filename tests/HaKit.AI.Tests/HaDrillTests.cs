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

    [Theory(Timeout = 120_000)]
    [InlineData(true)]
    [InlineData(false)]
    public void A_drill_never_calls_the_client_of_another_pool(bool hasClient)
    {
        var other = new FakeChatClient("real");
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", _ => { }).AddEndpoint("gpt", new FakeChatClient("gpt")).AddEndpoint("claude", new FakeChatClient("claude"), e => e.Tier = 1);
        services.AddHaEndpointPool("other", _ => { }).AddEndpoint("real", other);
        if (hasClient)
            services.AddKeyedHaChatClient("mine", "chat");
        services.AddHaChatClient("other");

        var drill = () => HaDrill.Run(services, "chat", options => (options.Faults, options.Client) = ([DrillFaults.Quota], hasClient ? "mine" : null));

        if (hasClient)
            drill().Survived.Should().BeTrue();
        else
            drill.Should().Throw<InvalidOperationException>().WithMessage("*is over pool 'other', not over pool 'chat'*");
        other.Requests.Should().BeEmpty();
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
