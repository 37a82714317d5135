using HaKit.Faults;
using HaKit.Http;

namespace HaKit;

/// <summary>
/// Puts a pool under any <see cref="HttpClient"/>: sends each request to one endpoint after another until one answers. It keeps no state of its own,
/// so handlers may come and go while the pool remembers. Thread-safe.
/// </summary>
public sealed class EndpointPoolHandler : DelegatingHandler
{
    /// <summary>Sets what is known of one request.</summary>
    public static readonly HttpRequestOptionsKey<RequestProfile> ProfileKey = new("HaKit.Profile");

    private readonly EndpointPool _pool;

    /// <summary>A handler that needs an inner handler set before use.</summary>
    /// <param name="pool">The pool to choose from.</param>
    public EndpointPoolHandler(EndpointPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _pool = pool;
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var profile = request.Options.TryGetValue(ProfileKey, out var given) ? given : RequestProfile.Default;
        var body = request.Content is { } content ? await content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false) : null;
        return await _pool.ExecuteAsync(profile, (Handler: this, request, body), static (attempt, s, token) => s.Handler.AttemptAsync(attempt, s.request, s.body, token), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<HttpResponseMessage> AttemptAsync(EndpointAttempt attempt, HttpRequestMessage request, byte[]? body, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(Retargeting.For(request, body, _pool.Origin, attempt.Endpoint), cancellationToken).ConfigureAwait(false);
        try
        {
            if (response.Content.Headers.ContentType?.MediaType == "text/event-stream" && response.IsSuccessStatusCode)
                return response;
            await response.Content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
            var evidence = new FaultEvidence
            {
                StatusCode = (int)response.StatusCode,
                Headers = response.Headers,
                Body = response.IsSuccessStatusCode ? default : await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false),
                Dialect = attempt.Endpoint.Dialect,
                Now = _pool.Time.GetUtcNow(),
            };
            if (_pool.Classifier.Classify(in evidence) is { } fault)
                attempt.ReportFault(fault);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }
}
