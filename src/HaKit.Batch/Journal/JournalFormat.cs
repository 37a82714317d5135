using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace HaKit.Batch.Journal;

/// <summary>
/// The header of a journal's file: 64 bytes. <c>magic 8 | version 2 | flags 2 | reserved 4 | id 16 | key check 8 | first record 8 | predecessor 8 | reserved 4 |
/// checksum 4</c>. All numbers are little-endian.
/// </summary>
/// <param name="FileId">The random identity of the file.</param>
/// <param name="IsSealed">Whether the records are encrypted.</param>
/// <param name="KeyCheck">A value that shows whether a key is the key of this journal.</param>
/// <param name="FirstRecord">The number of the first record.</param>
/// <param name="Predecessor">The <see cref="Mark"/> of the file of which this file is the compacted copy. 0: it is no such copy, or was written before this value was added.</param>
internal readonly record struct JournalHeader(Guid FileId, bool IsSealed, ulong KeyCheck, ulong FirstRecord, ulong Predecessor = 0)
{
    public const int Length = 64;
    public const ushort Version = 1;
    private static readonly byte[] Magic = "HaKitJnl"u8.ToArray();

    /// <summary>Gets the beginning of the file's identity, with which a compacted copy names this file.</summary>
    public ulong Mark
    {
        get
        {
            Span<byte> id = stackalloc byte[16];
            FileId.TryWriteBytes(id);
            return BinaryPrimitives.ReadUInt64LittleEndian(id);
        }
    }

    public void Write(Span<byte> destination)
    {
        destination[..Length].Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], IsSealed ? (ushort)1 : (ushort)0);
        FileId.TryWriteBytes(destination[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[32..], KeyCheck);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[40..], FirstRecord);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[48..], Predecessor);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[60..], Checksum.Compute(Checksum.Start, destination[..60]));
    }

    /// <summary>Reads a header. Throws an exception that names the error.</summary>
    public static JournalHeader Read(ReadOnlySpan<byte> source, string path)
    {
        if (source.Length < Length || !source[..8].SequenceEqual(Magic))
            throw new BatchJournalDamagedException($"'{path}' is not a batch journal, or its header is damaged. Give the journal another name, or copy the good records with 'hakit batch repair'.", 0);
        var version = BinaryPrimitives.ReadUInt16LittleEndian(source[8..]);
        if (version > Version)
            throw new BatchStoreException($"'{path}' has format {version}; this version of HaKit.Batch reads format {Version}. Update the package.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[60..]) != Checksum.Compute(Checksum.Start, source[..60]))
            throw new BatchJournalDamagedException($"The header of '{path}' is damaged.", 0);
        return new(
            new Guid(source.Slice(16, 16)), (BinaryPrimitives.ReadUInt16LittleEndian(source[10..]) & 1) != 0,
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]), BinaryPrimitives.ReadUInt64LittleEndian(source[40..]), BinaryPrimitives.ReadUInt64LittleEndian(source[48..]));
    }

    public static JournalHeader New(JournalSeal? seal, ulong firstRecord, ulong predecessor = 0) =>
        For(new Guid(RandomNumberGenerator.GetBytes(16)), seal, firstRecord, predecessor);

    /// <summary>Makes a header for a file with a damaged header, from the bytes of the file's identity. Null if the file is shorter than a header.</summary>
    public static JournalHeader? Guess(ReadOnlySpan<byte> source, JournalSeal? seal) =>
        source.Length < Length ? null : For(new Guid(source.Slice(16, 16)), seal, firstRecord: 1, predecessor: 0);

    private static JournalHeader For(Guid id, JournalSeal? seal, ulong firstRecord, ulong predecessor) =>
        new(id, seal is not null, seal?.CheckOf(id) ?? 0, firstRecord, predecessor);
}

/// <summary>
/// The header of a record: 20 bytes. <c>length 4 | checksum 4 | number 8 | reserved 4</c>. The checksum covers the rest of the header and the payload, and starts from the
/// file's id, so that no payload can look like a record.
/// </summary>
/// <remarks>
/// Each record is made durable by one fsync, and the next record is written only afterwards. So after a crash, only the last record can be incomplete. If a
/// valid record follows a damaged record, the damaged record was durable before. Its loss must be reported, so the record must not be cut off silently.
/// </remarks>
internal readonly record struct RecordHeader(int PayloadLength, uint Sum, ulong Number)
{
    public const int Length = 20;

    public static RecordHeader Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt32LittleEndian(source), BinaryPrimitives.ReadUInt32LittleEndian(source[4..]), BinaryPrimitives.ReadUInt64LittleEndian(source[8..]));

    /// <summary>Completes a record whose payload follows the space for its header.</summary>
    public static void Complete(Span<byte> record, ulong number, Guid file)
    {
        BinaryPrimitives.WriteInt32LittleEndian(record, record.Length - Length);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(record[16..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], SumOf(record, file));
    }

    public static uint SumOf(ReadOnlySpan<byte> record, Guid file)
    {
        Span<byte> id = stackalloc byte[16];
        file.TryWriteBytes(id);
        return Checksum.Compute(Checksum.Compute(Checksum.Compute(Checksum.Start, id), record[..4]), record[8..]);
    }
}

/// <summary>Computes CRC-32C (Castagnoli), for which processors have an instruction.</summary>
internal static class Checksum
{
    public const uint Start = 0xFFFF_FFFF;

    public static uint Compute(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..])
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var value in bytes)
            sum = BitOperations.Crc32C(sum, value);
        return sum;
    }
}
