namespace HaKit.Batch.Journal;

/// <summary>
/// What a journal needs of a file system. Tests put one in its place that keeps any subset of the writes that were not yet made durable.
/// </summary>
internal interface IJournalFileSystem
{
    /// <summary>Opens a file for reading and writing. With <paramref name="createNew"/> the file must not exist.</summary>
    IJournalFile Open(string path, bool createNew);

    /// <summary>Takes the lock of a file, which is created when missing; null when another holds it.</summary>
    IDisposable? TryLock(string path, ReadOnlySpan<byte> mark);

    /// <summary>Reads the whole of a small file; null when it does not exist.</summary>
    byte[]? TryRead(string path);

    /// <summary>Replaces the content of a small file; its durability does not matter.</summary>
    void Write(string path, ReadOnlySpan<byte> content);

    /// <summary>The files whose path is the given one with an ending.</summary>
    IReadOnlyList<string> FilesThatBeginWith(string path);

    long LengthOf(string path);

    /// <summary>Gives a file a name that no file has.</summary>
    void Rename(string path, string to);

    void Delete(string path);

    /// <summary>Makes creations, renames and deletions in the file's directory durable.</summary>
    void SyncDirectoryOf(string path);
}

/// <summary>An open file. Reads may run beside a write.</summary>
internal interface IJournalFile : IDisposable
{
    long Length { get; }

    /// <summary>Fills the buffer from the place on, as far as the file goes.</summary>
    int Read(Span<byte> buffer, long offset);

    void Write(ReadOnlySpan<byte> bytes, long offset);

    void SetLength(long length);

    /// <summary>Makes everything that was written durable.</summary>
    void Flush();
}
