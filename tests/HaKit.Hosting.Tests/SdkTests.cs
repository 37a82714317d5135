using HaKit.Selection;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Hosting.Tests;

/// <summary>Tests SDKs from the container, and how they can describe their requests.</summary>
public sealed class SdkTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task One_line_registers_the_pool_and_the_client_and_a_broken_endpoint_is_failed_over()
    {
        await using var world = await World.StartAsync();
        world.Servers[0].Faults.Always(FakeFault.Status(500));

        var answer = await world.Chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Token);

        answer.Value.Content[0].Text.Should().NotBeEmpty();
        world.Provider.GetRequiredKeyedService<OpenAIClient>("openai").Should().BeSameAs(world.Provider.GetRequiredService<OpenAIClient>());
        world.Pool.Name.Should().Be("openai");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_handler_that_is_added_first_runs_once_per_call_and_finds_the_endpoint_that_answered()
    {
        var details = new List<CallDetail?>();
        await using var world = await World.StartAsync(before: c => c.AddHttpMessageHandler(() => new Detailing(details)));
        world.Servers[0].Faults.Always(FakeFault.Status(500));

        await world.Chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Token);
        await foreach (var update in world.Chat.CompleteChatStreamingAsync([new UserChatMessage("hi")], cancellationToken: Token))
            update.Should().NotBeNull();

        details.Select(static d => d?.Endpoint).Should().Equal("s1", "s1");
    }

    [Fact(Timeout = 30_000)]
    public async Task An_ambient_profile_reaches_the_calls_of_any_SDK_inside_it_and_none_outside()
    {
        await using var world = await World.StartAsync();

        using (world.Pool.With(new RequestProfile { Endpoints = ["s1"] }))
        {
            for (var i = 0; i < 4; i++)
                await AskAsync();
        }

        var inside = (world.Servers[0].Counts.Received, world.Servers[1].Counts.Received);
        for (var i = 0; i < 4; i++)
            await AskAsync();

        inside.Should().Be((0, 4));
        world.Servers[0].Counts.Received.Should().BePositive();

        async Task AskAsync()
        {
            await Task.Yield(); // the profile flows over awaits
            await world.Chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Token);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Ambient_profiles_nest_and_those_of_other_pools_do_not_count()
    {
        await using var world = await World.StartAsync();
        await using var other = new EndpointPool("other", Options("http://127.0.0.1:9/v1"));

        using (world.Pool.With(new RequestProfile { Endpoints = ["s1"] }))
        using (other.With(new RequestProfile { Endpoints = ["s0"] }))
        {
            using (world.Pool.With(new RequestProfile { Endpoints = ["s0"] }))
                await world.Chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Token);
            await world.Chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Token);
        }

        (world.Servers[0].Counts.Received, world.Servers[1].Counts.Received).Should().Be((1, 1));
    }

    [Fact(Timeout = 30_000)]
    public async Task Headers_say_what_an_SDK_cannot_and_none_of_them_leaves_the_process()
    {
        var sent = new List<HttpRequestMessage>();
        await using var world = await World.StartAsync(c => c.AddHttpMessageHandler(() => new Noting(sent)));
        using var http = world.Provider.GetRequiredService<IHttpClientFactory>().CreateClient("openai");
        using var request = Request(("x-ha-endpoints", "s1"), ("X-HA-Affinity", "conversation 7"), ("x-ha-priority", "3"), ("x-ha-deadline", "20"), ("x-ha-may-repeat", "false"), ("traceparent", "kept"));

        using var answer = await http.SendAsync(request, Token);

        answer.EnsureSuccessStatusCode();
        world.Servers[1].Counts.Received.Should().Be(1);
        var seen = sent.Should().ContainSingle().Subject.Headers.Select(h => h.Key).ToArray();
        seen.Should().Contain("traceparent").And.NotContain(h => h.StartsWith("x-ha-", StringComparison.OrdinalIgnoreCase));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("x-ha-deadline", "soon")]
    [InlineData("x-ha-deadline", "-3")]
    [InlineData("x-ha-priority", "high")]
    [InlineData("x-ha-may-repeat", "never-ever")]
    [InlineData("x-ha-prioritty", "1")]
    public async Task A_header_with_a_mistake_is_refused_by_name_and_without_its_value(string name, string value)
    {
        await using var world = await World.StartAsync();
        using var http = world.Provider.GetRequiredService<IHttpClientFactory>().CreateClient("openai");
        using var request = Request((name, value));

        (await http.Invoking(h => h.SendAsync(request, Token)).Should().ThrowAsync<InvalidOperationException>())
            .Which.Message.Should().Contain(name).And.NotContain(value);
    }

    [Fact(Timeout = 30_000)]
    public async Task An_endpoints_client_over_a_client_of_the_factory_keeps_its_handlers_and_tells_faults()
    {
        await using var world = await World.StartAsync();
        var sent = new List<HttpRequestMessage>();
        world.Servers[0].Faults.Always(FakeFault.Status(429));
        using var http = new HttpClient(new Noting(sent) { InnerHandler = new SocketsHttpHandler() });
        var options = new OpenAIClientOptions { Endpoint = world.Servers[0].OpenAIAddress }.UseHaEndpoint("s0", http);
        var chat = new ChatClient("m", new System.ClientModel.ApiKeyCredential("k"), options);

        (await chat.Invoking(c => c.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Token)).Should().ThrowAsync<EndpointFaultException>())
            .Which.Fault.Kind.Should().Be(FaultKind.Throttled);
        chat.Invoking(c => c.CompleteChat(new UserChatMessage("hi"))).Should().Throw<EndpointFaultException>("synchronous calls are classified too");
        sent.Should().HaveCount(2);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_synchronous_call_in_a_context_of_one_thread_does_not_wait_for_itself()
    {
        await using var world = await World.StartAsync(c => c.AddHttpMessageHandler(() => new Awaiting()));
        var done = new TaskCompletionSource<string>();
        // The thread of a desktop application: work that is posted to the context runs on one thread, and that thread blocks in the call.
        var desktop = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new NeverRunning());
            try
            {
                done.SetResult(world.Chat.CompleteChat(new UserChatMessage("hi")).Value.Content[0].Text);
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        })
        { IsBackground = true };
        desktop.Start();

        (await done.Task.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().NotBeEmpty();
    }

    private static HttpRequestMessage Request(params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions")
        {
            Content = new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}]}""", System.Text.Encoding.UTF8, "application/json"),
        };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static EndpointPoolOptions Options(string address)
    {
        var options = new EndpointPoolOptions();
        options.Heartbeat.Enabled = false;
        options.Endpoints.Add(new EndpointOptions { Name = "s0", Address = address });
        return options;
    }

    private sealed class World : IAsyncDisposable
    {
        public required FakeAiServer[] Servers { get; init; }

        public required ServiceProvider Provider { get; init; }

        public EndpointPool Pool => Provider.GetRequiredService<EndpointPool>();

        public ChatClient Chat => Provider.GetRequiredService<OpenAIClient>().GetChatClient("m");

        public static async Task<World> StartAsync(Action<IHttpClientBuilder>? client = null, Action<IHttpClientBuilder>? before = null)
        {
            FakeAiServer[] servers = [await FakeAiServer.StartAsync(cancellationToken: Token), await FakeAiServer.StartAsync(cancellationToken: Token)];
            var configuration = new ConfigurationBuilder().AddInMemoryCollection(servers.SelectMany((s, i) => new KeyValuePair<string, string?>[]
            {
                new($"OpenAI:Endpoints:{i}:Name", $"s{i}"), new($"OpenAI:Endpoints:{i}:Address", s.OpenAIAddress.ToString()),
            }).Concat([new("OpenAI:Heartbeat:Enabled", "false"), new("OpenAI:Seed", "1"), new("OpenAI:Selection:Preset", "RoundRobin")])).Build();
            var services = new ServiceCollection();
            before?.Invoke(services.AddHttpClient("openai"));
            services.AddHaOpenAIClient("openai", configuration.GetSection("OpenAI"));
            client?.Invoke(services.AddHttpClient("openai"));
            return new() { Servers = servers, Provider = services.BuildServiceProvider() };
        }

        public async ValueTask DisposeAsync()
        {
            await Provider.DisposeAsync();
            foreach (var server in Servers)
                await server.DisposeAsync();
        }
    }

    private sealed class Noting(List<HttpRequestMessage> sent) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            sent.Add(request);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Detailing(List<CallDetail?> details) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            details.Add(request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail) ? detail : null);
            return response;
        }
    }

    private sealed class Awaiting : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(1, cancellationToken); // the code continues in the context of its caller, as in the handlers of many applications
            return await base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class NeverRunning : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }
}
