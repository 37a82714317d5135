using HaKit;
using HaKit.Heartbeats;
using HaKit.Testing;
using Microsoft.Extensions.Http;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Replaces the endpoints of an application's pool with fakes, for tests of the whole application.</summary>
public static class HaEndpointReplacement
{
    /// <summary>
    /// Replaces the pool's endpoints with fakes in memory. The endpoints keep their names, tiers and limits. The fakes answer all probes and all calls, through
    /// every client that the application registered with <see cref="IHttpClientFactory"/>. An endpoint without a fake cannot be reached. Call this method after
    /// the application's own registrations (in <c>ConfigureTestServices</c>). For virtual time register a <see cref="ManualTimeProvider"/> as the <see
    /// cref="TimeProvider"/>. The start fails if no pool has this name. It fails too if a fake has the name of no endpoint while an endpoint has no fake, because
    /// the name is then probably misspelt.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="fakes">Pairs of an endpoint's name and the fake that answers instead.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection ReplaceHaEndpoints(this IServiceCollection services, string pool, params (string Endpoint, FakeHttpEndpoint Fake)[] fakes)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        ArgumentNullException.ThrowIfNull(fakes);
        var places = new Places(LabelOf(pool), fakes);
        services.RequireHaEndpointPool(pool, nameof(ReplaceHaEndpoints));
        services.PostConfigure<EndpointPoolOptions>(pool, options =>
        {
            ThrowIfMisspelt(pool, options, fakes);
            places.Move(options);
        });
        services.PostConfigureAll<HttpClientFactoryOptions>(options =>
            options.HttpMessageHandlerBuilderActions.Add(builder => builder.AdditionalHandlers.Add(new Detour(places))));
        new Named(pool, services).ConfigureParts((_, parts) =>
        {
            parts.ProbeHttp = new HttpMessageInvoker(places.Network, disposeHandler: false);
            var given = parts.Probe;
            // A TCP probe would open a real connection. Therefore a request to the fake's health path replaces it. An endpoint without an address has no fake.
            parts.Probe = endpoint =>
            {
                var own = given?.Invoke(endpoint);
                return endpoint.Address is null || own is not null and not TcpProbe ? own : new HttpProbe("/health");
            };
        });
        return services;
    }

    // A fake may be for an endpoint that the pool gets later. But if there is also an endpoint without a fake, the name of the fake is probably misspelt.
    private static void ThrowIfMisspelt(string pool, EndpointPoolOptions options, (string Endpoint, FakeHttpEndpoint Fake)[] fakes)
    {
        string[] endpoints = [.. (options.Endpoints ?? []).Where(static e => e is not null).Select(static e => e.Name)];
        if (options.AllowEmpty || endpoints.All(name => fakes.Any(f => f.Endpoint == name)))
            return;
        string[] unknown = [.. fakes.Select(static f => f.Endpoint).Where(name => !endpoints.Contains(name, StringComparer.Ordinal))];
        if (unknown.Length > 0)
            throw new InvalidOperationException($"ReplaceHaEndpoints names '{string.Join("', '", unknown)}', which the pool '{pool}' does not have, and gives no fake to '{string.Join("', '", endpoints.Where(name => !fakes.Any(f => f.Endpoint == name)))}'. Write the names as the pool has them.");
    }

    // A label of a host name has at most 63 characters. A longer name of a pool is represented by its hash, so that two pools never share a host.
    private static string LabelOf(string pool)
    {
        var name = System.Text.Encoding.UTF8.GetBytes(pool);
        return Convert.ToHexStringLower(name.Length <= 30 ? name : System.Security.Cryptography.SHA256.HashData(name).AsSpan(0, 31));
    }

    /// <summary>Assigns each endpoint of the pool an address that is used nowhere else.</summary>
    private sealed class Places(string label, (string Endpoint, FakeHttpEndpoint Fake)[] fakes)
    {
        private readonly string _suffix = $".{label}.fake.invalid";
        private readonly Lock _lock = new();
        private readonly Dictionary<string, string> _hosts = new(StringComparer.Ordinal);

        public FakeHttpNetwork Network { get; } = new();

        public bool IsOurs(Uri? address) => address?.Host.EndsWith(_suffix, StringComparison.OrdinalIgnoreCase) == true;

        public void Move(EndpointPoolOptions options)
        {
            // The default of the origin is the first endpoint's address. It is set here, before that address changes, because the application's code may send
            // its requests to the original address.
            options.Origin ??= options.Endpoints.FirstOrDefault()?.Address;
            foreach (var endpoint in options.Endpoints)
            {
                if (Uri.TryCreate(endpoint.Address, UriKind.Absolute, out var address))
                    endpoint.Address = new UriBuilder("http", HostOf(endpoint.Name), 80, address.AbsolutePath).Uri.AbsoluteUri;
            }
        }

        private string HostOf(string endpoint)
        {
            lock (_lock)
            {
                if (_hosts.TryGetValue(endpoint, out var host))
                    return host;
                _hosts.Add(endpoint, host = $"e{_hosts.Count}{_suffix}");
                foreach (var (name, fake) in fakes)
                {
                    if (name == endpoint)
                        Network.Add(new Uri($"http://{host}/"), fake);
                }

                return host;
            }
        }
    }

    /// <summary>The last handler before the network: it sends requests for a fake's address to the fake.</summary>
    private sealed class Detour(Places places) : DelegatingHandler
    {
        private readonly HttpMessageInvoker _network = new(places.Network, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            places.IsOurs(request.RequestUri) ? _network.SendAsync(request, cancellationToken) : base.SendAsync(request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _network.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed record Named(string Name, IServiceCollection Services) : IEndpointPoolBuilder;
}
