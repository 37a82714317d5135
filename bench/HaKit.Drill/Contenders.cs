using System.ClientModel;
using System.ClientModel.Primitives;
using HaKit.AI;
using HaKit.Tool.Drills;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Http.Resilience;
using OpenAI;
using Polly;

namespace HaKit.Drills;

/// <summary>The contenders that run in the application's own process. Each is configured as its documentation advises; corrections are welcome.</summary>
internal static class Contenders
{
    // Callers wait for 10 s, which is enough for two attempts.
    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(4);

    public static IReadOnlyList<DrillContender> All { get; } =
    [
        DrillContenders.HaKit,
        new("HaKit as IChatClient, defaults", HaKitChat, IsFresh: true),
        new("Polly by hand", PollyByHand, IsFresh: true),
        new("AddStandardResilienceHandler", StandardResilience, IsFresh: true),
        new("AddStandardHedgingHandler", StandardHedging, IsFresh: true),
        new("OrderedFailoverChatClient", OrderedFailover, IsFresh: true),
        Processes.Yarp,
        Processes.Nginx,
        Processes.HAProxy,
        Processes.Portkey,
    ];

    private static Task<IDrillTarget> HaKitChat(IReadOnlyList<Uri> addresses)
    {
        var options = new EndpointPoolOptions();
        for (var i = 0; i < addresses.Count; i++)
        {
            var name = $"upstream-{i + 1}";
            options.AddEndpoint(name, ChatClientAt(addresses[i], new OpenAIClientOptions().UseHaEndpoint(name)));
        }
        var pool = new EndpointPool("drill", options);
        return Task.FromResult<IDrillTarget>(new ChatDrillTarget(pool.AsChatClient(), pool));
    }

    // The clients are tried in their order and have no retries of their own, because the next client is the retry.
    private static Task<IDrillTarget> OrderedFailover(IReadOnlyList<Uri> addresses)
    {
#pragma warning disable MEAI001 // The client is experimental, but many applications will use it.
        var client = new OrderedFailoverChatClient([.. addresses.Select(a => ChatClientAt(a, new OpenAIClientOptions { RetryPolicy = new ClientRetryPolicy(0), NetworkTimeout = AttemptTimeout }))]);
#pragma warning restore MEAI001
        return Task.FromResult<IDrillTarget>(new ChatDrillTarget(client, null));
    }

    private static IChatClient ChatClientAt(Uri address, OpenAIClientOptions options)
    {
        options.Endpoint = address;
        return new OpenAIClient(new ApiKeyCredential("none"), options).GetChatClient("drill").AsIChatClient();
    }

    // Strategies as many applications write them by hand: a retry that goes to the next upstream at once, a timeout for each attempt, and a breaker for each
    // upstream.
    private static Task<IDrillTarget> PollyByHand(IReadOnlyList<Uri> addresses)
    {
        var breakers = addresses.Select(_ => new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddCircuitBreaker(new()
            {
                FailureRatio = 0.5,
                MinimumThroughput = 5,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = TimeSpan.FromSeconds(5),
                ShouldHandle = static a => ValueTask.FromResult(IsTransient(a.Outcome)),
            })
            .AddTimeout(AttemptTimeout).Build()).ToArray();
        var retry = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(new()
            {
                MaxRetryAttempts = 3,
                Delay = TimeSpan.Zero,
                ShouldHandle = static a => ValueTask.FromResult(IsTransient(a.Outcome) || a.Outcome.Exception is Polly.CircuitBreaker.BrokenCircuitException),
            })
            .Build();
        return Http(addresses, builder => builder.AddHttpMessageHandler(() => new NextUpstreamHandler(addresses, retry, breakers)));
    }

    // The standard handler repeats the request on the handler inside it, which uses the upstreams in turn.
    private static Task<IDrillTarget> StandardResilience(IReadOnlyList<Uri> addresses) => Http(addresses, builder =>
    {
        builder.AddStandardResilienceHandler(options =>
        {
            options.AttemptTimeout.Timeout = AttemptTimeout;
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10);
            // The standard handler has one breaker for all upstreams. With the default ratio of 0.1, one failing upstream of three would exclude the two
            // healthy upstreams.
            options.CircuitBreaker.FailureRatio = 0.9;
        });
        builder.AddHttpMessageHandler(() => new InTurnHandler(addresses));
    });

    private static Task<IDrillTarget> StandardHedging(IReadOnlyList<Uri> addresses) => Http(addresses, builder =>
        builder.AddStandardHedgingHandler(routing => routing.ConfigureOrderedGroups(options =>
        {
            foreach (var address in addresses)
                options.Groups.Add(new UriEndpointGroup { Endpoints = { new WeightedUriEndpoint { Uri = new Uri(address.GetLeftPart(UriPartial.Authority)) } } });
        })).Configure(options =>
        {
            options.Endpoint.Timeout.Timeout = AttemptTimeout;
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10);
            options.Hedging.MaxHedgedAttempts = 2;
        }));

    private static Task<IDrillTarget> Http(IReadOnlyList<Uri> addresses, Action<IHttpClientBuilder> configure)
    {
        var services = new ServiceCollection();
        configure(services.AddHttpClient("drill", client => client.Timeout = Timeout.InfiniteTimeSpan));
        var provider = services.BuildServiceProvider();
        return Task.FromResult<IDrillTarget>(new HttpDrillTarget(provider.GetRequiredService<IHttpClientFactory>().CreateClient("drill"), addresses[0], [], provider));
    }

    private static bool IsTransient(Outcome<HttpResponseMessage> outcome) =>
        outcome.Exception is HttpRequestException or Polly.Timeout.TimeoutRejectedException
        || outcome.Result is { StatusCode: var status } && ((int)status >= 500 || (int)status is 408 or 429);
}
