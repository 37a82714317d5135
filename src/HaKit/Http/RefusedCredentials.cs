using System.Collections.Concurrent;
using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Selection;

namespace HaKit.Http;

/// <summary>
/// Remembers the latest credentials that endpoints refused, as hashes that are useless outside this process. An endpoint that refused a key is in a cooldown. A
/// call with another key (a rotated key, or the key of another caller) ends this cooldown at once. Thread-safe.
/// </summary>
internal sealed class RefusedCredentials(EndpointPool pool, HttpPoolState poolState)
{
    private const int Most = 64;

    private static readonly TimeSpan LongestAsk = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly AttemptHistory NoAttempts = new(); // only read, so calls can share it

    private readonly int[] _hashes = new int[Most];
    private readonly ConcurrentDictionary<EndpointState, Task<string?>> _asks = new();
    private int _count;

    /// <summary>Gets whether any credential was refused.</summary>
    public bool RemembersAny => Volatile.Read(ref _count) > 0;

    /// <summary>Remembers the credential of an attempt if the endpoint refused the credential.</summary>
    /// <param name="fault">The fault of the attempt.</param>
    /// <param name="request">The caller's request.</param>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="secret">The endpoint's own credential; null for none.</param>
    public void RecordRefusal(Fault fault, HttpRequestMessage request, PoolEndpoint endpoint, string? secret)
    {
        if (fault.Kind == FaultKind.Unauthorized && HashOf(request, endpoint, secret) is { } hash && !Contains(hash))
            _hashes[(Interlocked.Increment(ref _count) - 1) & (Most - 1)] = hash;
    }

    /// <summary>
    /// Ends the cooldown of each endpoint that refused a key, if this request would send the endpoint a credential that was not refused. A slow source of
    /// credentials is asked once for all calls, for at most 30 s on the pool's clock. A call waits for the source only while none of the endpoints that the
    /// call may use is admitted. The wait is limited to 10 s or half of the call's deadline, whichever is shorter. If the credential comes later, the cooldown
    /// ends at that time.
    /// </summary>
    /// <param name="request">The caller's request.</param>
    /// <param name="profile">The call's profile.</param>
    /// <param name="token">Ends the wait. The source goes on, because other calls may wait for the same credential.</param>
    public ValueTask ReadmitEndpointsAsync(HttpRequestMessage request, RequestProfile profile, CancellationToken token)
    {
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            if (member.Health.State.Cooldown is { Cause.Kind: FaultKind.Unauthorized } && member.Endpoint.Address is not null && !_asks.ContainsKey(member))
                StartAsk(member, HashOf(request, member.Endpoint, null));
        }
        return _asks.IsEmpty || AdmitsAny(profile) ? default : WaitAsync(request, profile, token);
    }

    private void StartAsk(EndpointState member, int? callers)
    {
        var asked = new TaskCompletionSource<string?>();
        if (!_asks.TryAdd(member, asked.Task))
            return; // another call was faster
        _ = AdmitAsync(member, asked.Task, callers);
        _ = AskAsync(member, asked);
    }

    private async Task AskAsync(EndpointState member, TaskCompletionSource<string?> asked)
    {
        using var end = new CancellationTokenSource(LongestAsk, pool.Time);
        var answer = pool.Owners.Credentials.GetAsync(member.Endpoint, end.Token).AsTask().WaitAsync(end.Token);
        await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _asks.TryRemove(member, out _);
        asked.SetFromTask(answer);
    }

    private async Task AdmitAsync(EndpointState member, Task<string?> asked, int? callers)
    {
        try
        {
            var secret = await asked.ConfigureAwait(false);
            if ((secret is null ? callers : HashOf(secret)) is { } hash && !Contains(hash))
                member.Health.RecordNewCredential(pool.Engine.Clock.Now);
        }
#pragma warning disable CA1031 // If the source fails, the attempt on the endpoint gets the same exception and reports it.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    // If the wait ends without a credential, the call goes on: it reports its cancellation, or that no endpoint can serve the request.
    private async ValueTask WaitAsync(HttpRequestMessage request, RequestProfile profile, CancellationToken token)
    {
        var pending = new List<Task>();
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            // Another call has asked the credential source. The other caller may have another credential than this caller, so this call checks the result too.
            if (CanServe(member, profile) && _asks.TryGetValue(member, out var asked))
                pending.Add(AdmitAsync(member, asked, HashOf(request, member.Endpoint, null)));
        }
        var half = (profile.Deadline ?? pool.Deadline) / 2;
        var end = pool.Engine.Clock.Now + (half < LongestWait ? half : LongestWait);
        while (pending.Count > 0 && !token.IsCancellationRequested && !AdmitsAny(profile) && end - pool.Engine.Clock.Now is var left && left > TimeSpan.Zero)
        {
            Task next = Task.WhenAny(pending).WaitAsync(left, pool.Time, token);
            await next.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pending.RemoveAll(static p => p.IsCompleted);
        }
    }

    private bool AdmitsAny(RequestProfile profile)
    {
        var now = pool.Engine.Clock.Now;
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            if (member.Health.State.Admits(now) && CanServe(member, profile))
                return true;
        }
        return false;
    }

    private bool CanServe(EndpointState member, RequestProfile profile) => new SelectionQuery(profile, NoAttempts, pool.Engine.Clock.Now).CanServe(member);

    // An endpoint without its own credential may get the caller's credentials. A request may carry several (a cookie and a key), and a refusal does not show
    // which of them was wrong. So the hash covers all of them, in any order.
    private int? HashOf(HttpRequestMessage request, PoolEndpoint endpoint, string? secret)
    {
        var target = poolState.TargetOf(endpoint);
        if (secret is not null || !target.TakesCallersCredential(secret, pool.Options.Http.ForwardCallerCredential))
            return secret is null ? null : HashOf(secret);
        int? hash = null;
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            if (target.Names.IsHeader(name))
                hash = (hash ?? 0) ^ HashCode.Combine(StringComparer.OrdinalIgnoreCase.GetHashCode(name), values.ToString());
        }
        if (request.RequestUri is { IsAbsoluteUri: true } address && target.Names.FindIn(address.Query) is { } inQuery)
            hash = (hash ?? 0) ^ inQuery.GetHashCode(StringComparison.Ordinal);
        return hash;
    }

    private static int HashOf(string secret) => secret.GetHashCode(StringComparison.Ordinal);

    private bool Contains(int hash) => Array.IndexOf(_hashes, hash, 0, (int)Math.Min((uint)Volatile.Read(ref _count), Most)) >= 0;
}
