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
    private const long WorthCompacting = 1024 * 1024;

    public static JournalStore Open(string name, JournalSettings settings, bool create)
    {
        // The name is checked before the lock is taken, because otherwise a misspelt name would leave a lock file.
        if (!create && FilesOf(settings.Files, name).Numbered.Count == 0)
            throw new BatchStoreException($"There is no journal '{name}'. Give the name with which the batch was run, without the number at the end of its files.");
        var held = JournalLock.Acquire(settings.Files, name, settings.Time.GetUtcNow());
        JournalFile? file = null;
        try
        {
            var notices = new List<string>();
            var state = new JournalState();
            (file, var number) = OpenLatest(name, settings);
            var scan = file.Scan(state.Apply);
            if (scan.CutBytes > 0)
                notices.Add(string.Create(CultureInfo.InvariantCulture, $"The last record of '{file.Path}' was unfinished ({scan.CutBytes} bytes) and was cut off; nothing in it had been returned."));
            file.CutTail();
            RecordLostCalls(file, state, settings, notices);
            if (state.Garbage > WorthCompacting && state.Garbage > file.End / 2)
                (file, state) = Compact(name, number, file, state, settings, notices);
            return new JournalStore(name, held, file, state, notices, settings.OwnThread);
        }
        catch
        {
            file?.Dispose();
            held.Dispose();
            throw;
        }
    }

    /// <summary>Gets the journal's files: the numbered files, and the unfinished files.</summary>
    public static (SortedList<int, string> Numbered, List<string> Unfinished) FilesOf(IJournalFileSystem files, string name)
    {
        var numbered = new SortedList<int, string>();
        var unfinished = new List<string>();
        foreach (var path in files.FilesThatBeginWith(name + "."))
        {
            var ending = path.AsSpan(path.LastIndexOf(name[(name.LastIndexOfAny(['/', '\\']) + 1)..] + ".", StringComparison.Ordinal) + name.Length - name.LastIndexOfAny(['/', '\\']));
            if (ending.EndsWith(NewEnding, StringComparison.Ordinal) && int.TryParse(ending[..^NewEnding.Length], NumberStyles.None, CultureInfo.InvariantCulture, out _))
                unfinished.Add(path);
            else if (ending.Length >= 6 && int.TryParse(ending, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                numbered.Add(number, path);
        }
        return (numbered, unfinished);
    }

    public static string PathOf(string name, int number) => string.Create(CultureInfo.InvariantCulture, $"{name}.{number:000000}");

    public static JournalFile Create(string name, int number, JournalSettings settings) =>
        JournalFile.Create(settings.Files, PathOf(name, number) + NewEnding, settings.Seal, firstRecord: 1);

    private static (JournalFile File, int Number) OpenLatest(string name, JournalSettings settings)
    {
        var (numbered, unfinished) = FilesOf(settings.Files, name);
        foreach (var path in unfinished)
            settings.Files.Delete(path);
        if (numbered.Count == 0)
        {
            var created = Create(name, 1, settings);
            created.Publish(PathOf(name, 1));
            return (created, 1);
        }
        var latest = JournalFile.Open(settings.Files, numbered.GetValueAtIndex(numbered.Count - 1), settings.Seal);
        // A file gets its number only after it is completely durable, so the files before it are no longer needed.
        for (var i = 0; i < numbered.Count - 1; i++)
            settings.Files.Delete(numbered.GetValueAtIndex(i));
        return (latest, numbered.GetKeyAtIndex(numbered.Count - 1));
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
        notices.Add(string.Create(CultureInfo.InvariantCulture, $"{unknown.Count} items whose call must not be repeated were in progress when the last process ended. They are marked as unknown."));
    }

    private static (JournalFile File, JournalState State) Compact(string name, int number, JournalFile file, JournalState state, JournalSettings settings, List<string> notices)
    {
        var before = file.End;
        var compacted = Create(name, number + 1, settings);
        var copied = JournalCopy.Copy(file, state, compacted);
        compacted.Publish(PathOf(name, number + 1));
        var old = file.Path;
        file.Dispose();
        settings.Files.Delete(old);
        notices.Add(string.Create(CultureInfo.InvariantCulture, $"The journal was compacted from {before} to {compacted.End} bytes."));
        return (compacted, copied);
    }
}
