using HaKit.Attempts;

namespace HaKit.Http;

/// <summary>
/// Where a request carries what its tries have found: in its options, which handlers that repeat a request send again and handlers that copy it copy. A copy
/// that is made before the pool sees the request shares them only if they were there before; <see cref="RequestTriesHandler"/> sees to that.
/// </summary>
internal static class RequestTries
{
    private static readonly HttpRequestOptionsKey<EarlierTries> s_key = new("HaKit.EarlierTries");

    /// <summary>What earlier tries have found; null where there is no place for it.</summary>
    public static EarlierTries? GetTries(HttpRequestMessage request) => request.Options.TryGetValue(s_key, out var tries) ? tries : null;

    /// <summary>Keeps what a try has found, for the next one.</summary>
    public static void RememberTries(HttpRequestMessage request, EarlierTries? tries)
    {
        if (tries is not null)
        {
            request.Options.Set(s_key, tries);
        }
    }
}

/// <summary>The outermost handler of a client whose other handlers may copy a request before the pool sees it.</summary>
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
