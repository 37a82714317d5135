using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HaKit.Batch.Journal;

/// <summary>Uses the machine's own file system. Only the owner can read the files.</summary>
internal sealed partial class DiskFileSystem : IJournalFileSystem
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static DiskFileSystem Instance { get; } = new();

    public string FullPathOf(string path) => Path.GetFullPath(path);

    // In addition to the journal's lock file, the share mode excludes programs that do not use the lock file.
    public IJournalFile Open(string path, bool createNew) =>
        new DiskFile(new FileStream(path, Options(createNew ? FileMode.CreateNew : FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete)));

    public IDisposable? TryLock(string path, ReadOnlySpan<byte> mark)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, Options(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception) when (IsHeldByAnother(exception))
        {
            return null;
        }
        try
        {
            RefuseWithoutWorkingLock(path);
            stream.SetLength(0);
            stream.Write(mark);
            stream.Flush();
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public byte[]? TryRead(string path)
    {
        if (!File.Exists(path))
            return null;
        using var file = OperatingSystem.IsWindows() ? File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete) : OpenWithoutLock(path);
        var content = new byte[Math.Min(RandomAccess.GetLength(file), 4096)];
        return content.AsSpan(0, RandomAccess.Read(file, content, 0)).ToArray();
    }

    public void Write(string path, ReadOnlySpan<byte> content)
    {
        using var stream = new FileStream(path, Options(FileMode.Create, FileAccess.Write, FileShare.ReadWrite));
        stream.Write(content);
    }

    public IReadOnlyList<string> FilesThatBeginWith(string path)
    {
        var full = Path.GetFullPath(path);
        return [.. Directory.EnumerateFiles(Path.GetDirectoryName(full)!).Where(file => file.StartsWith(full, StringComparison.Ordinal))];
    }

    public long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : -1;

    public void Rename(string path, string to) => File.Move(path, to, overwrite: false);

    public void Delete(string path) => File.Delete(path);

    public void SyncDirectoryOf(string path)
    {
        if (OperatingSystem.IsWindows())
            return; // NTFS writes changes of names to its own journal, so a flush is not needed
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var descriptor = Native.Open(directory, 0);
        if (descriptor < 0)
            throw new IOException($"The directory '{directory}' cannot be opened: error {Marshal.GetLastPInvokeError()}.");
        try
        {
            if (Native.Sync(descriptor) != 0)
                throw new IOException($"The directory '{directory}' cannot be made durable: error {Marshal.GetLastPInvokeError()}.");
        }
        finally
        {
            _ = Native.Close(descriptor);
        }
    }

    // .NET also locks every file that it opens for reading, so the lock file itself could not be read.
    private static SafeFileHandle OpenWithoutLock(string path)
    {
        var descriptor = Native.Open(path, 0);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new IOException($"'{path}' cannot be opened: error {Marshal.GetLastPInvokeError()}.");
    }

    private static FileStreamOptions Options(FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode is not FileMode.Open)
            options.UnixCreateMode = OwnerOnly;
        return options;
    }

    private static bool IsHeldByAnother(IOException exception) => exception is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException)
        && exception.GetType() == typeof(IOException) && (OperatingSystem.IsWindows() ? (exception.HResult & 0xFFFF) is 32 or 33 : exception.HResult is 11 or 35);

    // .NET ignores every lock error except "held by another process", so on a network file system without locks every process would get the lock. This method
    // detects such a file system, because a second lock is granted there.
    private static void RefuseWithoutWorkingLock(string path)
    {
        try
        {
            new FileStream(path, Options(FileMode.Open, FileAccess.ReadWrite, FileShare.None)).Dispose();
        }
        catch (IOException exception) when (IsHeldByAnother(exception))
        {
            return;
        }
        throw new BatchStoreException($"The file system of '{path}' has no working locks, as is usual for network file systems: another process could write to the same journal. Use a local disk, or PostgreSQL (package HaKit.PostgreSql).");
    }

    private static partial class Native
    {
        [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
        public static partial int Open(string path, int flags);

        [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
        public static partial int Sync(int descriptor);

        [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
        public static partial int Close(int descriptor);
    }

    private sealed class DiskFile(FileStream stream) : IJournalFile
    {
        public long Length => RandomAccess.GetLength(stream.SafeFileHandle);

        public int Read(Span<byte> buffer, long offset)
        {
            var total = 0;
            while (total < buffer.Length && RandomAccess.Read(stream.SafeFileHandle, buffer[total..], offset + total) is > 0 and var read)
                total += read;
            return total;
        }

        public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(stream.SafeFileHandle, bytes, offset);

        public void SetLength(long length) => RandomAccess.SetLength(stream.SafeFileHandle, length);

        public void Flush() => RandomAccess.FlushToDisk(stream.SafeFileHandle);

        public void Dispose() => stream.Dispose();
    }
}
