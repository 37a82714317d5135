using System.Buffers.Binary;
using System.Numerics;

namespace HaKit.Recording;

/// <summary>
/// The header of a recording's file: 40 bytes. <c>magic 8 | version 2 | flags 2 | reserved 4 | recorder 16 | number 4 | checksum 4</c>. All numbers are
/// little-endian. docs/recording.md describes the format.
/// </summary>
internal readonly record struct SegmentHeader(Guid Recorder, int Number)
{
    public const int Length = 40;
    public const ushort Version = 1;

    public static ReadOnlySpan<byte> Magic => "HaKitRec"u8;

    public void Write(Span<byte> destination)
    {
        destination[..Length].Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], Version);
        Recorder.TryWriteBytes(destination[16..]);
        BinaryPrimitives.WriteInt32LittleEndian(destination[32..], Number);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[36..], Checksum.Compute(destination[..36]));
    }

    /// <summary>Reads a header. Null, with the reason, if the bytes are not a header.</summary>
    public static SegmentHeader? TryRead(ReadOnlySpan<byte> source, out string? wrong)
    {
        wrong = null;
        if (source.Length < Length || !source[..8].SequenceEqual(Magic))
            wrong = "it is not a recording, or its header is damaged";
        else if (BinaryPrimitives.ReadUInt16LittleEndian(source[8..]) is var version and > Version)
            wrong = $"it has format {version}, and this version of HaKit reads format {Version}";
        else if (BinaryPrimitives.ReadUInt32LittleEndian(source[36..]) != Checksum.Compute(source[..36]))
            wrong = "its header is damaged";
        return wrong is null ? new SegmentHeader(new Guid(source.Slice(16, 16)), BinaryPrimitives.ReadInt32LittleEndian(source[32..])) : null;
    }
}

/// <summary>
/// The header of a block: 36 bytes. <c>mark 4 | stored 4 | length 4 | clock 8 | utc 8 | reserved 4 | checksum 4</c>. The checksum covers the rest of the header
/// and the stored bytes. A block is compressed (Brotli) unless its stored length equals its length. A block does not refer to other blocks.
/// </summary>
/// <param name="Stored">The number of bytes after the header.</param>
/// <param name="Size">The number of bytes after decompression.</param>
/// <param name="Clock">The time on the pool's monotonic clock when the block was written.</param>
/// <param name="Utc">The same moment by the wall clock.</param>
internal readonly record struct BlockHeader(int Stored, int Size, TimeSpan Clock, DateTimeOffset Utc)
{
    public const int Length = 36;

    /// <summary>The maximum length of a block. A larger length is damaged, and is refused before memory is reserved.</summary>
    public const int MostBytes = 16 * 1024 * 1024;

    public static ReadOnlySpan<byte> Mark => "HKrb"u8;

    /// <summary>Completes a block whose stored bytes follow the space for its header.</summary>
    public void Complete(Span<byte> block)
    {
        Mark.CopyTo(block);
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], Stored);
        BinaryPrimitives.WriteInt32LittleEndian(block[8..], Size);
        BinaryPrimitives.WriteInt64LittleEndian(block[12..], Clock.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(block[20..], Utc.UtcTicks);
        block[28..32].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(block[32..], Sum(block));
    }

    /// <summary>Reads the block at the beginning of the bytes. Null if it is damaged or not complete.</summary>
    public static BlockHeader? TryRead(ReadOnlySpan<byte> source)
    {
        if (source.Length < Length || !source[..4].SequenceEqual(Mark))
            return null;
        var (stored, size) = (BinaryPrimitives.ReadInt32LittleEndian(source[4..]), BinaryPrimitives.ReadInt32LittleEndian(source[8..]));
        if (stored < 0 || size < stored || size > MostBytes || stored > source.Length - Length)
            return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[32..]) != Sum(source[..(Length + stored)]))
            return null;
        var (clock, utc) = (BinaryPrimitives.ReadInt64LittleEndian(source[12..]), BinaryPrimitives.ReadInt64LittleEndian(source[20..]));
        if (clock < 0 || utc < 0 || utc > DateTimeOffset.MaxValue.UtcTicks)
            return null;
        return new BlockHeader(stored, size, new TimeSpan(clock), new DateTimeOffset(utc, TimeSpan.Zero));
    }

    private static uint Sum(ReadOnlySpan<byte> block) => Checksum.Compute(block[Length..], Checksum.Compute(block[..32]));
}

/// <summary>Computes CRC-32C (Castagnoli), for which processors have an instruction.</summary>
internal static class Checksum
{
    public static uint Compute(ReadOnlySpan<byte> bytes, uint sum = 0xFFFF_FFFF)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..])
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var value in bytes)
            sum = BitOperations.Crc32C(sum, value);
        return sum;
    }
}
