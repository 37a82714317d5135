using System.IO.Compression;

namespace HaKit.Recording;

/// <summary>
/// Reads recordings. Damaged parts are skipped and listed in <see cref="Problems"/>. If the process was killed, its recording ends with a part of a block, which is
/// not an error. Thread-safe. A recorder may write to the files at the same time.
/// </summary>
public sealed class FlightRecording
{
    private FlightRecording(IReadOnlyList<RecordedEvent> events, IReadOnlyList<string> problems, int files) => (Events, Problems, Files) = (events, problems, files);

    /// <summary>Gets the entries in the order of their times.</summary>
    public IReadOnlyList<RecordedEvent> Events { get; }

    /// <summary>Gets the places that could not be read, one sentence for each.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>Gets the number of files that were read.</summary>
    public int Files { get; }

    /// <summary>Reads a file of a recording, or all files in a folder.</summary>
    /// <param name="path">The file or the folder.</param>
    /// <param name="pool">The pool whose recordings are read. Default null: all recordings, which should be of one pool.</param>
    /// <exception cref="FileNotFoundException">The file does not exist, or the folder contains no recording.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static FlightRecording Read(string path, string? pool = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        string[] files = File.Exists(path) ? [path] : FilesOf(path, pool);
        if (files.Length == 0)
            throw new FileNotFoundException($"There is no recording in '{path}'.", path);
        var reader = new SegmentReader();
        foreach (var file in files)
            reader.Read(Path.GetFileName(file), ReadShared(file));
        return new FlightRecording(reader.TakeRecords(), reader.Problems, files.Length);
    }

    private static string[] FilesOf(string folder, string? pool) => Directory.Exists(folder)
        ? [.. SegmentWriter.FilesOf(folder, pool).Select(static f => f.FullName)]
        : [];

    private static byte[] ReadShared(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        return bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).ToArray();
    }
}

/// <summary>Reads the files of a recording, one after the other. Not thread-safe.</summary>
internal sealed class SegmentReader
{
    private readonly List<RecordedEvent> _events = [];
    private readonly List<string> _problems = [];
    private readonly List<(Guid Id, DateTimeOffset Origin)> _recorders = [];

    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Takes the entries in the order of their times.</summary>
    public IReadOnlyList<RecordedEvent> TakeRecords() => [.. _events.OrderBy(static e => e.At)];

    public void Read(string name, ReadOnlySpan<byte> bytes)
    {
        if (SegmentHeader.TryRead(bytes, out var wrong) is not { } header)
        {
            _problems.Add(bytes.Length < SegmentHeader.Length ? $"'{name}' ends within its header." : $"'{name}' was left out: {wrong}.");
            return;
        }
        for (var at = SegmentHeader.Length; at < bytes.Length;)
        {
            var rest = bytes[at..];
            if (BlockHeader.TryRead(rest) is { } block)
            {
                ReadBlock(name, header, block, rest.Slice(BlockHeader.Length, block.Stored), at);
                at += BlockHeader.Length + block.Stored;
                continue;
            }
            // Finds the next mark that begins a complete block. The bytes before the mark are lost.
            var next = NextBlock(rest);
            if (next < 0)
            {
                _problems.Add($"'{name}' ends in the middle of a block: its last {rest.Length} bytes were left out.");
                return;
            }
            _problems.Add($"'{name}' is damaged: {next} bytes from byte {at} on were left out.");
            at += next;
        }
    }

    private static int NextBlock(ReadOnlySpan<byte> bytes)
    {
        for (var at = 1; at < bytes.Length;)
        {
            var mark = bytes[at..].IndexOf(BlockHeader.Mark);
            if (mark < 0)
                return -1;
            at += mark;
            if (BlockHeader.TryRead(bytes[at..]) is not null)
                return at;
            at++;
        }
        return -1;
    }

    private void ReadBlock(string name, SegmentHeader header, BlockHeader block, ReadOnlySpan<byte> stored, int at)
    {
        // Entries before an unreadable entry are kept. The checksum is right, so a later version of the library may have written a kind of entry that this
        // version does not support.
        try
        {
            var recorder = RecorderOf(header.Recorder, block);
            var entries = Decompress(block, stored);
            var decoder = new EntryDecoder(entries, recorder, _recorders[recorder].Origin, block.Utc);
            while (decoder.Next() is { } happened)
                _events.Add(happened);
        }
        catch (InvalidDataException exception)
        {
            _problems.Add($"'{name}', block at byte {at}: {exception.Message}");
        }
    }

    private static ReadOnlySpan<byte> Decompress(BlockHeader block, ReadOnlySpan<byte> stored)
    {
        if (block.Stored == block.Size)
            return stored;
        var entries = new byte[block.Size];
        return BrotliDecoder.TryDecompress(stored, entries, out var written) && written == block.Size
            ? entries
            : throw new InvalidDataException("The block cannot be decompressed.");
    }

    // The first block of a recorder sets the offset between its clocks, so a later change of the wall clock does not move entries.
    private int RecorderOf(Guid id, BlockHeader block)
    {
        var place = _recorders.FindIndex(r => r.Id == id);
        if (place >= 0)
            return place;
        if (block.Utc.UtcTicks < block.Clock.Ticks)
            throw new InvalidDataException("The block has a time that no recorder wrote.");
        _recorders.Add((id, block.Utc - block.Clock));
        return _recorders.Count - 1;
    }
}
