namespace HaKit.Continuity;

/// <summary>
/// A folder as a destination: a second disk, or a mounted share. An object is written under a temporary name, flushed to the disk and renamed, so that it
/// exists whole or not at all. Thread-safe; several processes may use one folder.
/// </summary>
/// <param name="path">The folder; made when it is missing, readable by its owner only.</param>
public sealed class FolderDestination(string path) : IVaultDestination
{
    private const string Temporary = ".tmp";

    // No write takes so long: an older temporary file belongs to a process that is gone.
    private static readonly TimeSpan s_temporaryLife = TimeSpan.FromHours(24);

    private readonly string _root = System.IO.Path.GetFullPath(path);
    private int _isSwept;

    /// <inheritdoc/>
    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var target = PathOf(name);
        if (File.Exists(target))
            return false;
        var folder = System.IO.Path.GetDirectoryName(target)!;
        if (!Directory.Exists(folder))
        {
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
            // Two writers of one name write the same content, so the later rename may lose to the earlier one.
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
        foreach (var folder in Directory.EnumerateDirectories(_root))
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

    // What killed processes left. The file that was just written tells the time of the disk or share, which may not be this machine's.
    private void SweepTemporaries(DateTime before)
    {
        foreach (var file in Directory.EnumerateFiles(_root, "*" + Temporary, SearchOption.AllDirectories))
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
            // A temporary file that stays takes space and does no harm: names that end in .tmp are not listed.
        }
    }
}
