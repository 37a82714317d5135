namespace HaKit.Http;

/// <summary>Sends from a thread that blocks until the answer is there.</summary>
internal static class SynchronousSend
{
    /// <summary>Begins outside the caller's context, and waits for the answer.</summary>
    public static HttpResponseMessage Run(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, HttpRequestMessage request, CancellationToken cancellationToken) =>
        BeginOutsideContext(send, request, cancellationToken).GetAwaiter().GetResult();

    /// <summary>
    /// Begins the work outside the caller's synchronization context and task scheduler, on the caller's thread. A desktop application has one thread in its context,
    /// an exclusive scheduler one task at a time, and that thread or task waits here: what a handler or a credential source awaits within them would never go on.
    /// </summary>
    public static Task<HttpResponseMessage> BeginOutsideContext(
        Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = SynchronizationContext.Current;
        if (context is null && TaskScheduler.Current == TaskScheduler.Default)
            return send(request, cancellationToken);
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            if (TaskScheduler.Current == TaskScheduler.Default)
                return send(request, cancellationToken);
            var beginning = new Task<Task<HttpResponseMessage>>(() => send(request, cancellationToken));
            beginning.RunSynchronously(TaskScheduler.Default);
            return beginning.GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
