using System.Security.Cryptography;

namespace HaKit.Batch.Journal;

/// <summary>
/// Describes the position of an entry: 38 bits for the position of its record in the file (256 GiB), 22 bits for its position in the record (4 MiB).
/// </summary>
internal static class EntryLocation
{
    public const int OffsetBits = 22;
    public const long MaxFileLength = 1L << 38;
    public const int MaxOffset = (1 << OffsetBits) - 1;

    public static long Pack(long record, int offset) => record << OffsetBits | (long)offset;

    public static (long Record, int Offset) Split(long location) => (location >> OffsetBits, (int)(location & MaxOffset));
}

/// <summary>The result of a scan of a journal's file.</summary>
/// <param name="Records">The number of valid records.</param>
/// <param name="LastRecord">The position of the last record. 0: none.</param>
/// <param name="CutBytes">The number of bytes of an unfinished record at the end.</param>
internal readonly record struct JournalScan(long Records, long LastRecord, long CutBytes);

/// <summary>
/// Represents one file of a journal: a header and records, one after another. Only one thread may append; reading is thread-safe and may run at the same
/// time.
/// </summary>
internal sealed class JournalFile : IDisposable
{
    private readonly IJournalFileSystem _files;
    private readonly IJournalFile _file;
    private readonly JournalHeader _header;
    private readonly AesGcm? _writing;
    private readonly AesGcm? _reading;
    private readonly Lock _openRecord = new();
    private (long Record, byte[] Plain) _opened = (-1, []);
    private long _lastRecord;
    private byte[] _buffer = [];

    private JournalFile(IJournalFileSystem files, string path, IJournalFile file, JournalHeader header, JournalSeal? seal)
    {
        (_files, Path, _file, _header) = (files, path, file, header);
        _writing = seal?.ForFile(header.FileId);
        _reading = seal?.ForFile(header.FileId);
        End = JournalHeader.Length;
        NextNumber = header.FirstRecord;
    }

    public string Path { get; private set; }

    /// <summary>Gets the position of the next record.</summary>
    public long End { get; private set; }

    public ulong NextNumber { get; private set; }

    /// <summary>Gets the file's header.</summary>
    public JournalHeader Header => _header;

    /// <summary>Gets the number of bytes that a payload of this length needs in the file.</summary>
    public int SpaceFor(int payload) => RecordHeader.Length + payload + (_writing is null ? 0 : JournalSeal.Overhead);

    /// <summary>Creates a new file. <see cref="Publish"/> gives it its name after its content is durable.</summary>
    public static JournalFile Create(IJournalFileSystem files, string path, JournalSeal? seal, ulong firstRecord, ulong predecessor = 0)
    {
        var file = files.Open(path, createNew: true);
        try
        {
            var header = JournalHeader.New(seal, firstRecord, predecessor);
            Span<byte> bytes = stackalloc byte[JournalHeader.Length];
            header.Write(bytes);
            file.Write(bytes, 0);
            return new(files, path, file, header, seal);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public static JournalFile Open(IJournalFileSystem files, string path, JournalSeal? seal)
    {
        var file = files.Open(path, createNew: false);
        try
        {
            Span<byte> bytes = stackalloc byte[JournalHeader.Length];
            var header = JournalHeader.Read(bytes[..file.Read(bytes, 0)], path);
            if (header.IsSealed != seal is not null)
                throw new BatchStoreException(header.IsSealed ? $"'{path}' is sealed: its key is needed. Set SealKey of the options." : $"'{path}' is not sealed, and a key was given. Leave SealKey out, or give the journal another name.");
            if (seal is not null && seal.CheckOf(header.FileId) != header.KeyCheck)
                throw new BatchStoreException($"'{path}' is sealed with another key. Set SealKey to the key with which the journal was created.");
            return new(files, path, file, header, seal);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file to copy its good records. A damaged header does not matter if the identity in it is whole.</summary>
    /// <exception cref="BatchJournalDamagedException">The file is shorter than a header.</exception>
    public static JournalFile OpenDamaged(IJournalFileSystem files, string path, JournalSeal? seal)
    {
        try
        {
            return Open(files, path, seal);
        }
        catch (BatchJournalDamagedException)
        {
            var file = files.Open(path, createNew: false);
            var bytes = new byte[JournalHeader.Length];
            if (JournalHeader.Guess(bytes.AsSpan(0, file.Read(bytes, 0)), seal) is { } header)
                return new(files, path, file, header, seal);
            file.Dispose();
            throw;
        }
    }

    /// <summary>Makes the content durable and gives the file its name. So a file that has a journal's name is always complete.</summary>
    public void Publish(string path)
    {
        _file.Flush();
        _files.Rename(Path, path);
        _files.SyncDirectoryOf(path);
        Path = path;
    }

    /// <summary>
    /// Calls <paramref name="record"/> for the payload of each record, in order. Afterwards the file is ready to append. An unfinished record at the end is
    /// skipped; <see cref="CutTail"/> removes it.
    /// </summary>
    /// <exception cref="BatchJournalDamagedException">A record is damaged, and a valid record follows it.</exception>
    public JournalScan Scan(Action<long, ReadOnlyMemory<byte>> record)
    {
        var length = _file.Length;
        var records = 0L;
        while (TryReadRecord(End, length, NextNumber, out var bytes))
        {
            record(End, PlainOf(bytes, NextNumber));
            _lastRecord = End;
            End += bytes.Length;
            NextNumber++;
            records++;
        }
        if (End < length && FindRecord(End + 1, length, NextNumber) is { } found)
        {
            throw new BatchJournalDamagedException(
                $"Record {NextNumber} of '{Path}', at byte {End}, is damaged, and valid records follow it, from byte {found} on. Nothing was changed. 'hakit batch repair' copies the good records to a new journal. The results of the damaged record must be requested again.", End);
        }

        return new(records, _lastRecord, Math.Max(0, length - End));
    }

    /// <summary>Calls <paramref name="record"/> for every valid record, also for records after a damaged record. Returns the number of skipped bytes.</summary>
    public long Salvage(Action<ReadOnlyMemory<byte>> record)
    {
        var length = _file.Length;
        var skipped = 0L;
        Span<byte> header = stackalloc byte[RecordHeader.Length];
        for (var at = (long)JournalHeader.Length; at < length;)
        {
            if (!TryReadRecord(at, length, NextNumber, out var bytes))
            {
                if (FindRecord(at, length, NextNumber) is not { } next)
                    return skipped + length - at;
                skipped += next - at;
                at = next;
                _file.Read(header, at);
                NextNumber = RecordHeader.Read(header).Number;
                continue;
            }
            record(PlainOf(bytes, NextNumber));
            NextNumber++;
            at += bytes.Length;
        }
        return skipped;
    }

    /// <summary>
    /// Removes everything after the last valid record, and writes that record again: after a failed fsync the system may treat written pages as clean, so a
    /// read may return data that are not on the disk. The whole file is durable when the method returns.
    /// </summary>
    public void CutTail()
    {
        if (_file.Length > End)
            _file.SetLength(End);
        if (_lastRecord > 0 && TryReadRecord(_lastRecord, End, NextNumber - 1, out var last))
            _file.Write(last.Span, _lastRecord);
        _file.Flush();
        _files.SyncDirectoryOf(Path);
    }

    /// <summary>Appends a record and makes it durable. Returns its position.</summary>
    public long Append(ReadOnlySpan<byte> payload)
    {
        var space = SpaceFor(payload.Length);
        if (End + space > EntryLocation.MaxFileLength)
            throw new IOException($"'{Path}' would become larger than 256 GiB.");
        if (_buffer.Length < space)
            _buffer = new byte[Math.Max(space, 64 * 1024)];
        var record = _buffer.AsSpan(0, space);
        if (_writing is null)
            payload.CopyTo(record[RecordHeader.Length..]);
        else
            JournalSeal.Seal(_writing, NextNumber, payload, record[RecordHeader.Length..]);
        RecordHeader.Complete(record, NextNumber, _header.FileId);
        var at = End;
        // If another program has cut the file, a record at this position would leave a gap of zeros before it.
        ThrowIfChanged(at);
        _file.Write(record, at);
        _file.Flush();
        ThrowIfChanged(at + space);
        _lastRecord = at;
        End = at + space;
        NextNumber++;
        if (_buffer.Length > 4 * 1024 * 1024)
            _buffer = [];
        return at;
    }

    /// <summary>Reads the content of an entry.</summary>
    /// <param name="location">The position of the entry.</param>
    /// <param name="kind">The kind that the entry had when the journal was opened, or when the entry was written.</param>
    /// <exception cref="BatchJournalDamagedException">Another program has changed the file since then.</exception>
    public ReadOnlyMemory<byte> Read(long location, EntryKind kind)
    {
        var (record, offset) = EntryLocation.Split(location);
        try
        {
            var (found, content) = _reading is null ? ReadPlain(record + RecordHeader.Length + offset) : ReadSealed(record, offset);
            if (found == kind)
                return content;
        }
        catch (Exception exception) when (exception is InvalidDataException or CryptographicException)
        {
            throw Changed(record, exception);
        }
        throw Changed(record, null);
    }

    public void Dispose()
    {
        _file.Dispose();
        _writing?.Dispose();
        _reading?.Dispose();
    }

    private BatchJournalDamagedException Changed(long record, Exception? cause) =>
        new($"'{Path}' was cut or changed by another program while it was open: the record at byte {record} cannot be read.", record, cause);

    private void ThrowIfChanged(long length)
    {
        if (_files.LengthOf(Path) is var found && found != length)
            throw new IOException(found < 0 ? $"'{Path}' was deleted or renamed while it was written to." : $"'{Path}' was replaced or changed by another program while it was written to.");
    }

    private (EntryKind Kind, ReadOnlyMemory<byte> Content) ReadPlain(long at)
    {
        var bytes = new byte[1024];
        var read = _file.Read(bytes, at);
        var reader = new EntryReader(bytes.AsSpan(0, read));
        var (kind, length) = reader.Entry();
        var begin = read - reader.Left;
        if (length <= reader.Left)
            return (kind, bytes.AsMemory(begin, length));
        if (length > _file.Length - at - begin)
            throw new InvalidDataException("An entry is longer than the file.");
        var content = new byte[length];
        if (_file.Read(content, at + begin) < length)
            throw new InvalidDataException("The file is shorter than an entry.");
        return (kind, content);
    }

    private (EntryKind Kind, ReadOnlyMemory<byte> Content) ReadSealed(long record, int offset)
    {
        lock (_openRecord)
        {
            if (_opened.Record != record)
            {
                Span<byte> header = stackalloc byte[RecordHeader.Length];
                _file.Read(header, record);
                var (length, _, number) = RecordHeader.Read(header);
                if (length < 0 || length > _file.Length - record - RecordHeader.Length)
                    throw new InvalidDataException("A record is longer than the file.");
                var payload = new byte[length];
                if (_file.Read(payload, record + RecordHeader.Length) < length)
                    throw new InvalidDataException("The file is shorter than a record.");
                _opened = (record, JournalSeal.Open(_reading!, number, payload));
            }
            var reader = new EntryReader(_opened.Plain.AsSpan(offset));
            var (kind, content) = reader.Entry();
            return (kind, _opened.Plain.AsMemory(_opened.Plain.Length - reader.Left, content));
        }
    }

    private bool TryReadRecord(long at, long length, ulong number, out ReadOnlyMemory<byte> record)
    {
        record = default;
        Span<byte> bytes = stackalloc byte[RecordHeader.Length];
        if (length - at < RecordHeader.Length || _file.Read(bytes, at) < RecordHeader.Length)
            return false;
        var header = RecordHeader.Read(bytes);
        if (header.Number != number || header.PayloadLength < 0 || header.PayloadLength > length - at - RecordHeader.Length)
            return false;
        var whole = new byte[RecordHeader.Length + header.PayloadLength];
        if (_file.Read(whole, at) < whole.Length || RecordHeader.SumOf(whole, _header.FileId) != header.Sum)
            return false;
        record = whole;
        return true;
    }

    // A record can begin at any byte. Its number excludes almost all wrong positions before a checksum is computed.
    private long? FindRecord(long from, long length, ulong number)
    {
        var window = new byte[256 * 1024];
        for (var start = from; start < length - RecordHeader.Length; start += window.Length - RecordHeader.Length)
        {
            var read = _file.Read(window, start);
            for (var i = 0; i + RecordHeader.Length <= read; i++)
            {
                var header = RecordHeader.Read(window.AsSpan(i));
                if (header.Number >= number && header.Number - number <= (ulong)(length / RecordHeader.Length) && TryReadRecord(start + i, length, header.Number, out _))
                    return start + i;
            }
            if (read < window.Length)
                return null;
        }
        return null;
    }

    private ReadOnlyMemory<byte> PlainOf(ReadOnlyMemory<byte> record, ulong number)
    {
        var payload = record[RecordHeader.Length..];
        if (_reading is null)
            return payload;
        try
        {
            return JournalSeal.Open(_reading, number, payload.Span);
        }
        catch (CryptographicException)
        {
            throw new BatchJournalDamagedException($"Record {number} of '{Path}' cannot be opened: it was changed.", End);
        }
    }
}
