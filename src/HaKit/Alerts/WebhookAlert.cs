using System.Net.Http.Headers;
using System.Text;
using HaKit.Limits;

namespace HaKit.Alerts;

/// <summary>
/// Posts messages to an address, and retries after failures that may be temporary. The address and the headers are never printed. Thread-safe.
/// </summary>
internal sealed class WebhookAlert : IDisposable
{
    private readonly Uri _address;
    private readonly WebhookAlertOptions _options;
    private readonly HttpMessageInvoker _http;

    public WebhookAlert(Uri address, WebhookAlertOptions options)
    {
        if (address is null)
            throw new ArgumentException("AddWebhook was given no address: perhaps the configuration does not have it. An absolute http or https address is needed.", nameof(address));
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new ArgumentException("AddWebhook was given another address than an absolute http or https address, such as 'https://alerts.example/hook'. The address is not shown, because it may hold a secret.", nameof(address));
        if (Placeholder.IsInAddress(address.OriginalString))
            throw new ArgumentException("AddWebhook was given an address with a placeholder in it, such as '<id>'. Give the real address. It is not shown, because it may hold a secret.", nameof(address));
        if (options.Headers.FirstOrDefault(static h => Placeholder.WithoutScheme(h.Value).Length == 0 || Placeholder.IsSecret(h.Value)) is { Key: { } header })
            throw new ArgumentException($"AddWebhook: the header{(ShownText.IsName(header) ? $" '{header}'" : "")} of the webhook is empty or a placeholder. Give the value itself, or leave the header out.", nameof(options));
        if (options.Headers.Keys.FirstOrDefault(static h => h.StartsWith("Content-", StringComparison.OrdinalIgnoreCase)) is { } ofContent)
            throw new ArgumentException($"AddWebhook: the header '{ofContent}' is set by the webhook itself, which posts JSON. Remove it from Headers.", nameof(options));
        if (options.Headers.Any(static h => !RequestHeader.CanBeSent(h.Key, h.Value)))
            throw new ArgumentException("AddWebhook: a header of the webhook has characters that cannot be sent: letters, digits and hyphens are possible in its name, and ASCII without control characters in its value. It is not shown, because it may hold a secret.", nameof(options));
        options.Validate();
        _address = address;
        _options = options;
        _http = options.Http ?? new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ActivityHeadersPropagator = null, // its spans would name the address
        });
    }

    /// <summary>Gets or sets the clock for the waits; the dispatcher sets the container's clock.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Checks whether the webhook posts to this address.</summary>
    public bool IsFor(Uri address) => _address == address;

    /// <summary>Checks whether both webhooks post to the same address.</summary>
    public bool HasAddressOf(WebhookAlert other) => _address == other._address;

    /// <exception cref="HttpRequestException">The message was refused permanently, or all attempts failed.</exception>
    public async ValueTask SendAsync(AlertMessage message, CancellationToken cancellationToken)
    {
        var body = Encoding.UTF8.GetBytes(AlertTemplate.Fill(_options.Template, message));
        for (var attempt = 1; ; attempt++)
        {
            var (failure, mayPass, after) = await TryAsync(body, cancellationToken).ConfigureAwait(false);
            if (failure is null)
                return;
            if (!mayPass || attempt >= _options.MaxAttempts)
                throw new HttpRequestException($"The webhook {failure}, at attempt {attempt}.");
            // The delays are compared as numbers, because a long delay that is doubled many times is too large for a TimeSpan.
            var backoff = TimeSpan.FromTicks((long)Math.Min(_options.Delay.Ticks * Math.Pow(2, Math.Min(attempt - 1, 30)), _options.MaxDelay.Ticks));
            var wait = new Wait();
            wait.Arm(Time, Least(after ?? backoff, _options.MaxDelay), cancellationToken);
            await wait.Task.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public void Dispose()
    {
        if (_options.Http is null)
            _http.Dispose();
    }

    // The exception of a handler may name the address, and the address may be a secret. So only the kind of the failure is reported.
    private async ValueTask<(string? Failure, bool MayPass, TimeSpan? After)> TryAsync(byte[] body, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _address) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            foreach (var (name, value) in _options.Headers)
                request.Headers.TryAddWithoutValidation(name, value);
            using var response = await _http.SendAsync(request, either.Token).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            return response.IsSuccessStatusCode ? default : ($"answered {status}", status is 408 or 429 or >= 500, Named(response.Headers.RetryAfter));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ("did not answer in time", true, null);
        }
        catch (HttpRequestException failure)
        {
            return ($"could not be reached ({failure.HttpRequestError})", true, null);
        }
        catch (IOException)
        {
            return ("broke off", true, null);
        }
#pragma warning disable CA1031 // A handler of the application may throw anything, for example while its circuit breaker is open.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return ($"failed with {failure.GetType().Name}", true, null);
        }
    }

    // Seconds, or the instant at which the receiver may be asked again.
    private TimeSpan? Named(RetryConditionHeaderValue? said)
    {
        var wait = said?.Delta ?? said?.Date - Time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : null;
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
