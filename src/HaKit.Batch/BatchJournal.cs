using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using HaKit.Batch.Journal;
using HaKit.Batch.Stores;

namespace HaKit.Batch;

/// <summary>Sets how a journal is opened. Not thread-safe; read when the journal is opened.</summary>
public sealed class BatchJournalOptions
{
    /// <summary>
    /// Gets or sets the key with which inputs and results are sealed (AES-256-GCM); at least 16 bytes. The seal does not detect that whole records were removed
    /// from the end of the file. Default null: not sealed.
    /// </summary>
    public ReadOnlyMemory<byte>? SealKey { get; set; }

    /// <summary>Gets or sets the clock. Default: the system's clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}

/// <summary>
/// Opens batches in files of one folder (a journal). One process at a time can use a journal. <c>NAME.000001</c> contains the records, <c>NAME.lock</c> is the
/// lock, and <c>NAME.owner</c> names the process that has the lock. The disk must be local. Thread-safe.
/// </summary>
public static class BatchJournal
{
    /// <summary>Opens a batch in a journal, or creates it. Inputs and results are written as JSON with reflection.</summary>
    /// <inheritdoc cref="OpenAsync{TItem}(string, JsonTypeInfo{TItem}, BatchJournalOptions?, CancellationToken)"/>
    [RequiresUnreferencedCode(Batch.Reflects)]
    [RequiresDynamicCode(Batch.Reflects)]
    public static async Task<Batch<TItem>> OpenAsync<TItem>(string path, BatchJournalOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await OpenStoreAsync(path, options, cancellationToken).ConfigureAwait(false));

    /// <summary>Opens a batch in a journal, or creates it.</summary>
    /// <typeparam name="TItem">The type of the items.</typeparam>
    /// <param name="path">The journal's name: a path, for example <c>reviews.journal</c>. HaKit adds the numbers of the files to it.</param>
    /// <param name="itemType">The JSON contract of the items.</param>
    /// <param name="options">Sets how the journal is opened. Null: the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="BatchLockedException">Another process uses the journal.</exception>
    /// <exception cref="BatchJournalDamagedException">A record is damaged, and valid records follow it.</exception>
    /// <exception cref="BatchStoreException">The journal cannot be opened: a newer format, a missing key, a disk that cannot be written or has no locks.</exception>
    /// <exception cref="ArgumentException">The path is blank, or the key has fewer than 16 bytes.</exception>
    public static async Task<Batch<TItem>> OpenAsync<TItem>(
        string path, JsonTypeInfo<TItem> itemType, BatchJournalOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(itemType); // checked first: a journal that is open keeps its lock
        return new(await OpenStoreAsync(path, options, cancellationToken).ConfigureAwait(false), itemType);
    }

    /// <summary>Opens the store of a journal, or creates it. Use it for items that are bytes, and in tools.</summary>
    /// <param name="path">The journal's name.</param>
    /// <param name="options">Sets how the journal is opened. Null: the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <inheritdoc cref="OpenAsync{TItem}(string, JsonTypeInfo{TItem}, BatchJournalOptions?, CancellationToken)" path="/exception"/>
    public static Task<IBatchStore> OpenStoreAsync(string path, BatchJournalOptions? options = null, CancellationToken cancellationToken = default) =>
        OpenStoreAsync(path, options, create: true, cancellationToken);

    /// <summary>Opens the store of an existing journal.</summary>
    /// <inheritdoc cref="OpenStoreAsync(string, BatchJournalOptions?, CancellationToken)"/>
    public static Task<IBatchStore> OpenExistingStoreAsync(string path, BatchJournalOptions? options = null, CancellationToken cancellationToken = default) =>
        OpenStoreAsync(path, options, create: false, cancellationToken);

    /// <summary>Copies every valid record of a damaged journal to a new journal. The damaged journal is not changed.</summary>
    /// <param name="path">The damaged journal's name.</param>
    /// <param name="newPath">The name of the new journal. It must not exist yet.</param>
    /// <param name="options">Sets how the journals are opened. Null: the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The numbers of copied items and outcomes, and of damaged bytes.</returns>
    public static Task<BatchRepair> RepairAsync(string path, string newPath, BatchJournalOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentException.ThrowIfNullOrWhiteSpace(newPath);
        if (Path.GetFullPath(path) == Path.GetFullPath(newPath))
            throw new ArgumentException($"The repair of the journal '{path}' would write to the damaged journal itself. Give the new journal another name.", nameof(newPath));
        return InNames(path, () => JournalRepair.Repair(path, newPath, SettingsOf(options)), cancellationToken);
    }

    private static Task<IBatchStore> OpenStoreAsync(string path, BatchJournalOptions? options, bool create, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new ArgumentException($"BatchJournal was given no path of a journal: it is {(path is null ? "null" : $"'{path}'")}. Perhaps the configuration does not have it. Give a path such as \"reviews.journal\".", nameof(path));
        if (Directory.Exists(path))
            return Task.FromException<IBatchStore>(new BatchStoreException($"The journal '{path}' is a folder: the name of a file in it is needed, such as '{Path.Combine(path, "work.journal")}'."));
        return InNames<IBatchStore>(path, () => JournalOpener.Open(path, SettingsOf(options), create), cancellationToken);
    }

    private static JournalSettings SettingsOf(BatchJournalOptions? options) =>
        new(DiskFileSystem.Instance, options?.SealKey is { } key ? new JournalSeal(key.Span) : null, options?.TimeProvider ?? TimeProvider.System, OwnThread: true);

    // A journal is read once, on the caller's thread, because no other work is possible before. The time grows with the size of the file.
    private static Task<T> InNames<T>(string path, Func<T> work, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellationToken);
        try
        {
            return Task.FromResult(work());
        }
        catch (DirectoryNotFoundException exception)
        {
            return Task.FromException<T>(new BatchStoreException($"The journal '{path}' cannot be opened: its folder does not exist. {(path is ['~', ..] ? "Only a shell replaces '~': give the whole path." : "Create the folder first.")}", exception));
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException and not BatchStoreException)
        {
            return Task.FromException<T>(new BatchStoreException($"The journal '{path}' cannot be opened for writing: {exception.Message}", exception));
        }
        catch (Exception exception) when (exception is BatchStoreException)
        {
            return Task.FromException<T>(exception);
        }
        catch (InvalidDataException exception)
        {
            return Task.FromException<T>(new BatchStoreException($"The journal '{path}' cannot be read: {exception.Message}", exception));
        }
    }
}

/// <summary>Describes the result of the repair of a journal.</summary>
/// <param name="Items">The number of copied items.</param>
/// <param name="Outcomes">The number of copied outcomes.</param>
/// <param name="SkippedBytes">The number of damaged bytes in the file.</param>
/// <param name="Orphans">The number of outcomes that could not be copied because their item's record is damaged.</param>
public sealed record BatchRepair(long Items, long Outcomes, long SkippedBytes, long Orphans);
