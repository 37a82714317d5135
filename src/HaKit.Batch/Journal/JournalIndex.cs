using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Journal;

/// <summary>
/// Holds the part of a journal that is kept in memory: 40 bytes for each item, and 5 to 11 bytes for each item in a hash table of ids. Ids are kept as 128 bits
/// of their SHA-256. Not thread-safe.
/// </summary>
internal sealed class JournalIndex
{
    private const int BlockBits = 12;
    private const int BlockLength = 1 << BlockBits;
    private const int StateShift = 60;
    private const long LocationMask = (1L << StateShift) - 1;

    // Memory is allocated in blocks, because doubling one array would temporarily need three times its size.
    private readonly List<Row[]> _blocks = [];
    private int[] _table = new int[1024];

    private struct Row
    {
        public ulong IdHigh;
        public ulong IdLow;
        public ulong Input;
        public long InputAt;
        public long OutcomeAt;
    }

    public int Count { get; private set; }

    /// <summary>Gets the memory in bytes.</summary>
    public long Memory => (long)_blocks.Count * BlockLength * 40 + _table.LongLength * 4;

    /// <summary>Finds the item with an id. Returns -1 if there is no such item.</summary>
    public int Find(string id)
    {
        var (high, low) = HashOf(id);
        for (var slot = (int)(low & (ulong)(_table.Length - 1)); _table[slot] != 0; slot = (slot + 1) & (_table.Length - 1))
        {
            if (this[_table[slot] - 1] is { } item && item.IdHigh == high && item.IdLow == low)
                return _table[slot] - 1;
        }

        return -1;
    }

    /// <summary>Adds an item with a new id; its position in the file is set later.</summary>
    public int Add(string id, ReadOnlySpan<byte> input)
    {
        if ((Count & (BlockLength - 1)) == 0)
            _blocks.Add(new Row[BlockLength]);
        var (high, low) = HashOf(id);
        this[Count] = new Row { IdHigh = high, IdLow = low, Input = HashOf(input) };
        Count++;
        if (Count > _table.Length / 4 * 3)
        {
            _table = new int[_table.Length * 2];
            for (var i = 0; i < Count; i++)
                Enter(i);
        }
        else
        {
            Enter(Count - 1);
        }

        return Count - 1;
    }

    public bool HasInput(int ordinal, ReadOnlySpan<byte> input) => this[ordinal].Input == HashOf(input);

    public void SetInput(int ordinal, ReadOnlySpan<byte> input) => this[ordinal].Input = HashOf(input);

    public long InputAt(int ordinal) => this[ordinal].InputAt;

    public void SetInputAt(int ordinal, long location) => this[ordinal].InputAt = location;

    public BatchItemState StateOf(int ordinal) => (BatchItemState)((ulong)this[ordinal].OutcomeAt >> StateShift);

    public long OutcomeAt(int ordinal) => this[ordinal].OutcomeAt & LocationMask;

    public void SetState(int ordinal, BatchItemState state, long location = 0) => this[ordinal].OutcomeAt = (long)((ulong)state << StateShift) | location;

    private ref Row this[int ordinal] => ref _blocks[ordinal >> BlockBits][ordinal & (BlockLength - 1)];

    private void Enter(int ordinal)
    {
        var slot = (int)(this[ordinal].IdLow & (ulong)(_table.Length - 1));
        while (_table[slot] != 0)
            slot = (slot + 1) & (_table.Length - 1);
        _table[slot] = ordinal + 1;
    }

    private static (ulong High, ulong Low) HashOf(string id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var bytes = Encoding.UTF8.GetByteCount(id);
        Span<byte> text = bytes <= 512 ? stackalloc byte[bytes] : new byte[bytes];
        Encoding.UTF8.GetBytes(id, text);
        SHA256.HashData(text, hash);
        return (BinaryPrimitives.ReadUInt64LittleEndian(hash), BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]));
    }

    private static ulong HashOf(ReadOnlySpan<byte> input)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
