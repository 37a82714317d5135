using System.Collections.Concurrent;

namespace HaKit.Continuity.Tests;

/// <summary>A destination in memory, with faults.</summary>
internal sealed class MemoryDestination(Func<ValueTask>? turn = null) : IVaultDestination
{
    public ConcurrentDictionary<string, byte[]> Objects { get; private set; } = new(StringComparer.Ordinal);

    public Exception? Failure { get; set; }

    public Exception? WriteFailure { get; set; }

    /// <summary>Gets or sets the number of operations after which every operation fails. Null: never.</summary>
    public int? Left { get; set; }

    /// <summary>Gets or sets whether the destination answers nothing until the caller cancels.</summary>
    public bool IsSlow { get; set; }

    /// <summary>Gets or sets the number of objects that may still be written. Null: no limit.</summary>
    public int? Room { get; set; }

    /// <summary>Gets or sets what makes one operation fail, for example <c>put s/…</c> or <c>delete i/…</c>. Null: nothing.</summary>
    public Func<string, Exception?>? Trouble { get; set; }

    /// <summary>Gets or sets which objects the destination accepts, but does not keep. Null: it keeps all.</summary>
    public Func<string, bool>? Swallows { get; set; }

    public List<string> Written { get; } = [];

    /// <summary>Gets the content of every object that was ever written, including announcements.</summary>
    public List<byte[]> Everything { get; } = [];

    public Dictionary<string, byte[]> Copy() => Objects.ToDictionary(o => o.Key, o => o.Value.ToArray());

    public void RollBack(Dictionary<string, byte[]> earlier) => Objects = new(earlier, StringComparer.Ordinal);

    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await TurnAsync($"put {name}", cancellationToken);
        if (Room is <= 0)
            throw new IOException("No space left on device.", 28);
        if (WriteFailure is { } failure)
            throw failure;
        if (Swallows?.Invoke(name) == true)
            return true;
        if (!Objects.TryAdd(name, content.ToArray()))
            return false;
        Room--;
        lock (Written)
        {
            Written.Add(name);
            Everything.Add(content.ToArray());
        }
        return true;
    }

    public async ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken)
    {
        await TurnAsync($"get {name}", cancellationToken);
        return Objects.TryGetValue(name, out var content) ? content.ToArray() : null;
    }

    public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        await TurnAsync($"list {prefix}", cancellationToken);
        return [.. Objects.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await TurnAsync($"delete {name}", cancellationToken);
        if (WriteFailure is { } failure)
            throw failure;
        Objects.TryRemove(name, out _);
    }

    private async ValueTask TurnAsync(string operation, CancellationToken cancellationToken)
    {
        if (turn is not null)
            await turn();
        if (IsSlow)
            await Task.Delay(Timeout.Infinite, cancellationToken);
        if ((Failure ?? Trouble?.Invoke(operation)) is { } failure)
            throw failure;
        if (Left-- <= 0)
            throw new IOException("The destination is out.");
    }
}
