using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace HaKit.Continuity;

/// <summary>
/// Provides what .NET does not offer for files on Unix: inode, change time, and the flush of a folder. On other systems the calls do nothing.
/// </summary>
internal static partial class UnixFiles
{
    private const int AtFdCwd = -100;
    private const int SymlinkNoFollow = 0x100;
    private const uint BasicStats = 0x7ff;
    private const int FormatMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int WouldBlock = 11;
    private const int WouldBlockOnMac = 35;
    private const int ReadOnly = 0x80000; // O_RDONLY | O_CLOEXEC

    /// <summary>
    /// Opens a file for reading, also if another program has locked it, for example the lock file of a running batch. On Unix a lock is advice, which .NET
    /// follows by default.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file does not exist or cannot be read. On Windows also: another program has locked the file.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not read the file.</exception>
    public static SafeFileHandle OpenForReading(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (IOException exception) when (!OperatingSystem.IsWindows() && exception.HResult is WouldBlock or WouldBlockOnMac)
        {
            var handle = Open(path, OperatingSystem.IsLinux() ? ReadOnly : 0, 0);
            if (handle < 0)
                throw;
            return new SafeFileHandle(handle, ownsHandle: true);
        }
    }

    /// <summary>Gets the options for a new file that only its owner can read.</summary>
    public static FileStreamOptions NewPrivateFile()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    /// <summary>Creates a folder, and its parents, that only its owner can enter.</summary>
    public static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>
    /// Deletes a folder with its content, if it exists. A snapshot may have folders that not even their owner may change. Such folders are made writable first.
    /// </summary>
    public static void DeleteFolder(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (UnauthorizedAccessException) when (!OperatingSystem.IsWindows())
        {
            MakeWritable(new DirectoryInfo(folder));
            Directory.Delete(folder, recursive: true);
        }
    }

    // The content of a folder can be listed only after its permissions were set. Links are not followed.
    [UnsupportedOSPlatform("windows")]
    private static void MakeWritable(DirectoryInfo folder)
    {
        folder.UnixFileMode |= UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        foreach (var inner in folder.EnumerateDirectories().Where(static f => f.LinkTarget is null))
            MakeWritable(inner);
    }

    /// <summary>Makes the names in a folder durable, if the system supports it.</summary>
    public static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var handle = Open(folder, ReadOnly, 0);
        if (handle < 0)
            return;
        _ = Fsync(handle);
        _ = Close(handle);
    }

    /// <summary>
    /// Gets the change time and the inode, which differ after a change even if the size and the modification time are the same. Also gets whether the path is a
    /// regular file and not a socket, pipe or device. Returns zeros and true if the system does not provide these values.
    /// </summary>
    public static (bool IsRegular, long Changed, long Inode) StatOf(string path) => OperatingSystem.IsLinux() && Statx(AtFdCwd, path, SymlinkNoFollow, BasicStats, out var stat) == 0
        ? ((stat.Mode & FormatMask) == RegularFile, stat.ChangedSeconds * 1_000_000_000 + stat.ChangedNanoseconds, (long)stat.Inode)
        : (true, 0, 0);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out StatxBuffer buffer);

    // The struct statx of the Linux kernel (include/uapi/linux/stat.h), which is the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(96)]
        public long ChangedSeconds;

        [FieldOffset(104)]
        public uint ChangedNanoseconds;
    }
}
