using System.Collections.Concurrent;
using System.Net;

namespace HaKit.Http;

/// <summary>
/// Counts the redirects of one call over all its attempts, and records the endpoints that redirected to another server. Created at the first redirect.
/// Thread-safe, because the attempts of a hedged call run at the same time.
/// </summary>
internal sealed class HttpRedirects
{
    // For the whole call: if two endpoints redirect without end, the call sends five requests in total. Redirects that lead to an answer do not count. Otherwise
    // an endpoint that redirects each request could not be tried again after an outage.
    private const int MostRedirects = 3;

    private readonly ConcurrentDictionary<string, bool> _misdirecting = new(StringComparer.Ordinal);
    private int _followed;

    /// <summary>
    /// Checks whether the endpoint has redirected to another server, or in a circle, in this call. Waiting does not help, so the call does not try the endpoint
    /// again.
    /// </summary>
    public bool HasMisdirected(string endpoint) => _misdirecting.ContainsKey(endpoint);

    /// <summary>
    /// Follows redirects within the same server. A redirect to another server is not followed but returned, and <see cref="HttpAnswer"/> makes it a fault.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="outgoing">The attempt and its requests.</param>
    /// <param name="response">The first answer.</param>
    /// <param name="address">The address of the request.</param>
    /// <param name="token">The attempt's token.</param>
    /// <exception cref="EndpointFaultException">The answer came from another server.</exception>
    public async ValueTask<HttpResponseMessage> FollowAsync(HttpCall call, HttpOutgoing outgoing, HttpResponseMessage response, Uri address, CancellationToken token)
    {
        var visited = new List<Uri>();
        var followed = 0;
        var isMisdirected = false;
        try
        {
            while (true)
            {
                isMisdirected = IsFromElsewhere(response, address);
                if (isMisdirected)
                {
                    response.Dispose();
                    throw HttpAnswer.DeclareMisdirected(outgoing.Attempt); // an inner handler followed a redirect to another server, so this is not the endpoint's answer
                }
                if (!HttpAnswer.IsRedirect(response))
                    return response;
                visited.Add(address);
                var next = NextOf(response, address);
                isMisdirected = next is null || visited.Contains(next) || Interlocked.Increment(ref _followed) > MostRedirects;
                if (isMisdirected)
                    return response;
                followed++;
                response.Dispose();
                address = next!;
                response = await call.SendAsync(outgoing, address, token).ConfigureAwait(false);
            }
        }
        finally
        {
            if (isMisdirected)
                _misdirecting[outgoing.Attempt.Endpoint.Name] = true;
            else
                Interlocked.Add(ref _followed, -followed);
        }
    }

    /// <summary>Checks whether an inner handler followed a redirect to another server.</summary>
    public static bool IsFromElsewhere(HttpResponseMessage response, Uri address) =>
        response.RequestMessage?.RequestUri is { } served && !ReferenceEquals(served, address) && !HttpTarget.IsSameServer(served, address);

    // Only 307 and 308 keep the method and the body.
    private static Uri? NextOf(HttpResponseMessage response, Uri address) =>
        response.StatusCode is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect && response.Headers.Location is { } location
        && Uri.TryCreate(address, location, out var next) && HttpTarget.IsSameServer(next, address) ? next : null;
}
