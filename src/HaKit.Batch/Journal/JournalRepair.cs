using System.Buffers;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Journal;

/// <summary>Copies the valid records of a damaged journal.</summary>
internal static class JournalRepair
{
    public static BatchRepair Repair(string name, string newName, JournalSettings settings)
    {
        var files = settings.Files;
        if (JournalOpener.FilesOf(files, name).Numbered is not { Count: > 0 } numbered)
            throw new BatchStoreException($"There is no journal '{name}'. Give the name with which the batch was run, without the number at the end of its files.");
        using var held = JournalLock.Acquire(files, name, settings.Time.GetUtcNow());
        using var newLock = JournalLock.Acquire(files, newName, settings.Time.GetUtcNow());
        var (present, unfinished) = JournalOpener.FilesOf(files, newName);
        if (present.Count > 0)
            throw new BatchStoreException($"There is a journal '{newName}' already. Give the new journal another name.");
        foreach (var path in unfinished)
            files.Delete(path); // of a repair that was interrupted
        using var damaged = JournalFile.OpenDamaged(files, numbered.GetValueAtIndex(numbered.Count - 1), settings.Seal);
        using var repaired = JournalOpener.Create(newName, 1, settings);
        var salvage = new Salvage(repaired);
        var skipped = damaged.Salvage(salvage.Add);
        salvage.Close();
        if (salvage.Items == 0 && skipped > 0)
            throw new BatchJournalDamagedException($"Nothing in '{damaged.Path}' can be recovered: each record with an item is damaged, or the header names another file.", 0);
        repaired.Publish(JournalOpener.PathOf(newName, 1));
        return new BatchRepair(salvage.Items, salvage.Outcomes, skipped, salvage.Orphans);
    }

    private sealed class Salvage(JournalFile to)
    {
        private readonly ArrayBufferWriter<byte> _payload = new();
        private readonly Dictionary<long, int> _numbers = [];

        public long Items => _numbers.Count;

        public long Outcomes { get; private set; }

        public long Orphans { get; private set; }

        public void Add(ReadOnlyMemory<byte> payload)
        {
            var reader = new EntryReader(payload.Span);
            while (!reader.IsAtEnd)
            {
                var (kind, length) = reader.Entry();
                var content = payload.Slice(payload.Length - reader.Left, length);
                reader.Next(length);
                if (Renumbered(kind, content) is { } entry)
                    _payload.Write(entry);
            }
            if (_payload.WrittenCount >= JournalWriter.RecordBytes)
                Close();
        }

        public void Close()
        {
            if (_payload.WrittenCount > 0)
                to.Append(_payload.WrittenSpan);
            _payload.ResetWrittenCount();
        }

        // Entries name an item by its number. If the record with the item is lost, entries about it cannot be kept.
        private byte[]? Renumbered(EntryKind kind, ReadOnlyMemory<byte> content)
        {
            switch (kind)
            {
                case EntryKind.Item:
                    var (ordinal, id, input) = EntryReader.Item(content);
                    _numbers.TryAdd(ordinal, _numbers.Count);
                    return EntryWriter.Item(_numbers[ordinal], id, input.Span);
                case EntryKind.Outcome:
                    var (finished, outcome) = EntryReader.Outcome(content, withResult: true);
                    if (!_numbers.TryGetValue(finished, out var known))
                    {
                        Orphans++;
                        return null;
                    }
                    Outcomes++;
                    return EntryWriter.Outcome(known, outcome);
                default:
                    return Renumbered(kind, new EntryReader(content.Span));
            }
        }

        private byte[]? Renumbered(EntryKind kind, EntryReader reader)
        {
            var first = (long)reader.Varint();
            if (kind == EntryKind.Totals)
                return EntryWriter.Totals(first, (long)reader.Varint(), reader.Number());
            if (!_numbers.TryGetValue(first, out var known))
                return null;
            return kind switch
            {
                EntryKind.Started => EntryWriter.Started(known, reader.Next(1)[0] == 0, reader.Number()),
                EntryKind.Ended => EntryWriter.Ended(known, reader.Number()),
                EntryKind.Redo => EntryWriter.Redo(known),
                _ => null,
            };
        }
    }
}
