namespace HaKit.Http;

/// <summary>
/// Keeps a connection to every endpoint open, so that failover does not have to connect first. Calls trigger it, because a pool without calls needs no
/// connections. Thread-safe.
/// </summary>
internal sealed class WarmConnections(EndpointPool pool, EndpointPoolHandler handler)
{
    // The runtime closes connections that were idle for a minute.
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    private long _dueAt;

    public void TouchIfDue()
    {
        if (!pool.Options.Http.KeepStandbysWarm)
            return;
        var now = pool.Engine.Clock.Now.Ticks;
        var due = Volatile.Read(ref _dueAt);
        if (now < due || Interlocked.CompareExchange(ref _dueAt, now + s_every.Ticks, due) != due)
            return;
        var flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow(); // the connections must not carry the context of the call that triggered them
        using (flow)
        {
            foreach (var member in pool.Engine.Snapshot.Members)
            {
                if (member.Endpoint.Address is { } address)
                    _ = TouchAsync(address);
            }
        }
    }

    // Sent without credentials, because any answer shows that the connection is open.
    private async Task TouchAsync(Uri address)
    {
        try
        {
            using var timeout = new CancellationTokenSource(s_timeout, pool.Time);
            using var request = new HttpRequestMessage(HttpMethod.Head, address);
            using var response = await handler.SendInsideAsync(request, timeout.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Calls and heartbeats detect and report a problem with the endpoint.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
