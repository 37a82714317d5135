using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace HaKit.Batch.Journal;

/// <summary>
/// Holds the right to write to a journal: the system's lock on <c>NAME.lock</c>. The lock file is never renamed or deleted, because then a second process could
/// lock a new file. It contains a random mark of the holder. With this mark, <see cref="Verify"/> checks that the path still leads to the locked file.
/// </summary>
internal sealed class JournalLock : IDisposable
{
    private readonly IJournalFileSystem _files;
    private readonly string _path;
    private readonly byte[] _mark;
    private readonly IDisposable _held;

    private JournalLock(IJournalFileSystem files, string path, byte[] mark, IDisposable held) => (_files, _path, _mark, _held) = (files, path, mark, held);

    /// <summary>Takes the lock and writes the holder to <c>NAME.owner</c>, because on some systems a locked file cannot be read.</summary>
    /// <exception cref="BatchLockedException">Another process holds the lock.</exception>
    public static JournalLock Acquire(IJournalFileSystem files, string name, DateTimeOffset now)
    {
        var (path, owner) = (name + ".lock", name + ".owner");
        var mark = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        if (files.TryLock(path, mark) is not { } held)
            throw new BatchLockedException($"The journal '{name}' is in use by {(files.TryRead(owner) is { } holder ? Encoding.UTF8.GetString(holder) : "another process")}. One process works with a journal; for several at once there is HaKit.PostgreSql.");
        var taken = new JournalLock(files, path, mark, held);
        try
        {
            taken.Verify();
            files.Write(owner, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName} since {now:u}")));
            return taken;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Checks that the locked file is the file that other processes find by its name.</summary>
    /// <exception cref="BatchLockedException">The file was replaced.</exception>
    public void Verify()
    {
        if (OperatingSystem.IsWindows())
            return; // on this system, other processes cannot read, delete or rename a locked file
        if (_files.TryRead(_path) is not { } read || !read.AsSpan().SequenceEqual(_mark))
            throw new BatchLockedException($"'{_path}' was deleted or replaced, so another process may write to the journal too. The file must be left alone while the batch runs.");
    }

    public void Dispose() => _held.Dispose();
}
