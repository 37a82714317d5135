using HaKit.AI.Tests.Chat;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HaKit.AI.Tests;

public sealed class DependencyInjectionTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pool_of_clients_is_the_application_s_chat_client()
    {
        using var gpt = new FakeChatClient("gpt");
        using var claude = new FakeChatClient("claude");
        gpt.Faults.Always(FakeFault.Refused);
        var services = new ServiceCollection();
        services.AddKeyedSingleton<IChatClient>("claude-sdk", claude);
        services.AddHaEndpointPool("chat", o => o.Heartbeat.Enabled = false)
            .AddEndpoint("gpt", gpt, e => e.Model = "gpt-x")
            .AddKeyedChatEndpoint("claude", "claude-sdk", e => { e.Tier = 1; e.Model = "claude-x"; });
        services.AddHaChatClient("chat");
        await using var provider = services.BuildServiceProvider();

        var chat = provider.GetRequiredService<IChatClient>();
        var response = await chat.GetResponseAsync(ChatWorld.Hi, null, Ct);

        response.GetServingEndpoint().Should().Be("claude");
        claude.Requests.Single().Options!.ModelId.Should().Be("claude-x");
        provider.GetRequiredService<EndpointPoolChatClient>().Should().BeSameAs(chat);
        chat.GetService(typeof(EndpointPool)).Should().BeSameAs(provider.GetRequiredKeyedService<EndpointPool>("chat"));
    }

    [Fact]
    public async Task Several_pools_are_told_apart_by_their_keys()
    {
        var services = new ServiceCollection();
        foreach (var name in (string[])["fast", "deep"])
        {
            services.AddHaEndpointPool(name, o => o.Heartbeat.Enabled = false).AddEndpoint($"{name}-1", _ => new FakeChatClient(name));
            services.AddKeyedHaChatClient(name, name);
        }
        await using var provider = services.BuildServiceProvider();

        (await provider.GetRequiredKeyedService<IChatClient>("deep").GetResponseAsync(ChatWorld.Hi, null, Ct)).GetServingEndpoint().Should().Be("deep-1");
        (await provider.GetRequiredKeyedService<IChatClient>("fast").GetResponseAsync(ChatWorld.Hi, null, Ct)).GetServingEndpoint().Should().Be("fast-1");
        provider.GetService<IChatClient>().Should().BeNull();
    }

    [Fact]
    public async Task Configured_endpoints_get_their_clients_by_name_and_keep_them_over_a_reload()
    {
        var made = 0;
        var configuration = new ConfigurationManager();
        configuration["Chat:Endpoints:0:Name"] = "gpt";
        configuration["Chat:Endpoints:0:ContextWindow"] = "1000";
        configuration["Chat:Heartbeat:Enabled"] = "false";
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddHaEndpointPool("chat", configuration.GetSection("Chat")).AddEndpoint("gpt", _ =>
        {
            made++;
            return new FakeChatClient("gpt");
        });
        await using var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredKeyedService<EndpointPool>("chat");
        var client = pool.Endpoints[0].Client;

        configuration["Chat:Endpoints:0:ContextWindow"] = "2000";
        ((IConfigurationRoot)configuration).Reload();

        pool.Endpoints.Should().ContainSingle().Which.Capabilities.ContextWindow.Should().Be(2000);
        pool.Endpoints[0].Client.Should().BeSameAs(client).And.NotBeNull();
        made.Should().Be(1);
    }

    [Fact]
    public async Task An_endpoint_without_a_client_is_refused_when_the_chat_client_is_made()
    {
        await using var pool = new EndpointPool("chat", new EndpointPoolOptions { Endpoints = { new EndpointOptions { Name = "bare", Address = "http://x/v1" } }, Heartbeat = { Enabled = false } });

        var make = () => pool.AsChatClient();

        make.Should().Throw<ArgumentException>().WithMessage("*'chat'*no chat client for bare*AddEndpoint*");
    }

    [Fact]
    public async Task An_application_starts_with_it()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHaEndpointPool("chat", o => o.Heartbeat.Enabled = false).AddEndpoint("gpt", _ => new FakeChatClient("gpt"));
        builder.Services.AddHaChatClient("chat");
        using var host = builder.Build();

        await host.StartAsync(Ct);

        host.Services.GetRequiredService<IChatClient>().Should().BeOfType<EndpointPoolChatClient>();
        await host.StopAsync(Ct);
    }

    [Fact]
    public async Task Endpoints_come_while_calls_run()
    {
        using var first = new FakeChatClient("first");
        using var second = new FakeChatClient("second");
        first.Faults.Always(FakeFault.Refused);
        await using var pool = new EndpointPool("chat", new EndpointPoolOptions { Heartbeat = { Enabled = false } }.AddEndpoint("first", first));
        var chat = pool.AsChatClient();

        pool.AddEndpoint("second", second);

        (await chat.GetResponseAsync(ChatWorld.Hi, null, Ct)).GetServingEndpoint().Should().Be("second");
    }
}
