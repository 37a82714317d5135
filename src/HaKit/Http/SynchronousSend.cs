namespace HaKit.Http;

/// <summary>Sends a request from a thread that blocks until the answer has arrived.</summary>
internal static class SynchronousSend
{
    /// <summary>Sends the request outside the caller's context, and waits for the answer.</summary>
    public static HttpResponseMessage Run(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, HttpRequestMessage request, CancellationToken cancellationToken) =>
        BeginOutsideContext(send, request, cancellationToken).GetAwaiter().GetResult();

    /// <summary>
    /// Starts the work outside the caller's synchronization context and task scheduler, on the caller's thread. A desktop application has one thread in its
    /// context, and an exclusive scheduler runs one task at a time. The caller blocks this thread or task until the answer arrives. If a handler or a credential
    /// source awaited inside that context, its code after the await would never run.
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
