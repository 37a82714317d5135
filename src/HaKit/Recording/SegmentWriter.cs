using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace HaKit.Recording;

/// <summary>
/// Writes blocks to the files of one recorder. It begins a new file when the current file is full, and deletes the pool's oldest files above the limit. If a
/// block cannot be written, it throws an exception for which <see cref="IsOfDisk"/> returns true. The file is then left as it is, or deleted if it has no whole
/// block, and the next block begins a new file. Not thread-safe.
/// </summary>
internal sealed class SegmentWriter(FlightRecorderOptions options, string pool, Func<string, Stream> open, Action<string>? delete = null) : IDisposable
{
    public const string Extension = ".hakitrec";

    // A file's name has at most 255 bytes, and the pool's name is only a part of it.
    private const int LongestName = 100;

    private readonly Guid _id = new(RandomNumberGenerator.GetBytes(16));
    private readonly string _prefix = PrefixOf(pool);
    private readonly Action<string> _delete = delete ?? File.Delete;
    private Stream? _file;
    private string _path = "";
    private byte[] _block = [];
    private long _length;
    private int _number;
    private bool _isWithoutBlock;

    /// <summary>Gets whether the next block begins a new file. The configuration must be written first in each file.</summary>
    public bool IsAtBeginning => _file is null || _length >= options.SegmentBytes;

    /// <summary>Gets why old files could not be deleted when the current file began. Null if there was no reason to delete files, or if all were deleted.</summary>
    public string? WhyLeft { get; private set; }

    /// <summary>
    /// Closes the current file if it was deleted, for example by another replica or an operator. The system would accept further blocks, but no reader would
    /// find them.
    /// </summary>
    public void LeaveDeletedFile()
    {
        if (_file is not null && !File.Exists(_path))
            Close();
    }

    /// <summary>Writes a block. If <see cref="IsAtBeginning"/>, it is written to a new file.</summary>
    public void Write(ReadOnlySpan<byte> entries, TimeSpan clock, DateTimeOffset utc)
    {
        var block = Compress(entries, clock, utc);
        try
        {
            if (IsAtBeginning)
                Begin(utc);
            _file!.Write(block);
            _file.Flush();
            _length += block.Length;
            _isWithoutBlock = false;
        }
        catch
        {
            Close();
            if (_isWithoutBlock)
                TryDelete(_path);
            throw;
        }
    }

    public void Dispose() => Close();

    /// <summary>Checks whether the exception comes from the disk or the folder.</summary>
    public static bool IsOfDisk(Exception exception) =>
        exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException or System.Security.SecurityException;

    /// <summary>Opens a new file that only its owner may read.</summary>
    public static Stream OpenOnDisk(string path)
    {
        var file = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete, BufferSize = 0 };
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return new FileStream(path, file);
        }
        file.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new FileStream(path, file);
    }

    private void Begin(DateTimeOffset utc)
    {
        Close();
        _path = Path.Combine(options.Folder, string.Create(CultureInfo.InvariantCulture, $"{_prefix}{utc.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{_id.ToString("N")[..8]}-{_number:0000}{Extension}"));
        _isWithoutBlock = false;
        _file = open(_path);
        _isWithoutBlock = true;
        Span<byte> header = stackalloc byte[SegmentHeader.Length];
        new SegmentHeader(_id, _number++).Write(header);
        _file.Write(header);
        _length = header.Length;
        DeleteOldest();
    }

    // The limit includes the space for the new file. If another process deletes a file at the same time, the result is the same. The oldest file is the file
    // with the oldest last entry. So a busy replica does not delete the file to which a quiet replica has been writing for a long time.
    private void DeleteOldest()
    {
        WhyLeft = null;
        try
        {
            if (!Directory.Exists(options.Folder))
                return;
            var files = FilesOf(options.Folder, pool).Where(f => f.FullName != Path.GetFullPath(_path) && f.Exists).OrderBy(static f => f.LastWriteTimeUtc).ToArray();
            var total = files.Sum(f => f.Length) + options.SegmentBytes;
            foreach (var file in files)
            {
                if (total <= options.MaxBytes)
                    return;
                if (TryDelete(file.FullName))
                    total -= file.Length;
            }
        }
        catch (Exception exception) when (IsOfDisk(exception))
        {
            // The folder cannot be listed. The recording itself can still be written.
            WhyLeft = exception.Message;
        }
    }

    private bool TryDelete(string path)
    {
        try
        {
            _delete(path);
            return true;
        }
        catch (Exception exception) when (IsOfDisk(exception))
        {
            // Another program holds the file, or another user owns it.
            WhyLeft = exception.Message;
            return false;
        }
    }

    private ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> entries, TimeSpan clock, DateTimeOffset utc)
    {
        var most = BlockHeader.Length + Math.Max(entries.Length, BrotliEncoder.GetMaxCompressedLength(entries.Length));
        if (_block.Length < most)
            _block = new byte[most];
        if (!BrotliEncoder.TryCompress(entries, _block.AsSpan(BlockHeader.Length), out var stored, quality: 5, window: 18) || stored >= entries.Length)
        {
            entries.CopyTo(_block.AsSpan(BlockHeader.Length));
            stored = entries.Length;
        }
        var block = _block.AsSpan(0, BlockHeader.Length + stored);
        new BlockHeader(stored, entries.Length, clock, utc).Complete(block);
        return block;
    }

    private void Close()
    {
        try
        {
            _file?.Dispose();
        }
        catch (Exception exception) when (IsOfDisk(exception))
        {
            // The bytes that could not be written are lost. A reader reports the gap.
        }
        _file = null;
    }

    /// <summary>
    /// Lists the files of a pool, or of all pools, by name. On a file system that ignores case, a search for "chat" also finds the files of "Chat". These files
    /// are left out.
    /// </summary>
    public static IEnumerable<FileInfo> FilesOf(string folder, string? pool)
    {
        var prefix = pool is null ? "" : PrefixOf(pool);
        return new DirectoryInfo(folder).EnumerateFiles(prefix + "*" + Extension).Where(f => f.Name.StartsWith(prefix, StringComparison.Ordinal)).OrderBy(static f => f.Name, StringComparer.Ordinal);
    }

    /// <summary>
    /// Gets the prefix of the names of a pool's files. Other pools may write to the same folder. So if the pool's name is not a valid file name, the prefix has
    /// a part of the name's hash. Otherwise the pools "a/b" and "a:b" would delete each other's files.
    /// </summary>
    public static string PrefixOf(string pool)
    {
        var clean = string.Concat(pool.Take(LongestName).Select(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' ? c : '_'));
        return clean == pool ? clean + "-" : $"{clean}~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(pool)))[..8]}-";
    }
}
