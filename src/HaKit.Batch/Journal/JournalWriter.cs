namespace HaKit.Batch.Journal;

/// <summary>
/// Appends entries and makes them durable. Entries that arrive while a record is being written are collected in the next record. A failure ends the writer,
/// because the content of the disk is not known after a failed fsync. Thread-safe.
/// </summary>
internal sealed class JournalWriter : IDisposable
{
    /// <summary>A record is closed when it has this many bytes.</summary>
    public const int RecordBytes = 1024 * 1024;

    private readonly JournalFile _file;
    private readonly JournalLock _lock;
    private readonly Action<JournalEntry, long> _onDurable;
    private readonly object _gate = new();
    private readonly Thread? _thread;
    private Queue<Append> _queue = new();
    private byte[] _payload = new byte[64 * 1024];
    private BatchStoreException? _failure;
    private bool _isDisposed;

    /// <summary>Starts writing.</summary>
    /// <param name="file">The file, ready to append.</param>
    /// <param name="held">The journal's lock.</param>
    /// <param name="onDurable">Called for each durable entry with its position, before its append ends.</param>
    /// <param name="ownThread">True to write on a separate thread. False to write on the thread of each append, so that tests use one thread.</param>
    public JournalWriter(JournalFile file, JournalLock held, Action<JournalEntry, long> onDurable, bool ownThread)
    {
        (_file, _lock, _onDurable) = (file, held, onDurable);
        if (!ownThread)
            return;
        _thread = new Thread(WriteUntilDisposed) { IsBackground = true, Name = "HaKit batch journal" };
        _thread.Start();
    }

    /// <summary>Appends entries. These entries and all earlier entries are durable when the task ends. The entries of one call are in one record.</summary>
    public Task AppendAsync(params IReadOnlyList<JournalEntry> entries)
    {
#pragma warning disable RS0030 // A continuation of an append must not run on the journal's thread, because it would keep the disk idle.
        var append = new Append(entries, new TaskCompletionSource(_thread is null ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously));
#pragma warning restore RS0030
        lock (_gate)
        {
            if (Refusal() is { } refusal)
                return Task.FromException(refusal);
            _queue.Enqueue(append);
            Monitor.Pulse(_gate);
        }
        if (_thread is null)
            WriteAll();
        return append.Done!.Task;
    }

    /// <summary>Appends an entry that is written together with the next entry.</summary>
    public void AppendWithNext(JournalEntry entry)
    {
        lock (_gate)
        {
            if (Refusal() is null)
                _queue.Enqueue(new Append([entry], null));
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            Monitor.Pulse(_gate);
        }
        if (_thread is null)
            WriteAll();
        else
            _thread.Join();
    }

    private BatchStoreException? Refusal() => _failure switch
    {
        BatchLockedException locked => new BatchLockedException(locked.Message, locked),
        { } failure => new BatchStoreException(failure.Message, failure.InnerException),
        null => _isDisposed ? new BatchStoreException("The journal is closed.") : null,
    };

    private void WriteUntilDisposed()
    {
        while (true)
        {
            lock (_gate)
            {
                while (!_queue.Any(static a => a.Done is not null) && !_isDisposed)
                    Monitor.Wait(_gate);
                if (_queue.Count == 0)
                    return;
            }
            WriteAll();
        }
    }

    private void WriteAll()
    {
        while (TakeAll() is { Count: > 0 } group)
        {
            try
            {
                while (group.Count > 0)
                    WriteRecord(group);
            }
#pragma warning disable CA1031 // After any failure nothing more may be written.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Fail(exception, group);
                return;
            }
        }
    }

    private Queue<Append>? TakeAll()
    {
        lock (_gate)
        {
            if (_queue.Count == 0 || _failure is not null)
                return null;
            var all = _queue;
            _queue = new();
            return all;
        }
    }

    private void WriteRecord(Queue<Append> group)
    {
        _lock.Verify();
        var length = 0;
        var places = new List<(JournalEntry Entry, int Offset)>();
        var done = new List<TaskCompletionSource>();
        foreach (var append in group)
        {
            if (length >= RecordBytes)
                break;
            foreach (var entry in append.Entries)
            {
                places.Add((entry, length));
                AppendEntry(entry.Bytes, ref length);
            }
            if (append.Done is { } waiting)
                done.Add(waiting);
            append.IsWritten = true;
        }
        var record = places.Count == 0 ? 0 : _file.Append(_payload.AsSpan(0, length));
        foreach (var (entry, offset) in places)
            _onDurable(entry, EntryLocation.Pack(record, offset));
        while (group.TryPeek(out var first) && first.IsWritten)
            group.Dequeue();
        foreach (var waiting in done)
            waiting.SetResult();
        if (_payload.Length > 4 * RecordBytes)
            _payload = new byte[64 * 1024];
    }

    private void AppendEntry(byte[] entry, ref int length)
    {
        if (entry.Length > _payload.Length - length)
            Array.Resize(ref _payload, (int)Math.Min(Array.MaxLength, Math.Max(2L * _payload.Length, (long)length + entry.Length)));
        entry.CopyTo(_payload, length);
        length += entry.Length;
    }

    private void Fail(Exception exception, Queue<Append> group)
    {
        var failure = exception as BatchStoreException ?? new BatchStoreException(
            $"The journal '{_file.Path}' could not be written and is closed: {exception.Message} Results that were returned are stored. Open the journal again after the disk is repaired.", exception);
        lock (_gate)
        {
            _failure = failure;
            while (_queue.TryDequeue(out var append))
                group.Enqueue(append);
        }
        foreach (var append in group)
            append.Done?.TrySetException(Refusal()!);
    }

    private sealed class Append(IReadOnlyList<JournalEntry> entries, TaskCompletionSource? done)
    {
        public IReadOnlyList<JournalEntry> Entries => entries;

        public TaskCompletionSource? Done => done;

        public bool IsWritten { get; set; }
    }
}
