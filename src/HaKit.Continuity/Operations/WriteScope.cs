using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Announces a save or a sync, so that no prune deletes a chunk that the save or sync uses. A writer and a prune each write their own marker first, and search
/// for the other's marker afterwards. So at least one of them finds the other's marker: the writer waits until a sweep ends, or the prune postpones its sweep.
/// </summary>
internal sealed class WriteScope : IAsyncDisposable
{
    /// <summary>
    /// A save waits at most this long for a sweep. A prune stops deleting when its own marker has half this age, and continues with the next prune.
    /// </summary>
    public static readonly TimeSpan SweepLife = TimeSpan.FromMinutes(10);

    /// <summary>An intent that was not renewed for this time is ignored, because its process has ended.</summary>
    public static readonly TimeSpan IntentLife = TimeSpan.FromHours(3);

    private static readonly TimeSpan s_clocksDiffer = TimeSpan.FromHours(2);
    private static readonly TimeSpan s_renewal = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lastTry = TimeSpan.FromSeconds(1);

    private readonly VaultSession _session;
    private readonly Dictionary<DestinationView, ObjectName> _intents = [];
    private long _written;

    private WriteScope(VaultSession session) => (_session, _written) = (session, session.Time.GetTimestamp());

    public static async Task<WriteScope> BeginAsync(VaultSession session, CancellationToken token)
    {
        var scope = new WriteScope(session);
        try
        {
            await session.OnEachAsync(scope.AnnounceAsync, token);
            await session.OnEachAsync(view => scope.WaitForSweepAsync(view, token), token);
            // The objects are listed again, because objects that were listed before the announcement may have been deleted.
            await session.ListAgainAsync(token);
        }
        catch
        {
            await scope.DisposeAsync();
            throw;
        }
        return scope;
    }

    /// <summary>Renews the announcement when it is an hour old.</summary>
    public async Task RenewAsync(CancellationToken token)
    {
        KeyValuePair<DestinationView, ObjectName>[] old;
        lock (_intents)
        {
            if (_session.Time.GetElapsedTime(_written) < s_renewal)
                return;
            _written = _session.Time.GetTimestamp();
            old = [.. _intents];
        }
        await _session.OnEachAsync(AnnounceAsync, token);
        foreach (var (view, name) in old)
            await VaultSession.TryAsync(view, async v => await _session.Store.DeleteAsync(v.Name, name, token), token);
    }

    // The caller does not wait a second time for a destination that has failed during the operation. The intent that stays there expires.
    public async ValueTask DisposeAsync() => await Task.WhenAll(_intents.Select(intent => VaultSession.TryAsync(
        intent.Key,
        async view =>
        {
            if (view.IsUsable)
                await _session.Store.DeleteAsync(view.Name, intent.Value, CancellationToken.None);
            else
                await _session.Store.DeleteAsync(view.Name, intent.Value, s_lastTry, CancellationToken.None);
        },
        CancellationToken.None)));

    private async Task AnnounceAsync(DestinationView view)
    {
        var name = await _session.WriteMarkerAsync(view, ObjectName.IntentKind, [], CancellationToken.None);
        lock (_intents)
            _intents[view] = name;
    }

    private async Task WaitForSweepAsync(DestinationView view, CancellationToken token)
    {
        var began = _session.Time.GetTimestamp();
        while (await FindSweepAsync(view, token) is { } sweep)
        {
            if (_session.Time.GetElapsedTime(began) > SweepLife)
            {
                _session.Store.EndedSweeps[(view.Name, sweep)] = true;
                return;
            }
#pragma warning disable CA2016 // A cancelled delay would resume on the thread pool. The token is checked after each delay.
            await Task.Delay(s_look, _session.Time);
#pragma warning restore CA2016
            token.ThrowIfCancellationRequested();
        }
    }

    // The clock of the machine that prunes may differ from the clock of this machine by two hours. A marker that was there for the whole wait of an earlier
    // operation belongs to a process that has ended.
    private async Task<ObjectName?> FindSweepAsync(DestinationView view, CancellationToken token)
    {
        foreach (var listed in await _session.Store.ListAsync(view.Name, $"{ObjectName.SweepKind}/", token))
        {
            if (ObjectName.TryParse(listed, out var name) && !_session.Store.EndedSweeps.ContainsKey((view.Name, name))
                && await _session.ReadMarkerAsync(view, name, token) is { } sweep && _session.Time.GetUtcNow() - sweep.At < SweepLife + s_clocksDiffer)
            {
                return name;
            }
        }

        return null;
    }
}
