namespace HaKit.Http;

/// <summary>Rewrites a request for the endpoint that is to serve it: the pool's origin is replaced by the endpoint's address, the rest kept exact.</summary>
internal static class Retargeting
{
    public static HttpRequestMessage For(HttpRequestMessage request, byte[]? body, Uri origin, Endpoint endpoint)
    {
        var copy = new HttpRequestMessage(request.Method, Address(request.RequestUri!, origin, endpoint.Address!))
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
        };
        foreach (var (name, values) in request.Headers.NonValidated)
            if (!endpoint.Headers.ContainsKey(name))
                copy.Headers.TryAddWithoutValidation(name, values);
        foreach (var (name, value) in endpoint.Headers)
            copy.Headers.TryAddWithoutValidation(name, value);
        foreach (var option in request.Options)
            ((IDictionary<string, object?>)copy.Options)[option.Key] = option.Value;
        if (body is not null)
        {
            copy.Content = new ByteArrayContent(body);
            foreach (var (name, values) in request.Content!.Headers.NonValidated)
                copy.Content.Headers.TryAddWithoutValidation(name, values);
        }
        return copy;
    }

    /// <summary>The request's address with the origin's prefix replaced. Paths are compared and kept in their escaped form.</summary>
    public static Uri Address(Uri requested, Uri origin, Uri target)
    {
        var basePath = origin.AbsolutePath.TrimEnd('/');
        var path = requested.AbsolutePath;
        var rest = path.StartsWith(basePath, StringComparison.Ordinal) ? path[basePath.Length..] : path;
        return new Uri(target.GetLeftPart(UriPartial.Authority) + target.AbsolutePath.TrimEnd('/') + rest + requested.Query, UriKind.Absolute);
    }
}
