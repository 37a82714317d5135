using HaKit;
using HaKit.Heartbeats;
using HaKit.Testing;
using Microsoft.Extensions.Http;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts fakes behind an application's own registration.</summary>
public static class HaEndpointReplacement
{
    /// <summary>
    /// The pool's endpoints keep their names, tiers and limits, but are answered by fakes, in memory: calls, through whatever clients the application
    /// registered with the factory, and probes. An endpoint for which no fake is given cannot be reached. Call it after the application's own registrations
    /// (in <c>ConfigureTestServices</c>). Register a <see cref="ManualTimeProvider"/> as the <see cref="TimeProvider"/> for virtual time.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="fakes">An endpoint's name and what answers in its place.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection ReplaceHaEndpoints(this IServiceCollection services, string pool, params (string Endpoint, FakeHttpEndpoint Fake)[] fakes)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        ArgumentNullException.ThrowIfNull(fakes);
        var places = new Places(Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(pool)), fakes);
        services.PostConfigure<EndpointPoolOptions>(pool, places.Move);
        services.PostConfigureAll<HttpClientFactoryOptions>(options =>
            options.HttpMessageHandlerBuilderActions.Add(builder => builder.AdditionalHandlers.Add(new Detour(places))));
        new Named(pool, services).ConfigureParts((_, parts) =>
        {
            parts.ProbeHttp = new HttpMessageInvoker(places.Network, disposeHandler: false);
            var given = parts.Probe;
            // A connection of its own would leave the process; the question for health is answered by the fake.
            parts.Probe = endpoint => given?.Invoke(endpoint) is { } probe and not TcpProbe ? probe : new HttpProbe("/health");
        });
        return services;
    }

    /// <summary>Addresses that exist nowhere else, one for each endpoint of the pool.</summary>
    private sealed class Places(string label, (string Endpoint, FakeHttpEndpoint Fake)[] fakes)
    {
        private readonly string _suffix = $".{label[..Math.Min(60, label.Length)]}.fake.invalid";
        private readonly Lock _lock = new();
        private readonly Dictionary<string, string> _hosts = new(StringComparer.Ordinal);

        public FakeHttpNetwork Network { get; } = new();

        public bool IsOurs(Uri? address) => address?.Host.EndsWith(_suffix, StringComparison.OrdinalIgnoreCase) == true;

        public void Move(EndpointPoolOptions options)
        {
            // What the application's own code may have taken for its base address.
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

    /// <summary>The last handler before the wire: what is addressed to a fake goes there.</summary>
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
