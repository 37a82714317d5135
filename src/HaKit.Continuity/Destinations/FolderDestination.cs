namespace HaKit.Continuity;

/// <summary>
/// Stores objects in a folder, for example on a second disk or a mounted share. An object is written under a temporary name, flushed to the disk and renamed,
/// so that it exists completely or not at all. Thread-safe; several processes may use one folder.
/// </summary>
/// <param name="path">The folder. It is created if it is missing; only its owner can read it.</param>
public sealed class FolderDestination(string path) : IVaultDestination
{
    private const string Temporary = ".tmp";

    // No write takes this long, so an older temporary file belongs to a process that no longer exists.
    private static readonly TimeSpan s_temporaryLife = TimeSpan.FromHours(24);

    private readonly string _root = System.IO.Path.GetFullPath(path);
    private int _isSwept;

    internal string Root => _root;

    /// <inheritdoc/>
    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var target = PathOf(name);
        if (File.Exists(target))
            return false;
        var folder = System.IO.Path.GetDirectoryName(target)!;
        if (!Directory.Exists(folder))
        {
            // The path is not a folder, and a retry cannot change this. So the fault is not retried.
            if (File.Exists(_root))
                throw new UnauthorizedAccessException($"'{_root}' is a file: a folder is needed.");
            UnixFiles.CreateFolder(folder);
            UnixFiles.FlushFolder(_root);
        }
        var temporary = System.IO.Path.Combine(folder, Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8)) + Temporary);
        try
        {
            await using (var file = new FileStream(temporary, UnixFiles.NewPrivateFile()))
            {
                await file.WriteAsync(content, cancellationToken);
                file.Flush(flushToDisk: true);
            }
            if (Interlocked.Exchange(ref _isSwept, 1) == 0)
            {
                SweepTemporaries(File.GetLastWriteTimeUtc(temporary) - s_temporaryLife);
            }
            // Two writers of one name write the same content, so it does not matter which rename comes first.
            File.Move(temporary, target, overwrite: false);
        }
        catch (IOException) when (File.Exists(target))
        {
            TryDelete(temporary);
            return false;
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
        UnixFiles.FlushFolder(folder);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(PathOf(name), cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_root))
            return new([]);
        var names = new List<string>();
        // If the folder is the root of a disk, it may contain folders that cannot be read, such as lost+found.
        foreach (var folder in Directory.EnumerateDirectories(_root, "?"))
        {
            foreach (var file in Directory.EnumerateFiles(folder))
            {
                if (!file.EndsWith(Temporary, StringComparison.Ordinal)
                    && $"{System.IO.Path.GetFileName(folder)}/{System.IO.Path.GetFileName(file)}" is var name && name.StartsWith(prefix, StringComparison.Ordinal))
                {
                    names.Add(name);
                }
            }
        }

        return new(names);
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var target = PathOf(name);
        if (File.Exists(target))
            File.Delete(target);
        return default;
    }

    private string PathOf(string name) => System.IO.Path.Combine(_root, name.Replace('/', System.IO.Path.DirectorySeparatorChar));

    // Removes the temporary files that killed processes have left. The file that was just written shows the time of the disk or share, which may differ from
    // this machine's time.
    private void SweepTemporaries(DateTime before)
    {
        foreach (var file in Directory.EnumerateDirectories(_root, "?").SelectMany(static folder => Directory.EnumerateFiles(folder, "*" + Temporary)))
        {
            if (File.GetLastWriteTimeUtc(file) < before)
            {
                TryDelete(file);
            }
        }
    }

    private static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A temporary file that cannot be deleted takes space but does no harm: names that end in .tmp are not listed.
        }
    }
}
