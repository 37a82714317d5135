using System.Collections.Concurrent;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Records the destinations that the pool tries for one read, and why each of them failed. The pool chooses the destinations, so only this record shows which
/// of them failed. Thread-safe, because the pool may try two destinations at the same time.
/// </summary>
internal sealed class ReadAttempts
{
    // Null: the attempt has not ended.
    private readonly ConcurrentDictionary<string, Exception?> _tried = new();

    public async ValueTask<byte[]?> RunAsync(string name, IVaultDestination destination, string objectName, CancellationToken token)
    {
        _tried.TryAdd(name, null);
        try
        {
            return await destination.GetAsync(objectName, token);
        }
        catch (Exception e)
        {
            _tried[name] = e;
            throw;
        }
    }

    /// <summary>Returns the destinations that failed in a read that ended with an exception, each with the reason. The result is never empty.</summary>
    /// <param name="able">The destinations that the pool could choose.</param>
    /// <param name="end">The exception that ended the read.</param>
    public IReadOnlyList<(string Destination, string Reason)> Failed(IReadOnlyList<string> able, Exception end)
    {
        // The failure of one destination ends the read at another destination. The read that was ended proves nothing, so that destination is tried again.
        var failed = _tried.Where(static t => t.Value is not null and not OperationCanceledException).Select(static t => (t.Key, t.Value!.Message)).ToList();
        if (failed.Count > 0)
            return failed;
        return [.. able.Where(name => _tried.IsEmpty || _tried.ContainsKey(name)).Select(name => (name, end.Message))];
    }
}
