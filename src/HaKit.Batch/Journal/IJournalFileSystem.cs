namespace HaKit.Batch.Journal;

/// <summary>Represents the file system for a journal. Tests use an implementation that loses any subset of the writes that are not durable yet.</summary>
internal interface IJournalFileSystem
{
    /// <summary>Gets the full path. A path that is relative to the current folder would lead to another file after the application has changed this folder.</summary>
    string FullPathOf(string path);

    /// <summary>Opens a file for reading and writing. With <paramref name="createNew"/> the file must not exist.</summary>
    IJournalFile Open(string path, bool createNew);

    /// <summary>Locks a file, creates it if it is missing, and replaces its content. Null if another process holds the lock.</summary>
    /// <param name="path">The path of the lock file.</param>
    /// <param name="mark">The new content of the file. With it, the holder can check later that the path still leads to the locked file.</param>
    IDisposable? TryLock(string path, ReadOnlySpan<byte> mark);

    /// <summary>Reads the whole of a small file. Null if it does not exist.</summary>
    byte[]? TryRead(string path);

    /// <summary>Replaces the content of a small file; its durability does not matter.</summary>
    void Write(string path, ReadOnlySpan<byte> content);

    /// <summary>Lists the files whose path starts with the given path.</summary>
    IReadOnlyList<string> FilesThatBeginWith(string path);

    long LengthOf(string path);

    /// <summary>Renames a file. Throws if a file with the new name exists.</summary>
    void Rename(string path, string to);

    void Delete(string path);

    /// <summary>Makes creations, renames and deletions in the file's directory durable.</summary>
    void SyncDirectoryOf(string path);
}

/// <summary>Represents an open file. Reads may run at the same time as a write.</summary>
internal interface IJournalFile : IDisposable
{
    long Length { get; }

    /// <summary>Fills the buffer from the given position, up to the end of the file.</summary>
    int Read(Span<byte> buffer, long offset);

    void Write(ReadOnlySpan<byte> bytes, long offset);

    void SetLength(long length);

    /// <summary>Makes everything that was written durable.</summary>
    void Flush();
}
