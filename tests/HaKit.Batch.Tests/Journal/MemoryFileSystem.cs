using HaKit.Batch.Journal;

namespace HaKit.Batch.Tests.Journal;

/// <summary>
/// A file system in memory that knows which data is durable. After <see cref="Crash"/> it has the durable data, and the part of the other data that the test
/// selects. Writes are kept or lost in pieces of <see cref="PieceLength"/> bytes, in any combination, as on a disk that reorders writes.
/// </summary>
internal sealed class MemoryFileSystem : IJournalFileSystem
{
    private readonly Dictionary<string, MemoryFile> _durableNames = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MemoryFile> _names = new(StringComparer.Ordinal);
    private readonly List<(string? From, string? To, MemoryFile File)> _unsyncedNames = [];
    private readonly HashSet<MemoryFile> _locked = [];

    public int PieceLength { get; init; } = 64;

    /// <summary>Gets or sets a function that may throw an exception in place of a read, a write or a flush.</summary>
    public Func<string, Exception?>? Trouble { get; set; }

    /// <summary>
    /// Gets or sets whether the pages of a failed flush count as clean, as on Linux. Reads then return them, but they never reach the disk by themselves.
    /// </summary>
    public bool FailedFlushLeavesPagesClean { get; set; }

    public int Flushes { get; private set; }

    /// <summary>Gets the number of changes that are not durable: pieces of writes, changes of length, changes of names.</summary>
    public int Unsynced => _names.Values.Concat(_durableNames.Values).Distinct().Sum(static f => f.Unsynced.Count) + _unsyncedNames.Count;

    /// <summary>
    /// Gets the content of the disk after a power failure. A change that was not durable survives if <paramref name="survives"/> returns true for its number.
    /// </summary>
    public MemoryFileSystem Crash(Func<int, bool> survives)
    {
        var after = new MemoryFileSystem { PieceLength = PieceLength };
        var number = 0;
        var files = new Dictionary<MemoryFile, MemoryFile>();
        foreach (var file in _names.Values.Concat(_durableNames.Values).Concat(_unsyncedNames.Select(static n => n.File)).Distinct())
            files[file] = new MemoryFile(after, file.Durable, file.Unsynced.Where(_ => survives(number++)).ToList());
        var names = new Dictionary<string, MemoryFile>(_durableNames);
        foreach (var (from, to, file) in _unsyncedNames)
        {
            if (!survives(number++))
                continue;
            if (from is not null)
                names.Remove(from);
            if (to is not null)
                names[to] = file;
        }
        foreach (var (name, file) in names)
            after._names[name] = after._durableNames[name] = files[file];
        return after;
    }

    /// <summary>The files as another process sees them after this process was killed: the same files, without the locks.</summary>
    public MemoryFileSystem Kill()
    {
        var after = new MemoryFileSystem { PieceLength = PieceLength };
        foreach (var (name, file) in _names)
            after._names[name] = file;
        foreach (var (name, file) in _durableNames)
            after._durableNames[name] = file;
        after._unsyncedNames.AddRange(_unsyncedNames);
        return after;
    }

    public byte[] ContentOf(string path) => _names[path].Now;

    public void SetContent(string path, byte[] content) => _names[path] = _durableNames[path] = new MemoryFile(this, content, []);

    public IReadOnlyList<string> Paths => [.. _names.Keys.Order(StringComparer.Ordinal)];

    public string FullPathOf(string path) => path;

    public IJournalFile Open(string path, bool createNew)
    {
        if (createNew == _names.ContainsKey(path))
            throw new IOException(createNew ? $"{path} exists." : $"{path} does not exist.");
        if (createNew)
        {
            _names[path] = new MemoryFile(this, [], []);
            _unsyncedNames.Add((null, path, _names[path]));
        }
        return new Handle(this, path, _names[path]);
    }

    public IDisposable? TryLock(string path, ReadOnlySpan<byte> mark)
    {
        if (!_names.TryGetValue(path, out var file))
            _names[path] = _durableNames[path] = file = new MemoryFile(this, [], []);
        if (!_locked.Add(file))
            return null;
        file.Replace(mark);
        return new Held(() => _locked.Remove(file));
    }

    public byte[]? TryRead(string path) => _names.TryGetValue(path, out var file) ? file.Now : null;

    public void Write(string path, ReadOnlySpan<byte> content)
    {
        if (!_names.TryGetValue(path, out var file))
            _names[path] = _durableNames[path] = file = new MemoryFile(this, [], []);
        file.Replace(content);
    }

    public IReadOnlyList<string> FilesThatBeginWith(string path) => [.. _names.Keys.Where(k => k.StartsWith(path, StringComparison.Ordinal))];

    public long LengthOf(string path) => _names.TryGetValue(path, out var file) ? file.Length : -1;

    public void Rename(string path, string to)
    {
        if (_names.ContainsKey(to))
            throw new IOException($"{to} exists.");
        _names.Remove(path, out var file);
        _names[to] = file!;
        _unsyncedNames.Add((path, to, file!));
    }

    public void Delete(string path)
    {
        if (_names.Remove(path, out var file))
            _unsyncedNames.Add((path, null, file));
    }

    public void SyncDirectoryOf(string path)
    {
        _unsyncedNames.Clear();
        _durableNames.Clear();
        foreach (var (name, file) in _names)
            _durableNames[name] = file;
    }

    private sealed class Held(Action release) : IDisposable
    {
        public void Dispose() => release();
    }

    /// <summary>Describes a write of one piece, or a change of the length.</summary>
    private sealed record Change(long Offset, byte[]? Bytes, long Length);

    private sealed class Content(byte[] bytes)
    {
        private byte[] _bytes = bytes;

        public int Length { get; private set; } = bytes.Length;

        public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

        public void Apply(Change change)
        {
            SetLength(change.Bytes is null ? change.Length : Math.Max(Length, change.Offset + change.Bytes.Length));
            change.Bytes?.CopyTo(_bytes, change.Offset);
        }

        private void SetLength(long length)
        {
            if (length > _bytes.Length)
                Array.Resize(ref _bytes, (int)Math.Max(length, 2L * _bytes.Length));
            if (length < Length)
                _bytes.AsSpan((int)length, Length - (int)length).Clear();
            Length = (int)length;
        }
    }

    private sealed class MemoryFile
    {
        private readonly MemoryFileSystem _system;
        private Content _now;
        private Content _durable;

        public MemoryFile(MemoryFileSystem system, byte[] durable, List<Change> survived)
        {
            _system = system;
            var content = new Content([.. durable]);
            survived.ForEach(content.Apply);
            (_now, _durable) = (content, new Content(content.Span.ToArray()));
        }

        public byte[] Durable => _durable.Span.ToArray();

        public List<Change> Unsynced { get; } = [];

        public int Length => _now.Length;

        public ReadOnlySpan<byte> Span => _now.Span;

        public byte[] Now => _now.Span.ToArray();

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            if (offset + bytes.Length > _now.Length)
                Add(new(0, null, offset + bytes.Length)); // the length may reach the disk without the bytes
            for (var at = 0; at < bytes.Length;)
            {
                var length = (int)Math.Min(bytes.Length - at, _system.PieceLength - (offset + at) % _system.PieceLength);
                Add(new(offset + at, bytes.Slice(at, length).ToArray(), 0));
                at += length;
            }
        }

        public void SetLength(long length) => Add(new(0, null, length));

        public void Flush()
        {
            Unsynced.ForEach(_durable.Apply);
            Unsynced.Clear();
        }

        public void Replace(ReadOnlySpan<byte> content)
        {
            (_now, _durable) = (new(content.ToArray()), new(content.ToArray()));
            Unsynced.Clear();
        }

        private void Add(Change change)
        {
            Unsynced.Add(change);
            _now.Apply(change);
        }
    }

    private sealed class Handle(MemoryFileSystem system, string path, MemoryFile file) : IJournalFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> buffer, long offset)
        {
            if (system.Trouble?.Invoke("read " + path) is { } trouble)
                throw trouble;
            var now = file.Span;
            var count = (int)Math.Clamp(now.Length - offset, 0, buffer.Length);
            if (count > 0)
                now.Slice((int)offset, count).CopyTo(buffer);
            return count;
        }

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            if (system.Trouble?.Invoke("write " + path) is { } trouble)
            {
                file.Write(bytes[..(bytes.Length / 2)], offset);
                throw trouble;
            }
            file.Write(bytes, offset);
        }

        public void SetLength(long length) => file.SetLength(length);

        public void Flush()
        {
            if (system.Trouble?.Invoke("flush " + path) is { } trouble)
            {
                if (system.FailedFlushLeavesPagesClean)
                    file.Unsynced.Clear();
                throw trouble;
            }
            system.Flushes++;
            file.Flush();
        }

        public void Dispose()
        {
        }
    }
}
