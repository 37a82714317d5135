using HaKit.Attempts;

namespace HaKit.Http;

/// <summary>
/// Stores what the tries of a request have found in the request's options. Handlers that repeat a request send the options again, and handlers that copy it
/// copy them. A copy that is made before the pool sees the request shares them only if they already existed; <see cref="RequestTriesHandler"/> ensures that.
/// </summary>
internal static class RequestTries
{
    private static readonly HttpRequestOptionsKey<EarlierTries> s_key = new("HaKit.EarlierTries");

    /// <summary>Gets what earlier tries have found. Null if the request has no place for it.</summary>
    public static EarlierTries? GetTries(HttpRequestMessage request) => request.Options.TryGetValue(s_key, out var tries) ? tries : null;

    /// <summary>Stores what a try has found, for the next try.</summary>
    public static void RememberTries(HttpRequestMessage request, EarlierTries? tries)
    {
        if (tries is not null)
        {
            request.Options.Set(s_key, tries);
        }
    }
}

/// <summary>
/// The outermost handler of a client whose other handlers may copy a request before the pool sees it. It creates the place for what tries find.
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
