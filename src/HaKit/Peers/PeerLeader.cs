using HaKit.Attempts;

namespace HaKit.Peers;

/// <summary>
/// Decides whether this replica sends the probes that cost money. One replica, the leader, sends them for all replicas. The link grants the leadership for a
/// limited time (a lease). Two leaders at the same time do no harm, because they only send more probes than necessary.
/// </summary>
internal sealed class PeerLeader(IPeerLink link, PoolClock clock)
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan RenewBefore = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan LeaseWithoutStore = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private TimeSpan _until = TimeSpan.MinValue;
    private TimeSpan _asked = TimeSpan.MinValue / 2;

    /// <summary>
    /// Checks whether this replica may send the probes: if it is the leader, or if the link is not connected or cannot decide, for example because the store
    /// refuses writes.
    /// </summary>
    /// <param name="isConnected">Whether the link is connected. Without a connection the replicas cannot agree on a leader, so each replica sends the probes.</param>
    public bool Leads(bool isConnected)
    {
        if (!isConnected)
            return true;
        var now = clock.Now;
        lock (_gate)
        {
            if (now - _asked < AskEvery)
                return now < _until;
            _asked = now;
        }
        _ = AskAsync();
        lock (_gate)
            return now < _until;
    }

    /// <summary>Renews the lease in time, so that the leader does not change between two probes. Called once a second.</summary>
    public void RenewIfDue()
    {
        var now = clock.Now;
        lock (_gate)
        {
            if (now >= _until || _until - now > RenewBefore || now - _asked < AskEvery)
                return;
            _asked = now;
        }
        _ = AskAsync();
    }

    private async Task AskAsync()
    {
        TimeSpan lease;
        try
        {
            lease = await link.LeadAsync("probes", CancellationToken.None).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Without a store that decides, the replicas cannot agree on a leader, so each replica sends the probes.
        catch (Exception)
#pragma warning restore CA1031
        {
            lease = LeaseWithoutStore;
        }
        lock (_gate)
            _until = lease > TimeSpan.Zero ? clock.Now + lease : TimeSpan.MinValue;
    }
}
