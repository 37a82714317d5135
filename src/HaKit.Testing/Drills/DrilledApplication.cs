using System.Text;
using HaKit.Heartbeats;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HaKit.Testing;

/// <summary>The application's own registrations, with fakes instead of the pool's endpoints and with the drill's clock.</summary>
internal sealed class DrilledApplication : IDisposable
{
    private readonly ServiceProvider _provider;
    private readonly HaDrillOptions _options;
    private readonly EndpointPool _pool;
    private readonly List<Func<string, bool, CancellationToken, Task<DrillAnswer>>> _callers = [];
    private readonly Dictionary<string, FakeHttpEndpoint> _http = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FakeChatClient> _chat = new(StringComparer.Ordinal);
    private int _calls;

    public DrilledApplication(IServiceCollection services, string pool, HaDrillOptions options, IReadOnlyList<DrillMember> members)
    {
        _options = options;
        for (var i = 0; i < members.Count; i++)
        {
            var (name, seed) = (members[i].Name, options.Seed + i);
            if (members[i].HasClient)
                _chat[name] = new FakeChatClient(name, Time, seed);
            else
                _http[name] = new FakeHttpEndpoint(new FakeAiOptions { Name = name, Time = Time, Seed = seed });
        }
        IServiceCollection copy = new ServiceCollection();
        foreach (var service in services)
            copy.Add(service);
        copy.AddSingleton<TimeProvider>(Time);
        copy.PostConfigure<EndpointPoolOptions>(pool, configured =>
        {
            configured.Seed ??= options.Seed;
            foreach (var endpoint in configured.Endpoints)
            {
                if (_chat.TryGetValue(endpoint.Name, out var fake))
                    endpoint.Client = fake;
            }
        });
        // The drill needs an IHttpClientFactory. The application may have none if its SDK uses the pool directly.
        copy.AddHttpClient();
        copy.ReplaceHaEndpoints(pool, [.. _http.Select(static h => (h.Key, h.Value))]);
        _provider = copy.BuildServiceProvider();
        _pool = _provider.GetRequiredKeyedService<EndpointPool>(pool);
        FindCallers(services);
    }

    public ManualTimeProvider Time { get; } = new();

    /// <summary>Gets the names of the clients that have a resilience handler outside the pool.</summary>
    public List<string> OuterResilience { get; } = [];

    public FaultScript FaultsOf(string endpoint) => _http.TryGetValue(endpoint, out var http) ? http.Faults : _chat[endpoint].Faults;

    public FakeCounts CountsOf(string endpoint) => _http.TryGetValue(endpoint, out var http) ? http.Counts : _chat[endpoint].Counts;

    /// <summary>Returns the pool's endpoints, in the order of their tiers.</summary>
    /// <exception cref="InvalidOperationException">The pool is not registered.</exception>
    public static IReadOnlyList<DrillMember> MembersOf(IServiceCollection services, string pool)
    {
        string[] names = [.. services.Where(static s => s.IsKeyedService && s.ServiceType == typeof(EndpointPool)).Select(static s => s.ServiceKey).OfType<string>().Distinct(StringComparer.Ordinal)];
        if (!names.Contains(pool, StringComparer.Ordinal))
            throw new InvalidOperationException($"There is no pool '{pool}' among the services: AddHaEndpointPool {(names.Length == 0 ? "registers one" : $"has registered '{string.Join("', '", names)}'")}.");
        using var provider = services.BuildServiceProvider();
        var options = provider.GetRequiredService<IOptionsFactory<EndpointPoolOptions>>().Create(pool);
        return [.. options.Endpoints.Select(static e => new DrillMember(e.Name, e.Tier, e.Client is not null)).OrderBy(static m => m.Tier)];
    }

    /// <summary>Makes one call in the same way as the application.</summary>
    public Task<DrillAnswer> CallAsync(string prompt, bool streamed, CancellationToken cancellationToken) => _callers[_calls++ % _callers.Count](prompt, streamed, cancellationToken);

    public void Dispose() => Time.Run(() => _provider.DisposeAsync().AsTask());

    private void FindCallers(IServiceCollection services)
    {
        if (_options.Call is { } call)
            _callers.Add(async (prompt, _, token) => new DrillAnswer(await call(_provider, prompt, token).ConfigureAwait(false), HasEnded: true));
        else if (_chat.Count > 0)
            _callers.Add(CallerOf(ChatClient()));
        else
            FindHttpCallers(services);
    }

    private IChatClient ChatClient()
    {
        var client = _options.Client is { } key ? _provider.GetKeyedService<IChatClient>(key) : _provider.GetService<IChatClient>();
        if (client is null)
            throw new InvalidOperationException($"The endpoints of pool '{_pool.Name}' are chat clients, and no IChatClient over the pool is registered: AddHaChatClient registers one, or set HaDrillOptions.Call.");
        // The endpoints of another pool are real, so a drill must never call them. A client that does not tell its pool may be the application's own wrapper.
        if (client.GetService(typeof(EndpointPool)) is EndpointPool other && other != _pool)
            throw new InvalidOperationException($"The IChatClient that the drill would call is over pool '{other.Name}', not over pool '{_pool.Name}'. Set HaDrillOptions.Client to the key of a client over '{_pool.Name}', or set HaDrillOptions.Call.");
        return client;
    }

    private void FindHttpCallers(IServiceCollection services)
    {
        foreach (var name in ClientNames(services))
        {
            var outer = new List<string>();
            if (!IsOverPool(_provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(name), outer))
                continue;
            OuterResilience.AddRange(outer.Select(handler => $"{handler} of HTTP client '{name}'"));
            _callers.Add(CallerOf(_provider.GetRequiredService<IHttpClientFactory>().CreateClient(name)));
        }
        if (_callers.Count > 0)
            return;
        if (_options.Client is { } wanted)
            throw new InvalidOperationException($"There is no HTTP client '{wanted}' over pool '{_pool.Name}'.");
        // This client is the same as the pool creates for an SDK, except that the fakes replace the network.
        var detour = _provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("HaKit.Testing.Drill");
        _callers.Add(CallerOf(new HttpClient(new EndpointPoolHandler(_pool) { InnerHandler = detour }) { BaseAddress = FolderOf(_pool.Origin), Timeout = Timeout.InfiniteTimeSpan }));
    }

    private IEnumerable<string> ClientNames(IServiceCollection services) => _options.Client is { } wanted
        ? [wanted]
        : services.Where(static s => !s.IsKeyedService && s.ServiceType == typeof(IConfigureOptions<HttpClientFactoryOptions>))
            .Select(static s => (s.ImplementationInstance as ConfigureNamedOptions<HttpClientFactoryOptions>)?.Name).OfType<string>().Distinct(StringComparer.Ordinal);

    // The pool's handler can be at any place in the chain of handlers.
    private bool IsOverPool(HttpMessageHandler? handler, List<string> outer)
    {
        for (; handler is not null; handler = (handler as DelegatingHandler)?.InnerHandler)
        {
            if (handler is EndpointPoolHandler pool)
                return ReferenceEquals(pool.Pool, _pool);
            if (handler.GetType().FullName == "Microsoft.Extensions.Http.Resilience.ResilienceHandler")
                outer.Add("the resilience handler");
        }
        return false;
    }

    private static Func<string, bool, CancellationToken, Task<DrillAnswer>> CallerOf(HttpClient client)
    {
        var address = new Uri(FolderOf(client.BaseAddress ?? new Uri("http://ha-pool/v1/")), "chat/completions");
        return async (prompt, streamed, token) =>
        {
            using var request = ChatExchange.CreateRequest(address, prompt, streamed);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token).ConfigureAwait(false);
            return await ChatExchange.ReadAsync(response, streamed, token).ConfigureAwait(false);
        };
    }

    private static Func<string, bool, CancellationToken, Task<DrillAnswer>> CallerOf(IChatClient client) => async (prompt, streamed, token) =>
    {
        if (!streamed)
            return new DrillAnswer((await client.GetResponseAsync([new ChatMessage(ChatRole.User, prompt)], null, token).ConfigureAwait(false)).Text, HasEnded: true);
        var text = new StringBuilder();
        var hasEnded = false;
        await foreach (var update in client.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, prompt)], null, token).ConfigureAwait(false))
        {
            text.Append(update.Text);
            hasEnded |= update.FinishReason is not null;
        }
        return new DrillAnswer(text.ToString(), hasEnded);
    };

    private static Uri FolderOf(Uri address) => address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");
}
