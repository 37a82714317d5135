using System.Buffers.Binary;
using System.Text;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Journal;

/// <summary>The kind of an entry.</summary>
internal enum EntryKind : byte
{
    /// <summary>
    /// An item: ordinal, id, input. If the journal already has an item with this ordinal, the new input replaces the previous input, and the item's outcome no
    /// longer counts.
    /// </summary>
    Item = 1,

    /// <summary>A call begins: ordinal, flags, estimate.</summary>
    Started = 2,

    /// <summary>The outcome of an item.</summary>
    Outcome = 3,

    /// <summary>A call ended without an outcome: ordinal, cost.</summary>
    Ended = 4,

    /// <summary>The outcome of an item no longer counts: ordinal.</summary>
    Redo = 5,

    /// <summary>The counts before the journal was compacted: calls, lost calls, spent.</summary>
    Totals = 6,
}

/// <summary>Writes entries: <c>kind 1 | length varint | content</c>.</summary>
internal static class EntryWriter
{
    public static byte[] Item(long ordinal, string id, ReadOnlySpan<byte> input)
    {
        var bytes = Encoding.UTF8.GetByteCount(id);
        var writer = Begin(EntryKind.Item, VarintLength((ulong)ordinal) + VarintLength((ulong)bytes) + bytes + input.Length);
        writer.Varint((ulong)ordinal);
        writer.Varint((ulong)bytes);
        Encoding.UTF8.GetBytes(id, writer.Next(bytes));
        input.CopyTo(writer.Next(input.Length));
        return writer.Bytes;
    }

    public static byte[] Started(long ordinal, bool mayRepeat, double estimate)
    {
        var writer = Begin(EntryKind.Started, VarintLength((ulong)ordinal) + 9);
        writer.Varint((ulong)ordinal);
        writer.Next(1)[0] = mayRepeat ? (byte)0 : (byte)1;
        BinaryPrimitives.WriteDoubleLittleEndian(writer.Next(8), estimate);
        return writer.Bytes;
    }

    public static byte[] Ended(long ordinal, double cost)
    {
        var writer = Begin(EntryKind.Ended, VarintLength((ulong)ordinal) + 8);
        writer.Varint((ulong)ordinal);
        BinaryPrimitives.WriteDoubleLittleEndian(writer.Next(8), cost);
        return writer.Bytes;
    }

    public static byte[] Redo(long ordinal)
    {
        var writer = Begin(EntryKind.Redo, VarintLength((ulong)ordinal));
        writer.Varint((ulong)ordinal);
        return writer.Bytes;
    }

    public static byte[] Totals(long calls, long lost, double spent)
    {
        var writer = Begin(EntryKind.Totals, VarintLength((ulong)calls) + VarintLength((ulong)lost) + 8);
        writer.Varint((ulong)calls);
        writer.Varint((ulong)lost);
        BinaryPrimitives.WriteDoubleLittleEndian(writer.Next(8), spent);
        return writer.Bytes;
    }

    public static byte[] Outcome(long ordinal, BatchOutcome outcome)
    {
        var endpoint = Encoding.UTF8.GetBytes(outcome.Endpoint ?? "");
        var error = Encoding.UTF8.GetBytes(outcome.Error ?? "");
        ReadOnlySpan<ulong> numbers =
        [
            (ulong)ordinal, (ulong)outcome.Attempts, (ulong)outcome.InputTokens, (ulong)outcome.OutputTokens, (ulong)Math.Max(0, outcome.At.ToUnixTimeMilliseconds()),
            (ulong)endpoint.Length, (ulong)error.Length,
        ];
        var length = 1 + RequestFingerprint.Length + 8 + endpoint.Length + error.Length + outcome.Result.Length;
        foreach (var number in numbers)
            length += VarintLength(number);
        var writer = Begin(EntryKind.Outcome, length);
        writer.Varint(numbers[0]);
        writer.Next(1)[0] = (byte)outcome.State;
        outcome.Request.CopyTo(writer.Next(RequestFingerprint.Length));
        BinaryPrimitives.WriteDoubleLittleEndian(writer.Next(8), outcome.Cost);
        foreach (var number in numbers[1..])
            writer.Varint(number);
        endpoint.CopyTo(writer.Next(endpoint.Length));
        error.CopyTo(writer.Next(error.Length));
        outcome.Result.Span.CopyTo(writer.Next(outcome.Result.Length));
        return writer.Bytes;
    }

    private static Cursor Begin(EntryKind kind, int length)
    {
        var cursor = new Cursor(new byte[1 + VarintLength((ulong)length) + length]);
        cursor.Next(1)[0] = (byte)kind;
        cursor.Varint((ulong)length);
        return cursor;
    }

    private static int VarintLength(ulong value)
    {
        var length = 1;
        for (; value >= 0x80; value >>= 7)
            length++;
        return length;
    }

    private struct Cursor(byte[] bytes)
    {
        private int _at;

        public readonly byte[] Bytes => bytes;

        public Span<byte> Next(int count) => bytes.AsSpan((_at += count) - count, count);

        public void Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                bytes[_at++] = (byte)(value | 0x80);
            bytes[_at++] = (byte)value;
        }
    }
}

/// <summary>Reads entries. Throws <see cref="InvalidDataException"/> for invalid data.</summary>
internal ref struct EntryReader(ReadOnlySpan<byte> rest)
{
    private ReadOnlySpan<byte> _rest = rest;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public readonly int Left => _rest.Length;

    public ReadOnlySpan<byte> Next(int count)
    {
        if (count < 0 || count > _rest.Length)
            throw new InvalidDataException("An entry of a record is cut.");
        var next = _rest[..count];
        _rest = _rest[count..];
        return next;
    }

    public ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Next(1)[0];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
        throw new InvalidDataException("A number of an entry is too long.");
    }

    public int Count() => Varint() is <= int.MaxValue and var count ? (int)count : throw new InvalidDataException("A length of an entry is too long.");

    public double Number() => BinaryPrimitives.ReadDoubleLittleEndian(Next(8));

    /// <summary>Reads the kind and the content of the next entry.</summary>
    public (EntryKind Kind, int ContentLength) Entry() => ((EntryKind)Next(1)[0], Count());

    public static (long Ordinal, string Id, ReadOnlyMemory<byte> Input) Item(ReadOnlyMemory<byte> content)
    {
        var reader = new EntryReader(content.Span);
        var ordinal = (long)reader.Varint();
        var id = Encoding.UTF8.GetString(reader.Next(reader.Count()));
        return (ordinal, id, content[^reader.Left..]);
    }

    public static (long Ordinal, BatchOutcome Outcome) Outcome(ReadOnlyMemory<byte> content, bool withResult)
    {
        var reader = new EntryReader(content.Span);
        var ordinal = (long)reader.Varint();
        var state = (BatchItemState)reader.Next(1)[0];
        var request = RequestFingerprint.FromBytes(reader.Next(RequestFingerprint.Length));
        var cost = reader.Number();
        var attempts = reader.Count();
        var (input, output, at) = ((long)reader.Varint(), (long)reader.Varint(), (long)reader.Varint());
        var (endpointLength, errorLength) = (reader.Count(), reader.Count());
        var endpoint = Encoding.UTF8.GetString(reader.Next(endpointLength));
        var error = Encoding.UTF8.GetString(reader.Next(errorLength));
        return (ordinal, new BatchOutcome
        {
            State = state,
            Request = request,
            Cost = cost,
            Attempts = attempts,
            InputTokens = input,
            OutputTokens = output,
            At = DateTimeOffset.FromUnixTimeMilliseconds(at),
            Endpoint = endpointLength == 0 ? null : endpoint,
            Error = errorLength == 0 ? null : error,
            Result = withResult ? content[^reader.Left..] : default,
        });
    }
}
