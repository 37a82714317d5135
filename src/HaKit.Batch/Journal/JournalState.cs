using HaKit.Batch.Stores;

namespace HaKit.Batch.Journal;

/// <summary>Represents one entry that will be written to the file.</summary>
internal readonly record struct JournalEntry(EntryKind Kind, int Ordinal, byte[] Bytes, BatchItemState State = default);

/// <summary>Holds the state that results from a journal's entries: the position of each item and outcome, and the counts. Not thread-safe.</summary>
internal sealed class JournalState
{
    private readonly Dictionary<int, (bool MayRepeat, double Estimate)> _started = [];

    private long _garbage;
    private long _outcomes;
    private long _outcomeBytes;

    public JournalIndex Index { get; } = new();

    public long Succeeded { get; private set; }

    public long Failed { get; private set; }

    public long Unknown { get; private set; }

    public long Calls { get; private set; }

    public long LostCalls { get; private set; }

    public double Spent { get; private set; }

    public double Reserved { get; private set; }

    /// <summary>Gets the approximate number of bytes in entries that no longer count. Outcomes are assumed to have the same length.</summary>
    public long Garbage => _garbage + (_outcomes == 0 ? 0 : _outcomeBytes / _outcomes * (_outcomes - Succeeded - Failed - Unknown));

    /// <summary>Applies a record of the file.</summary>
    public void Apply(long record, ReadOnlyMemory<byte> payload)
    {
        var reader = new EntryReader(payload.Span);
        while (!reader.IsAtEnd)
        {
            var offset = payload.Length - reader.Left;
            var (kind, length) = reader.Entry();
            var content = payload.Slice(payload.Length - reader.Left, length);
            reader.Next(length);
            Apply(kind, content, EntryLocation.Pack(record, offset));
        }
    }

    /// <summary>Records that a call begins.</summary>
    public void Start(int ordinal, bool mayRepeat, double estimate)
    {
        if (_started.Remove(ordinal, out var earlier))
            Lose(earlier.Estimate);
        _started[ordinal] = (mayRepeat, estimate);
        Reserved += estimate;
        Calls++;
    }

    /// <summary>Checks whether the call of an item that is in flight may be repeated. True if no call is in flight.</summary>
    public bool MayRepeat(int ordinal) => !_started.TryGetValue(ordinal, out var call) || call.MayRepeat;

    /// <summary>Records that a call ends, with an outcome or without one.</summary>
    public void End(int ordinal, double cost)
    {
        if (_started.Remove(ordinal, out var call))
            Unreserve(call.Estimate);
        Spent += cost;
    }

    /// <summary>Counts calls without an end as lost, because their process has ended. Returns the items whose calls must not be repeated.</summary>
    public List<int> LoseAllStarted()
    {
        var unknown = new List<int>();
        foreach (var (ordinal, call) in _started)
        {
            Lose(call.Estimate);
            if (!call.MayRepeat)
                unknown.Add(ordinal);
        }
        _started.Clear();
        Reserved = 0;
        return unknown;
    }

    /// <summary>Records that an outcome is durable.</summary>
    public void Finish(int ordinal, BatchItemState state, long location)
    {
        Count(Index.StateOf(ordinal), -1);
        Index.SetState(ordinal, state, location);
        Count(state, 1);
    }

    /// <summary>Records that the outcome of an item no longer counts.</summary>
    public void Reopen(int ordinal)
    {
        Count(Index.StateOf(ordinal), -1);
        Index.SetState(ordinal, BatchItemState.Pending);
    }

    private void Apply(EntryKind kind, ReadOnlyMemory<byte> content, long location)
    {
        switch (kind)
        {
            case EntryKind.Item:
                ApplyItem(content, location);
                break;
            case EntryKind.Outcome:
                var (finished, outcome) = EntryReader.Outcome(content, withResult: false);
                _outcomes++;
                _outcomeBytes += content.Length;
                Finish(CheckOrdinal(finished), outcome.State, location);
                // The opening of a journal writes an outcome without a request for a call that was lost. An outcome of a run has the cost of its call.
                if (outcome.State == BatchItemState.Unknown && outcome.Request.Equals(RequestFingerprint.None) && _started.Remove((int)finished, out var lost))
                    Lose(lost.Estimate);
                else
                    End((int)finished, outcome.Cost);
                break;
            case EntryKind.Redo:
                Reopen(CheckOrdinal((long)new EntryReader(content.Span).Varint()));
                _garbage += content.Length;
                break;
            case EntryKind.Started or EntryKind.Ended or EntryKind.Totals:
                ApplyCall(kind, new EntryReader(content.Span));
                _garbage += content.Length + 2;
                break;
            default:
                throw new BatchStoreException($"The journal has an entry of kind {(byte)kind}, which a newer version of HaKit.Batch wrote. Update the package.");
        }
    }

    private void ApplyItem(ReadOnlyMemory<byte> content, long location)
    {
        var (ordinal, id, input) = EntryReader.Item(content);
        if (ordinal == Index.Count)
        {
            Index.Add(id, input.Span);
        }
        else
        {
            _garbage += content.Length;
            Index.SetInput(CheckOrdinal(ordinal), input.Span);
            Reopen((int)ordinal);
        }
        Index.SetInputAt((int)ordinal, location);
    }

    private void ApplyCall(EntryKind kind, EntryReader reader)
    {
        var first = (long)reader.Varint();
        switch (kind)
        {
            case EntryKind.Started:
                var mayRepeat = reader.Next(1)[0] == 0;
                Start(CheckOrdinal(first), mayRepeat, reader.Number());
                break;
            case EntryKind.Ended:
                End(CheckOrdinal(first), reader.Number());
                break;
            default:
                Calls += first;
                LostCalls += (long)reader.Varint();
                Spent += reader.Number();
                break;
        }
    }

    private int CheckOrdinal(long ordinal) =>
        ordinal >= 0 && ordinal < Index.Count ? (int)ordinal : throw new InvalidDataException($"The journal has an entry for item {ordinal}, but contains only {Index.Count} items.");

    private void Lose(double estimate)
    {
        LostCalls++;
        Spent += estimate;
        Unreserve(estimate);
    }

    private void Unreserve(double estimate) => Reserved = _started.Count == 0 ? 0 : Math.Max(0, Reserved - estimate);

    private void Count(BatchItemState state, int change)
    {
        switch (state)
        {
            case BatchItemState.Succeeded:
                Succeeded += change;
                break;
            case BatchItemState.Failed:
                Failed += change;
                break;
            case BatchItemState.Unknown:
                Unknown += change;
                break;
            default:
                break;
        }
    }
}
