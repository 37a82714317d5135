using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace HaKit.Heartbeats;

/// <summary>
/// Posts to an address when an endpoint is ejected: a JSON object with <c>pool</c>, <c>endpoint</c>, <c>fault</c>, <c>ejections</c> and <c>at</c>. Thread-safe.
/// </summary>
public sealed class WebhookRecovery : IDisposable
{
    private readonly Uri _address;
    private readonly HttpMessageInvoker _http;
    private readonly bool _ownsHttp;

    /// <summary>Creates an action that posts to the given address.</summary>
    /// <param name="address">An absolute http or https address.</param>
    /// <param name="http">The sender of the request. The action does not dispose it. Default null: the action has its own connections.</param>
    /// <exception cref="ArgumentException">The address is not an absolute http or https address, or has a placeholder in it.</exception>
    public WebhookRecovery(Uri address, HttpMessageInvoker? http = null)
    {
        if (address is null)
            throw new ArgumentNullException(nameof(address), "WebhookRecovery was given no address: perhaps the configuration does not have it. An absolute http or https address is needed.");
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new ArgumentException("WebhookRecovery was given another address than an absolute http or https address, such as 'https://recovery.example/hook'. The address is not shown, because it may hold a secret.", nameof(address));
        if (Placeholder.IsInAddress(address.OriginalString))
            throw new ArgumentException("WebhookRecovery was given an address with a placeholder in it, such as '<id>'. Give the real address. It is not shown, because it may hold a secret.", nameof(address));
        _address = address;
        _ownsHttp = http is null;
        _http = http ?? new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null, // its spans would name the address, and that may be a secret
        });
    }

    /// <summary>Gets the headers of the request. They may contain credentials and are never printed. Default: none.</summary>
    /// <exception cref="ArgumentException">A header has characters that cannot be sent.</exception>
    public IReadOnlyDictionary<string, string> Headers
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Any(static h => !RequestHeader.CanBeSent(h.Key, h.Value)))
                throw new ArgumentException("A header of the webhook has characters that cannot be sent: letters, digits and hyphens are possible in its name, and ASCII without control characters in its value. It is not shown, because it may hold a secret.", nameof(value));
            field = value;
        }
    } = new Dictionary<string, string>();

    /// <summary>Posts to the address; add this method to <see cref="EndpointPoolParts.OnEjected"/>.</summary>
    /// <param name="evidence">The ejection.</param>
    /// <param name="cancellationToken">Cancelled when the time for recovery is over.</param>
    /// <exception cref="HttpRequestException">The answer was not a success, or there was no answer.</exception>
    public async ValueTask RunAsync(EjectionEvidence evidence, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        using var content = new ByteArrayContent(Body(evidence));
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, _address) { Content = content };
        foreach (var (name, value) in Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsHttp)
            _http.Dispose();
    }

    private static byte[] Body(EjectionEvidence evidence)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("pool", evidence.Pool);
            json.WriteString("endpoint", evidence.Endpoint.Name);
            json.WriteString("fault", evidence.Fault?.Kind.ToString());
            json.WriteNumber("ejections", evidence.Health.Ejections);
            json.WriteString("at", evidence.At.ToString("O", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
