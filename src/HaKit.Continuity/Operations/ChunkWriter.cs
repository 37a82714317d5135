using HaKit.Continuity.Format;
using Microsoft.Win32.SafeHandles;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Cuts changed content into chunks of 1 MiB, and sends each chunk to every destination that does not have it. Each whole block of a large file is a chunk, so
/// that a changed byte changes only one chunk. The ends of large files, and small files, are packed together. Used by one save; not thread-safe.
/// </summary>
internal sealed class ChunkWriter(VaultSession session, WriteScope scope, int copies, CancellationToken token)
{
    public const int ChunkSize = 1 << 20;

    private readonly byte[] _pack = new byte[ChunkSize];
    private readonly Dictionary<ObjectId, int> _indexes = [];
    private byte[] _sealed = new byte[ChunkSize + Sealer.Overhead];
    private byte[]? _block;
    private int _filled;
    private int _packIndex;

    /// <summary>Gets the chunks that the snapshot uses, in the order of their indexes.</summary>
    public List<ObjectId> Chunks { get; } = [];

    /// <summary>Gets the number of content bytes that were sent, before sealing, counted once for all destinations.</summary>
    public long BytesSent { get; private set; }

    public int ChunksSent { get; private set; }

    /// <summary>Reuses a chunk of an earlier snapshot.</summary>
    public int IndexOf(ObjectId id)
    {
        if (!_indexes.TryGetValue(id, out var index))
        {
            _indexes[id] = index = Chunks.Count;
            Chunks.Add(id);
        }
        return index;
    }

    /// <summary>Stores a file's content to the end that it has now.</summary>
    /// <param name="file">The file.</param>
    /// <param name="expected">The length of the file when its folder was listed.</param>
    /// <returns>The extents and the number of bytes read.</returns>
    public async ValueTask<(List<int> Extents, long Size)> AddAsync(SafeFileHandle file, long expected)
    {
        var (extents, size) = (new List<int>(3), 0L);
        // A file that grows faster than the destinations take it would never end. The content that is added after the opening belongs to the next save.
        var most = RandomAccess.GetLength(file) is > 0 and var length ? Math.Max(expected, length) : long.MaxValue; // some systems give no length for files that have content
        while (true)
        {
            if (expected - size >= ChunkSize)
            {
                if (ReadBlock(file, _block ??= new byte[ChunkSize], size))
                {
                    extents.AddRange([IndexOf(await StoreAsync(_block)), 0, ChunkSize]);
                    size += ChunkSize;
                }
                else
                {
                    expected = size; // the file has become shorter, so the rest is packed with other files
                }
                continue;
            }
            if (_filled == ChunkSize)
                await FinishAsync();
            var read = size >= most ? 0 : RandomAccess.Read(file, _pack.AsSpan(_filled, (int)Math.Min(ChunkSize - _filled, most - size)), size);
            if (read == 0)
                return (extents, size);
            if (_filled == 0)
            {
                _packIndex = Chunks.Count;
                Chunks.Add(default); // the id of the pack is known only when the pack is full
            }
            extents.AddRange([_packIndex, _filled, read]);
            _filled += read;
            size += read;
        }
    }

    /// <summary>Stores the pack.</summary>
    public async ValueTask FinishAsync()
    {
        if (_filled > 0)
            Chunks[_packIndex] = await StoreAsync(_pack.AsMemory(0, _filled));
        _filled = 0;
    }

    private static bool ReadBlock(SafeFileHandle file, byte[] block, long offset)
    {
        var (filled, read) = (0, 1);
        while (filled < block.Length && (read = RandomAccess.Read(file, block.AsSpan(filled), offset + filled)) > 0)
            filled += read;
        return read > 0;
    }

    private async Task<ObjectId> StoreAsync(ReadOnlyMemory<byte> content)
    {
        token.ThrowIfCancellationRequested();
        await scope.RenewAsync(token);
        var id = session.IdOf(ObjectName.ChunkKind, content.Span);
        var usable = session.Usable.Count();
        if (session.Usable.All(v => v.Chunks.ContainsKey(id)))
            return id;
        var name = session.NameOf(ObjectName.ChunkKind, id);
        var sealedBytes = session.Sealer.Seal(name, content.Span, _sealed);
        await session.OnEachAsync(view => PutAsync(view, id, name, sealedBytes), token);
        // A write that timed out may still read its buffer, so the buffer is not reused.
        if (session.Usable.Count() < usable)
            _sealed = new byte[ChunkSize + Sealer.Overhead];
        ThrowIfTooFew(session, copies);
        BytesSent += content.Length;
        ChunksSent++;
        return id;
    }

    private async Task PutAsync(DestinationView view, ObjectId id, ObjectName name, ReadOnlyMemory<byte> sealedBytes)
    {
        if (view.Chunks.ContainsKey(id))
            return;
        await session.Store.PutAsync(view.Name, name, sealedBytes, token);
        view.Chunks[id] = name.Key;
    }

    public static string Count(int destinations) => destinations == 1 ? "1 destination" : $"{destinations} destinations";

    /// <summary>Ends a save that can no longer reach the required number of destinations.</summary>
    /// <exception cref="VaultException">The message contains the reason for each destination that is not used.</exception>
    public static void ThrowIfTooFew(VaultSession session, int copies)
    {
        if (session.Usable.Count() < copies)
        {
            throw new VaultException(
                $"The snapshot was not saved: {Count(copies)} must have it, and {session.Usable.Count()} can be written. {VaultSession.Reasons(session.Views.Where(v => !v.IsUsable))}");
        }
    }
}
