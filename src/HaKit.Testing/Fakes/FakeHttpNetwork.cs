namespace HaKit.Testing;

/// <summary>
/// A handler that sends each request to the <see cref="FakeHttpEndpoint"/> of its scheme, host and port. A request to a host that was not
/// added fails as <see cref="FakeFault.NameNotResolved"/> does. Thread-safe after all endpoints are added.
/// </summary>
public sealed class FakeHttpNetwork : HttpMessageHandler
{
    private readonly Dictionary<string, FakeHttpEndpoint> _byOrigin = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds an endpoint for the scheme, host and port of an address.</summary>
    /// <param name="address">An absolute address. Only its scheme, host and port are used.</param>
    /// <param name="endpoint">The endpoint that answers the requests.</param>
    /// <returns>This network, so that calls can be chained.</returns>
    /// <exception cref="ArgumentException">The network already has an endpoint for this scheme, host and port.</exception>
    public FakeHttpNetwork Add(Uri address, FakeHttpEndpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(endpoint);
        _byOrigin.Add(OriginOf(address), endpoint);
        return this;
    }

    /// <inheritdoc/>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.RequestUri is { } uri && _byOrigin.TryGetValue(OriginOf(uri), out var endpoint)
            ? endpoint.AnswerAsync(request, cancellationToken)
            : Task.FromException<HttpResponseMessage>(Wire.ConnectionFailures.NameNotResolved());
    }

    private static string OriginOf(Uri address) => address.GetLeftPart(UriPartial.Authority);
}
