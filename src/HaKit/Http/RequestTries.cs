using HaKit.Attempts;

namespace HaKit.Http;

/// <summary>
/// Stores the attempts of all tries of a request in the request's options. A handler that retries the request sends the options again, and a handler that
/// copies the request copies them. A copy that is made before the request reaches the pool shares the stored object only if the object already exists. <see
/// cref="RequestTriesHandler"/> ensures that.
/// </summary>
internal static class RequestTries
{
    private static readonly HttpRequestOptionsKey<EarlierTries> s_key = new("HaKit.EarlierTries");

    /// <summary>Gets the attempts of earlier tries. Null if the request has no stored object.</summary>
    public static EarlierTries? GetTries(HttpRequestMessage request) => request.Options.TryGetValue(s_key, out var tries) ? tries : null;

    /// <summary>Stores the attempts of a try, for the next try.</summary>
    public static void RememberTries(HttpRequestMessage request, EarlierTries? tries)
    {
        if (tries is not null)
        {
            request.Options.Set(s_key, tries);
        }
    }
}

/// <summary>
/// The outermost handler of a client whose other handlers may copy a request before it reaches the pool. It adds the object that stores the attempts, so that
/// all copies share it.
/// </summary>
internal sealed class RequestTriesHandler : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestTries.RememberTries(request, RequestTries.GetTries(request) ?? new EarlierTries());
        return base.SendAsync(request, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestTries.RememberTries(request, RequestTries.GetTries(request) ?? new EarlierTries());
        return base.Send(request, cancellationToken);
    }
}
