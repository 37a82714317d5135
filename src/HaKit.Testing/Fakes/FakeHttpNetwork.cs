namespace HaKit.Testing;

/// <summary>
/// Several <see cref="FakeHttpEndpoint"/>s behind one handler, each at its own scheme, host and port. A host that was not
/// added cannot be resolved, as <see cref="FakeFault.NameNotResolved"/> says. Thread-safe once set up.
/// </summary>
public sealed class FakeHttpNetwork : HttpMessageHandler
{
    private readonly Dictionary<string, FakeHttpEndpoint> _byOrigin = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Puts an endpoint at the origin of an address.</summary>
    /// <param name="address">Any absolute address there: only scheme, host and port count.</param>
    /// <param name="endpoint">The endpoint that answers.</param>
    /// <returns>This network, to add the next.</returns>
    /// <exception cref="ArgumentException">Another endpoint is there.</exception>
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
