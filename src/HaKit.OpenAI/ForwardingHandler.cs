namespace HaKit;

/// <summary>
/// Sends requests through another client. An HttpClient refuses a message that was sent before, so the handler sends a new message with the same content.
/// </summary>
internal sealed class ForwardingHandler(HttpClient client) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await client.SendAsync(CopyOf(request), HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        response.RequestMessage = request;
        return response;
    }

    // The copy is not disposed, because the content belongs to the caller.
    private static HttpRequestMessage CopyOf(HttpRequestMessage request)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Version = request.Version, VersionPolicy = request.VersionPolicy, Content = request.Content };
        foreach (var (name, values) in request.Headers.NonValidated)
            copy.Headers.TryAddWithoutValidation(name, values);
        foreach (var (key, value) in request.Options)
            copy.Options.Set(new HttpRequestOptionsKey<object?>(key), value);
        return copy;
    }
}
