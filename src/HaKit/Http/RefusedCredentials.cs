using System.Collections.Concurrent;
using HaKit.Attempts;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// Remembers the latest credentials that endpoints refused, as hashes that are useless outside this process. An endpoint that refused a key is in a cooldown. A
/// call with another key (a rotated key, or the key of another caller) ends this cooldown at once. Thread-safe.
/// </summary>
internal sealed class RefusedCredentials(EndpointPool pool, HttpSide side)
{
    private const int Most = 64;

    private readonly int[] _hashes = new int[Most];
    private readonly ConcurrentDictionary<EndpointState, bool> _awaited = new();
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
    /// credentials delays no call: the cooldown ends when the credential comes, and until then the source is not asked again.
    /// </summary>
    /// <param name="request">The caller's request.</param>
    /// <param name="token">Cancels the call.</param>
    public void AdmitOthers(HttpRequestMessage request, CancellationToken token)
    {
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            if (member.Health.State.Cooldown is { Cause.Kind: FaultKind.Unauthorized } && member.Endpoint.Address is not null && !_awaited.ContainsKey(member))
                _ = AdmitAsync(member, HashOf(request, member.Endpoint, null), token);
        }
    }

    private async Task AdmitAsync(EndpointState member, int? callers, CancellationToken token)
    {
        var asked = pool.Owners.Credentials.GetAsync(member.Endpoint, token);
        if (!asked.IsCompleted)
            _awaited[member] = true;
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
        finally
        {
            _awaited.TryRemove(member, out _);
        }
    }

    // An endpoint without its own credential may get the caller's credentials. A request may carry several (a cookie and a key), and a refusal does not show
    // which of them was wrong. So the hash covers all of them, in any order.
    private int? HashOf(HttpRequestMessage request, PoolEndpoint endpoint, string? secret)
    {
        var target = side.TargetOf(endpoint);
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
