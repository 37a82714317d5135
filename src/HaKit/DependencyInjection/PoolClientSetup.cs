using HaKit.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HaKit.DependencyInjection;

/// <summary>
/// Removes three things that would work against the pool from a pool's client: the resilience handlers that <c>ConfigureHttpClientDefaults</c> adds to all
/// clients, the client's own standard handlers, and <see cref="HttpClient.Timeout"/>. It runs after all registrations, so their order does not matter.
/// </summary>
internal sealed partial class PoolClientSetup(IServiceProvider provider, IEnumerable<EndpointPoolClient> clients, IEnumerable<KeptResilience> kept, StandardHandlersOff standard)
    : IPostConfigureOptions<HttpClientFactoryOptions>
{
    // No client of this name is ever registered, so its options contain only the actions for all clients.
    private const string NoClient = "HaKit.DependencyInjection.NoClient";

    private static readonly TimeSpan s_timeoutOfTheRuntime = TimeSpan.FromSeconds(100);

    public void PostConfigure(string? name, HttpClientFactoryOptions options)
    {
        if (name is null || clients.FirstOrDefault(c => c.Client == name) is not { } client)
            return;
        var keeps = kept.Any(k => k.Client == name);
        var told = new Once();
        var actions = options.HttpMessageHandlerBuilderActions;
        actions.Insert(ActionsOfAllClients(), static builder => builder.AdditionalHandlers.Add(new EndOfDefaults()));
        actions.Add(builder =>
        {
            var done = HandlerArrangement.Apply(builder.AdditionalHandlers, standard.CountOf(name), keeps);
            if (told.IsFirst())
                LogArrangement(done, client);
        });
        var toldOfTimeout = new Once();
        options.HttpClientActions.Add(http =>
        {
            if (http.Timeout != Timeout.InfiniteTimeSpan && http.Timeout != s_timeoutOfTheRuntime && toldOfTimeout.IsFirst())
                TimeoutOff(Logger, client.Pool, client.Client, http.Timeout.TotalSeconds);
            http.Timeout = Timeout.InfiniteTimeSpan;
        });
    }

    private ILogger Logger => SafeLogger.Create(provider.GetService<ILoggerFactory>(), "HaKit.Http");

    // The factory runs the actions for all clients before each client's own actions, even if they were registered later.
    private int ActionsOfAllClients() =>
        provider.GetRequiredService<IOptionsMonitor<HttpClientFactoryOptions>>().Get(NoClient).HttpMessageHandlerBuilderActions.Count;

    private void LogArrangement(in HandlerArrangement done, EndpointPoolClient client)
    {
        if (done.TakenOff + done.PassThrough > 0)
            TakenOff(Logger, client.Pool, client.Client, done.TakenOff + done.PassThrough);
        if (done.Custom > 0)
            Custom(Logger, client.Pool, client.Client, done.Custom);
    }

    [LoggerMessage(20, LogLevel.Information, "Pool {Pool}: HTTP client {Client} runs without its resilience handlers of Microsoft.Extensions.Http.Resilience ({Count}), because the pool already retries, and already has time limits. KeepResilience() keeps them.")]
    private static partial void TakenOff(ILogger logger, string pool, string client, int count);

    [LoggerMessage(21, LogLevel.Warning, "Pool {Pool}: HTTP client {Client} keeps the application's own resilience handlers (AddResilienceHandler: {Count}). Their retries multiply the pool's retries, and their timeouts end calls that the pool would save. Put strategies for each attempt into ConfigureEndpointPipeline. KeepResilience() silences this warning.")]
    private static partial void Custom(ILogger logger, string pool, string client, int count);

    [LoggerMessage(22, LogLevel.Information, "Pool {Pool}: HTTP client {Client} runs without its HttpClient.Timeout of {Seconds} s, because TotalRequestTimeout of the pool is the deadline.")]
    private static partial void TimeoutOff(ILogger logger, string pool, string client, double seconds);

    private sealed class Once
    {
        private int _done;

        public bool IsFirst() => Interlocked.Exchange(ref _done, 1) == 0;
    }
}
