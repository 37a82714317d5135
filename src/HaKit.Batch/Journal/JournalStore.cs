using System.Runtime.CompilerServices;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Journal;

/// <summary>Stores a batch in one journal, for one process at a time.</summary>
internal sealed class JournalStore : IBatchStore
{
    private readonly Lock _gate = new();
    private readonly JournalLock _lock;
    private readonly JournalFile _file;
    private readonly JournalState _state;
    private readonly JournalWriter _writer;
    private readonly Dictionary<int, Claimed> _claims = [];
    private readonly Dictionary<int, int> _replacing = []; // how many new inputs of an item are queued, but not durable yet
    private readonly Queue<int> _returned = new();
    private int _next;
    private long _fence;

    public JournalStore(string name, JournalLock held, JournalFile file, JournalState state, IReadOnlyList<string> notices, bool ownThread)
    {
        (Name, _lock, _file, _state, Notices) = (name, held, file, state, notices);
        _writer = new JournalWriter(file, held, OnDurable, ownThread);
    }

    public string Name { get; }

    public IReadOnlyList<string> Notices { get; }

    public TimeSpan? Lease => null;

    internal string Path => _file.Path;

    internal long IndexMemory => _state.Index.Memory;

    public ValueTask<BatchCounts> CountAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            return new(new BatchCounts
            {
                Total = _state.Index.Count,
                Succeeded = _state.Succeeded,
                Failed = _state.Failed,
                Unknown = _state.Unknown,
                UnderWay = _claims.Count,
                Calls = _state.Calls,
                LostCalls = _state.LostCalls,
                Spent = _state.Spent,
                Reserved = _state.Reserved,
            });
        }
    }

    public async ValueTask<BatchAdded> AddAsync(IReadOnlyList<BatchInput> inputs, bool replaceChanged, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var adding = new Adding(inputs, replaceChanged);
        while (adding.At < inputs.Count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task durable;
            // Items are numbered and queued under one lock, so that the file has them in the order of their numbers.
            lock (_gate)
                durable = AddSome(adding);
            await durable.ConfigureAwait(false);
        }
        return new(adding.Added, adding.Changed, adding.FirstChanged);
    }

    public ValueTask<IReadOnlyList<BatchClaim>> ClaimAsync(int count, bool mayRepeat, CancellationToken cancellationToken = default)
    {
        var chosen = new List<(int Ordinal, long Fence, long InputAt)>();
        lock (_gate)
        {
            while (chosen.Count < count && NextPending() is { } ordinal)
            {
                _claims[ordinal] = new Claimed(++_fence);
                chosen.Add((ordinal, _fence, _state.Index.InputAt(ordinal)));
            }
        }

        var claims = new BatchClaim[chosen.Count];
        try
        {
            for (var i = 0; i < claims.Length; i++)
            {
                var (id, input) = ReadItem(chosen[i].InputAt);
                claims[i] = new BatchClaim(chosen[i].Ordinal, id, input, chosen[i].Fence);
            }
        }
        catch
        {
            // The caller gets no claims, so it could not release them.
            lock (_gate)
            {
                foreach (var (ordinal, _, _) in chosen)
                    Release(ordinal);
            }
            throw;
        }
        return new(claims);
    }

    public async ValueTask<bool> StartAsync(BatchClaim claim, BatchStart start, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        lock (_gate)
        {
            Verify(claim);
            if (start.MaxCost is { } most && _state.Spent + _state.Reserved + start.Estimate > most)
                return false;
            _state.Start((int)claim.Ordinal, start.MayRepeat, start.Estimate);
        }
        var entry = new JournalEntry(EntryKind.Started, (int)claim.Ordinal, EntryWriter.Started(claim.Ordinal, start.MayRepeat, start.Estimate));
        if (start.MaxCost is not null || !start.MayRepeat)
            await _writer.AppendAsync(entry).ConfigureAwait(false);
        else
            _writer.AppendWithNext(entry);
        return true;
    }

    public async ValueTask<bool> CommitAsync(BatchClaim claim, BatchOutcome outcome, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        ArgumentNullException.ThrowIfNull(outcome);
        lock (_gate)
        {
            Verify(claim).IsCommitting = true;
            _state.End((int)claim.Ordinal, outcome.Cost);
        }
        await _writer.AppendAsync(new JournalEntry(EntryKind.Outcome, (int)claim.Ordinal, EntryWriter.Outcome(claim.Ordinal, outcome), outcome.State)).ConfigureAwait(false);
        return true;
    }

    public async ValueTask EndAsync(BatchClaim claim, double cost, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        bool mayRepeat;
        lock (_gate)
        {
            Verify(claim);
            mayRepeat = _state.MayRepeat((int)claim.Ordinal);
            _state.End((int)claim.Ordinal, cost);
        }
        var entry = new JournalEntry(EntryKind.Ended, (int)claim.Ordinal, EntryWriter.Ended(claim.Ordinal, cost));
        // After a crash, a call without a durable end counts as lost. If it must not be repeated, its item would become unknown, although the call has ended.
        if (mayRepeat)
            _writer.AppendWithNext(entry);
        else
            await _writer.AppendAsync(entry).ConfigureAwait(false);
    }

    public ValueTask ReleaseAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claims);
        lock (_gate)
        {
            foreach (var claim in claims)
            {
                Verify(claim);
                Release((int)claim.Ordinal);
            }
        }

        return default;
    }

    public ValueTask<IReadOnlyCollection<BatchClaim>> RenewAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default) => new([]);

    public async IAsyncEnumerable<BatchStored> ReadFinishedAsync(BatchContent content, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        int count;
        lock (_gate)
            count = _state.Index.Count;
        await Task.CompletedTask.ConfigureAwait(false);
        for (var ordinal = 0; ordinal < count; ordinal++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long inputAt, outcomeAt;
            lock (_gate)
                (inputAt, outcomeAt) = (_state.Index.InputAt(ordinal), _state.Index.OutcomeAt(ordinal));
            if (outcomeAt == 0)
                continue;
            var (id, input) = ReadItem(inputAt);
            var (_, outcome) = EntryReader.Outcome(_file.Read(outcomeAt, EntryKind.Outcome), (content & BatchContent.Result) != 0);
            yield return new BatchStored(ordinal, id, (content & BatchContent.Input) != 0 ? input : default, outcome);
        }
    }

    public async ValueTask RedoAsync(IReadOnlyList<BatchStored> finished, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(finished);
        var entries = new List<JournalEntry>();
        lock (_gate)
        {
            foreach (var item in finished)
            {
                if (_state.Index.OutcomeAt((int)item.Ordinal) is not 0 and var at && IsSame(EntryReader.Outcome(_file.Read(at, EntryKind.Outcome), withResult: false).Outcome, item.Outcome))
                    entries.Add(new(EntryKind.Redo, (int)item.Ordinal, EntryWriter.Redo(item.Ordinal)));
            }
        }

        if (entries.Count > 0)
            await _writer.AppendAsync(entries).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        _writer.Dispose();
        _file.Dispose();
        _lock.Dispose();
        return default;
    }

    private void OnDurable(JournalEntry entry, long location)
    {
        lock (_gate)
        {
            switch (entry.Kind)
            {
                case EntryKind.Item:
                    var isReplaced = _state.Index.InputAt(entry.Ordinal) != 0;
                    _state.Index.SetInputAt(entry.Ordinal, location);
                    if (isReplaced)
                    {
                        RecordReplaced(entry.Ordinal);
                        Reopen(entry.Ordinal);
                    }
                    break;
                case EntryKind.Outcome:
                    _state.Finish(entry.Ordinal, entry.State, location);
                    _claims.Remove(entry.Ordinal);
                    break;
                case EntryKind.Redo:
                    Reopen(entry.Ordinal);
                    break;
                default:
                    break;
            }
        }
    }

    private static bool IsSame(BatchOutcome stored, BatchOutcome read) => stored.State == read.State && stored.At == read.At && stored.Request.Equals(read.Request);

    private void Release(int ordinal)
    {
        _claims.Remove(ordinal);
        _returned.Enqueue(ordinal);
    }

    private void RecordReplaced(int ordinal)
    {
        if (_replacing.TryGetValue(ordinal, out var queued) && queued > 1)
            _replacing[ordinal] = queued - 1;
        else
            _replacing.Remove(ordinal);
    }

    private void Reopen(int ordinal)
    {
        _state.Reopen(ordinal);
        if (ordinal < _next)
            _returned.Enqueue(ordinal);
    }

    private Task AddSome(Adding adding)
    {
        var entries = new List<JournalEntry>();
        var isPending = false;
        for (var bytes = 0; adding.At < adding.Inputs.Count && bytes < JournalWriter.RecordBytes; adding.At++)
        {
            var input = adding.Inputs[adding.At];
            var ordinal = _state.Index.Find(input.Id);
            if (ordinal >= 0 && _state.Index.HasInput(ordinal, input.Payload.Span))
            {
                isPending |= _state.Index.InputAt(ordinal) == 0; // another call is adding the item at this moment, or failed to add it
                continue;
            }
            if (ordinal < 0)
            {
                adding.Added++;
                ordinal = _state.Index.Add(input.Id, input.Payload.Span);
            }
            else
            {
                var isRefused = adding.ReplaceChanged && _claims.ContainsKey(ordinal);
                // The items before this one are numbered, so they must be written. The next part begins with this item and changes nothing.
                if (isRefused && entries.Count > 0)
                    break;
                if (isRefused)
                    throw new BatchStoreException($"Item '{input.Id}' is being worked on: its input cannot be replaced now. The items before it were added.");
                adding.Changed++;
                adding.FirstChanged ??= input.Id;
                if (!adding.ReplaceChanged)
                    continue;
                _state.Index.SetInput(ordinal, input.Payload.Span);
                _replacing[ordinal] = _replacing.GetValueOrDefault(ordinal) + 1;
            }
            var entry = EntryWriter.Item(ordinal, input.Id, input.Payload.Span);
            entries.Add(new(EntryKind.Item, ordinal, entry));
            bytes += entry.Length;
        }
        return entries.Count == 0 && !isPending ? Task.CompletedTask : _writer.AppendAsync(entries);
    }

    private int? NextPending()
    {
        while (_returned.TryDequeue(out var returned))
        {
            if (IsFree(returned))
                return returned;
        }
        // An item without a position is not durable yet, and the items after it are not durable either.
        for (; _next < _state.Index.Count && _state.Index.InputAt(_next) != 0; _next++)
        {
            if (IsFree(_next))
                return _next++;
        }

        return null;
    }

    // If a new input of an item is queued, the item is claimed only with this input. The item is returned to the queue when the input is durable.
    private bool IsFree(int ordinal) =>
        _state.Index.StateOf(ordinal) == BatchItemState.Pending && !_claims.ContainsKey(ordinal) && !_replacing.ContainsKey(ordinal);

    private Claimed Verify(BatchClaim claim) =>
        _claims.TryGetValue((int)claim.Ordinal, out var claimed) && claimed.Fence == claim.Fence && !claimed.IsCommitting
            ? claimed : throw new InvalidOperationException($"Item '{claim.Id}' is not claimed, or its outcome was given before.");

    private (string Id, ReadOnlyMemory<byte> Input) ReadItem(long inputAt)
    {
        var (_, id, input) = EntryReader.Item(_file.Read(inputAt, EntryKind.Item));
        return (id, input);
    }

    private sealed class Claimed(long fence)
    {
        public long Fence => fence;

        public bool IsCommitting { get; set; }
    }
}
