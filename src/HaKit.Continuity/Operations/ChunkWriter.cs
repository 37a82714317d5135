using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Cuts what has changed into chunks of 1 MiB and sends each to every destination that lacks it. Whole blocks of a large file are chunks of their own, so
/// that a changed byte changes one of them; the rests of files and small files are packed together. Owned by one save.
/// </summary>
internal sealed class ChunkWriter(VaultSession session, WriteScope scope, int copies, CancellationToken token)
{
    public const int ChunkSize = 1 << 20;

    private readonly byte[] _block = new byte[ChunkSize];
    private readonly byte[] _pack = new byte[ChunkSize];
    private readonly List<(List<int> Extents, int At, int Offset, int Length)> _packed = [];
    private readonly Dictionary<ObjectId, int> _indexes = [];
    private int _filled;

    /// <summary>The chunks that the snapshot uses, in the order of their indexes.</summary>
    public List<ObjectId> Chunks { get; } = [];

    /// <summary>How many bytes of content were sent, before sealing, counted once for all destinations.</summary>
    public long BytesSent { get; private set; }

    public int ChunksSent { get; private set; }

    /// <summary>Takes over a chunk of an earlier snapshot.</summary>
    public int IndexOf(ObjectId id)
    {
        if (!_indexes.TryGetValue(id, out var index))
        {
            _indexes[id] = index = Chunks.Count;
            Chunks.Add(id);
        }
        return index;
    }

    /// <summary>Stores a file's content. Its extents are complete after <see cref="FinishAsync"/>.</summary>
    /// <returns>The extents and the number of bytes read.</returns>
    public async Task<(List<int> Extents, long Size)> AddAsync(Stream content)
    {
        var extents = new List<int>();
        var size = 0L;
        int read;
        while ((read = await content.ReadAtLeastAsync(_block, ChunkSize, throwOnEndOfStream: false, token)) > 0)
        {
            size += read;
            if (read == ChunkSize)
                extents.AddRange([await StoreAsync(_block), 0, ChunkSize]);
            else
                await PackAsync(extents, read);
        }
        return (extents, size);
    }

    /// <summary>Stores the last pack.</summary>
    public async Task FinishAsync()
    {
        if (_filled == 0)
            return;
        var index = await StoreAsync(_pack.AsMemory(0, _filled));
        foreach (var (extents, at, _, _) in _packed)
            extents[at] = index;
        _packed.Clear();
        _filled = 0;
    }

    private async Task PackAsync(List<int> extents, int length)
    {
        for (var from = 0; from < length;)
        {
            var part = Math.Min(length - from, ChunkSize - _filled);
            _block.AsSpan(from, part).CopyTo(_pack.AsSpan(_filled));
            _packed.Add((extents, extents.Count, _filled, part));
            extents.AddRange([-1, _filled, part]);
            from += part;
            if ((_filled += part) == ChunkSize)
                await FinishAsync();
        }
    }

    private async Task<int> StoreAsync(ReadOnlyMemory<byte> content)
    {
        token.ThrowIfCancellationRequested();
        await scope.RenewAsync(token);
        var id = session.IdOf(ObjectName.ChunkKind, content.Span);
        var index = IndexOf(id);
        if (session.Usable.All(v => v.Chunks.ContainsKey(id)))
            return index;
        var name = session.NameOf(ObjectName.ChunkKind, id);
        var sealedBytes = session.Sealer.Seal(name, content.Span);
        await session.OnEachAsync(view => PutAsync(view, id, name, sealedBytes), token);
        ThrowIfTooFew(session, copies);
        BytesSent += content.Length;
        ChunksSent++;
        return index;
    }

    private async Task PutAsync(DestinationView view, ObjectId id, ObjectName name, byte[] sealedBytes)
    {
        if (view.Chunks.ContainsKey(id))
            return;
        await session.Store.PutAsync(view.Name, name, sealedBytes, token);
        view.Chunks[id] = name.Key;
    }

    /// <summary>Ends a save that can no longer reach as many destinations as it must.</summary>
    /// <exception cref="VaultException">It says why each destination is out.</exception>
    public static void ThrowIfTooFew(VaultSession session, int copies)
    {
        if (session.Usable.Count() < copies)
        {
            throw new VaultException(
                $"The snapshot was not saved: {copies} destinations must have it, and {session.Usable.Count()} can be written. {VaultSession.Reasons(session.Views.Where(v => !v.IsUsable))}");
        }
    }
}
