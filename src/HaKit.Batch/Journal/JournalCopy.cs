using System.Buffers;

namespace HaKit.Batch.Journal;

/// <summary>Copies the valid content of one file to another: each item with its input and its current outcome.</summary>
internal static class JournalCopy
{
    public static JournalState Copy(JournalFile from, JournalState state, JournalFile to)
    {
        var copied = new JournalState();
        var record = new CopiedRecord(to, copied);
        record.Add(EntryWriter.Totals(state.Calls, state.LostCalls, state.Spent - OutcomeCosts(from, state)));
        for (var ordinal = 0; ordinal < state.Index.Count; ordinal++)
        {
            var (_, id, input) = EntryReader.Item(from.Read(state.Index.InputAt(ordinal), EntryKind.Item));
            record.Add(EntryWriter.Item(ordinal, id, input.Span));
            if (state.Index.OutcomeAt(ordinal) is not 0 and var at)
                record.Add(EntryWriter.Outcome(ordinal, EntryReader.Outcome(from.Read(at, EntryKind.Outcome), withResult: true).Outcome));
        }
        record.Close();
        return copied;
    }

    // The copied outcomes include their cost.
    private static double OutcomeCosts(JournalFile from, JournalState state)
    {
        var cost = 0.0;
        for (var ordinal = 0; ordinal < state.Index.Count; ordinal++)
        {
            if (state.Index.OutcomeAt(ordinal) is not 0 and var at)
                cost += EntryReader.Outcome(from.Read(at, EntryKind.Outcome), withResult: false).Outcome.Cost;
        }

        return cost;
    }

    private sealed class CopiedRecord(JournalFile to, JournalState state)
    {
        private readonly ArrayBufferWriter<byte> _payload = new();

        public void Add(byte[] entry)
        {
            _payload.Write(entry);
            if (_payload.WrittenCount >= JournalWriter.RecordBytes)
                Close();
        }

        public void Close()
        {
            if (_payload.WrittenCount == 0)
                return;
            var payload = _payload.WrittenSpan.ToArray();
            state.Apply(to.Append(payload), payload);
            _payload.ResetWrittenCount();
        }
    }
}
