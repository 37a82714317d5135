namespace HaKit.Http;

/// <summary>Blocks on an asynchronous send.</summary>
internal static class SynchronousSend
{
    /// <summary>
    /// Begins the work outside the caller's synchronization context, and waits for it. A desktop application has one thread in its context, and that thread waits here:
    /// what a handler or a credential source awaits within the context would never go on.
    /// </summary>
    public static HttpResponseMessage Run(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = SynchronizationContext.Current;
        if (context is null)
            return send(request, cancellationToken).GetAwaiter().GetResult();
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return send(request, cancellationToken).GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
