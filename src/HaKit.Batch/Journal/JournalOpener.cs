using System.Globalization;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Journal;

/// <summary>Sets how a journal is opened. Immutable.</summary>
internal sealed record JournalSettings(IJournalFileSystem Files, JournalSeal? Seal, TimeProvider Time, bool OwnThread);

/// <summary>
/// Opens a journal in these steps. It takes the lock, finds the file with the highest number (<c>NAME.000001</c>), and reads the file. It cuts off an unfinished
/// record, and records the calls that a crash interrupted as lost. It compacts the file if less than half of its bytes are still needed.
/// </summary>
internal static class JournalOpener
{
    private const string NewEnding = ".new";
    private const int NumberLength = 6;
    private const long WorthCompacting = 1024 * 1024;

    public static JournalStore Open(string name, JournalSettings settings, bool create)
    {
        // The name is checked before the lock is taken, because otherwise a misspelt name would leave a lock file.
        if (!create && FilesOf(settings.Files, name).Numbered.Count == 0)
            throw new BatchStoreException($"There is no journal '{name}'. Give the name with which the batch was run, without the number at the end of its files.");
        var path = settings.Files.FullPathOf(name);
        var held = JournalLock.Acquire(settings.Files, path, settings.Time.GetUtcNow());
        JournalFile? file = null;
        try
        {
            var notices = new List<string>();
            var state = new JournalState();
            var (numbered, unfinished) = FilesOf(settings.Files, path);
            (file, var number) = OpenLatest(path, numbered, settings);
            var scan = file.Scan(state.Apply);
            if (scan.CutBytes > 0)
                notices.Add(string.Create(CultureInfo.InvariantCulture, $"The last record of '{file.Path}' was unfinished ({scan.CutBytes} bytes) and was cut off; nothing in it had been returned."));
            file.CutTail();
            // Only now: if the latest file is damaged, nothing has been changed.
            foreach (var old in unfinished.Concat(numbered.Values.SkipLast(1)))
                settings.Files.Delete(old);
            RecordLostCalls(file, state, settings, notices);
            if (state.Garbage > WorthCompacting && state.Garbage > file.End / 2)
                (file, state) = Compact(path, number, file, state, settings, notices);
            return new JournalStore(name, held, file, state, notices, settings.OwnThread);
        }
        catch
        {
            file?.Dispose();
            held.Dispose();
            throw;
        }
    }

    /// <summary>Gets the journal's files: the numbered files, and the unfinished files. Other files with a similar name belong to other journals, or are copies.</summary>
    public static (SortedList<int, string> Numbered, List<string> Unfinished) FilesOf(IJournalFileSystem files, string name)
    {
        var numbered = new SortedList<int, string>();
        var unfinished = new List<string>();
        var beginning = Path.GetFileName(name).Length + 1;
        foreach (var path in files.FilesThatBeginWith(name + "."))
        {
            var ending = Path.GetFileName(path.AsSpan())[beginning..];
            var isNew = ending.EndsWith(NewEnding, StringComparison.Ordinal);
            var digits = isNew ? ending[..^NewEnding.Length] : ending;
            if (digits.Length != NumberLength || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                continue;
            if (isNew)
                unfinished.Add(path);
            else
                numbered.Add(number, path);
        }
        return (numbered, unfinished);
    }

    public static string PathOf(string name, int number) => string.Create(CultureInfo.InvariantCulture, $"{name}.{number:000000}");

    public static JournalFile Create(string name, int number, JournalSettings settings, ulong predecessor = 0) =>
        JournalFile.Create(settings.Files, PathOf(name, number) + NewEnding, settings.Seal, firstRecord: 1, predecessor);

    private static (JournalFile File, int Number) OpenLatest(string name, SortedList<int, string> numbered, JournalSettings settings)
    {
        if (numbered.Count == 0)
        {
            foreach (var path in FilesOf(settings.Files, name).Unfinished)
                settings.Files.Delete(path);
            var created = Create(name, 1, settings);
            created.Publish(PathOf(name, 1));
            return (created, 1);
        }
        var latest = JournalFile.Open(settings.Files, numbered.GetValueAtIndex(numbered.Count - 1), settings.Seal);
        try
        {
            ThrowIfNotInOrder(name, numbered, latest.Header, settings.Files);
        }
        catch
        {
            latest.Dispose();
            throw;
        }
        return (latest, numbered.GetKeyAtIndex(numbered.Count - 1));
    }

    // A compacted file gets its number only after it is completely durable, so the file before it is no longer needed. A copy that a person made by hand, or a file
    // of another journal, could also have the next number. Then the file before it has the results.
    private static void ThrowIfNotInOrder(string name, SortedList<int, string> numbered, JournalHeader latest, IJournalFileSystem files)
    {
        var later = latest;
        for (var i = numbered.Count - 2; i >= 0; i--)
        {
            var earlier = HeaderOf(files, numbered.GetValueAtIndex(i));
            var follows = earlier is { } before && numbered.GetKeyAtIndex(i) + 1 == numbered.GetKeyAtIndex(i + 1)
                && (later.Predecessor == before.Mark || later.Predecessor == 0 && later.FileId != before.FileId);
            if (!follows)
                throw new BatchStoreException($"'{numbered.GetValueAtIndex(i)}' and '{numbered.GetValueAtIndex(i + 1)}' both have names of the journal '{name}', but the second is not the compacted copy of the first. One of them is a copy or belongs to another journal. Move it to another folder. Nothing was changed.");
            later = earlier!.Value;
        }
    }

    private static JournalHeader? HeaderOf(IJournalFileSystem files, string path)
    {
        using var file = files.Open(path, createNew: false);
        Span<byte> bytes = stackalloc byte[JournalHeader.Length];
        try
        {
            return JournalHeader.Read(bytes[..file.Read(bytes, 0)], path);
        }
        catch (BatchStoreException)
        {
            return null;
        }
    }

    private static void RecordLostCalls(JournalFile file, JournalState state, JournalSettings settings, List<string> notices)
    {
        var lost = state.LostCalls;
        var unknown = state.LoseAllStarted();
        if (state.LostCalls > lost)
            notices.Add(string.Create(CultureInfo.InvariantCulture, $"{state.LostCalls - lost} calls were in flight when the last process ended. They may have been billed."));
        if (unknown.Count == 0)
            return;
        var payload = new List<byte>();
        var places = new List<(int Ordinal, int Offset)>();
        foreach (var ordinal in unknown)
        {
            places.Add((ordinal, payload.Count));
            payload.AddRange(EntryWriter.Outcome(ordinal, new BatchOutcome
            {
                State = BatchItemState.Unknown,
                Request = RequestFingerprint.None,
                Error = "The process ended between the call and its commit, and the call must not be repeated.",
                At = settings.Time.GetUtcNow(),
            }));
        }
        var record = file.Append(payload.ToArray());
        foreach (var (ordinal, offset) in places)
            state.Finish(ordinal, BatchItemState.Unknown, EntryLocation.Pack(record, offset));
        notices.Add(string.Create(CultureInfo.InvariantCulture, $"{unknown.Count} items were in progress when the last process ended. Their calls must not be repeated, so these items are marked as unknown."));
    }

    private static (JournalFile File, JournalState State) Compact(string name, int number, JournalFile file, JournalState state, JournalSettings settings, List<string> notices)
    {
        var before = file.End;
        JournalFile? compacted = null;
        JournalState copied;
        try
        {
            compacted = Create(name, number + 1, settings, file.Header.Mark);
            copied = JournalCopy.Copy(file, state, compacted);
            compacted.Publish(PathOf(name, number + 1));
        }
        catch (Exception exception) when (exception is (IOException or UnauthorizedAccessException) and not BatchStoreException)
        {
            // The journal is whole without the copy. The copy must not stay, not even after a power loss: the next opening would
            // take it for the latest file, without the results that come now.
            compacted?.Dispose();
            settings.Files.Delete(PathOf(name, number + 1) + NewEnding);
            settings.Files.Delete(PathOf(name, number + 1));
            settings.Files.SyncDirectoryOf(file.Path);
            notices.Add($"The journal could not be compacted: {exception.Message}");
            return (file, state);
        }
        var old = file.Path;
        file.Dispose();
        try
        {
            settings.Files.Delete(old);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            notices.Add($"'{old}' is no longer needed, but could not be deleted: {exception.Message} The next opening deletes it.");
        }
        notices.Add(string.Create(CultureInfo.InvariantCulture, $"The journal was compacted from {before} to {compacted.End} bytes."));
        return (compacted, copied);
    }
}
