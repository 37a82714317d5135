using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Pool;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;

namespace HaKit.Recording;

/// <summary>
/// Records the attempts, calls, probes and changes of one pool. A call only adds an entry to a ring. A timer takes the entries from the ring, and encodes,
/// compresses and writes them on its own thread. If the disk is slow, full or read-only, entries are dropped, counted and reported once. Calls are never
/// affected. Thread-safe.
/// </summary>
internal sealed class FlightRecorder : IPoolRecorder
{
    private const int BlockBytes = 64 * 1024;

    // The states of the recorder.
    private const int Created = 0, Started = 1, Disposed = 2;

    // After a failure of the disk, entries are dropped for this time before the next try. A new failure is reported only if there was no failure for this time.
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(60);

    private readonly string _pool;
    private readonly PoolClock _clock;
    private readonly ILogger _log;
    private readonly FlightRecorderOptions _options;
    private readonly EntryRing _ring;
    private readonly EntryEncoder _encoder = new();
    private readonly SegmentWriter _writer;
    private readonly ITimer _timer;
    private EndpointPoolOptions _configured;
    private EndpointPoolOptions? _serialized;
    private EndpointPoolOptions? _written;
    private HashSet<string> _known = [];
    private byte[] _configuration = [];
    private TimeSpan _resumeAt;
    private TimeSpan _troubledAt = TimeSpan.MinValue;
    private long _dropped;
    private long _droppedInTrouble;
    private long _entriesInBlock;
    private long _wokenAt = -1;
    private int _isWriting;
    private int _state = Created;
    private bool _isTroubled;
    private bool _areFilesLeft;

    public FlightRecorder(FlightRecorderOptions options, RecorderScope scope, Func<string, Stream>? open = null, Action<string>? delete = null)
    {
        (_options, _pool, _clock, _log) = (options.Copy(), scope.Pool, scope.Clock, scope.Log);
        _configured = scope.Options;
        _ring = new EntryRing(_options.Capacity);
        _writer = new SegmentWriter(_options, _pool, open ?? SegmentWriter.OpenOnDisk, delete);
        _timer = _clock.Time.NewTimer(static recorder => ((FlightRecorder)recorder!).Tick(), this);
    }

    public void Start()
    {
        // The clock is the application's code. If it throws here, the recorder has not started.
        _timer.Change(_options.FlushInterval, Timeout.InfiniteTimeSpan);
        Volatile.Write(ref _state, Started);
    }

    public void UseOptions(EndpointPoolOptions options) => Volatile.Write(ref _configured, options);

    public void RecordAttempt(Lease lease, Fault? fault, TimeSpan now)
    {
        var entry = new RingEntry
        {
            Kind = EntryKind.Attempt,
            Name = lease.State.Endpoint.Name,
            Fault = fault,
            Call = lease.CallNumber,
            Number = lease.Number,
            At = lease.Started.Ticks,
            Took = (now - lease.Started).Ticks,
            Flags = (lease.IsStream ? EntryFlags.IsStream : 0) | (lease.IsTrial ? EntryFlags.IsTrial : 0) | (lease.AsksOutage ? EntryFlags.IsPaced : 0)
                | (lease.IsPaid ? EntryFlags.IsPaid : 0) | (fault is null ? 0 : EntryFlags.HasFault),
        };
        if (lease.FirstContentAt is { } first)
        {
            entry.Flags |= EntryFlags.HasFirstContent;
            entry.Part = (first - lease.Started).Ticks;
        }
        if (lease.InputTokens is not null || lease.OutputTokens is not null)
        {
            entry.Flags |= EntryFlags.HasTokens;
            (entry.Input, entry.Output) = ((int)(lease.InputTokens ?? 0), (int)(lease.OutputTokens ?? 0));
        }
        if (lease.CachedTokens is { } cached)
        {
            entry.Flags |= EntryFlags.HasCached;
            entry.Cached = (int)cached;
        }
        Add(in entry);
    }

    public void RecordCall(FailoverCall call, CallOutcome outcome, string? error, TimeSpan ended)
    {
        var profile = call.Profile;
        var entry = new RingEntry
        {
            Kind = EntryKind.Call,
            Detail = (byte)outcome,
            Call = call.Number,
            At = call.Started.Ticks,
            Took = (ended - call.Started).Ticks,
            Deadline = call.Deadline == TimeSpan.MaxValue ? long.MaxValue : call.DeadlineSpan.Ticks,
            Input = Math.Max(0, profile.InputTokens),
            Output = Math.Max(0, profile.MaxOutputTokens),
            Number = profile.Priority,
            Part = call.Waited.Ticks,
            Rules = call.Rules,
            Name = profile.Model,
            Error = error,
            MaxWait = profile.MaxWait?.Ticks ?? 0,
            Flags = FlagsOf(call, profile, error),
        };
        Add(in entry);
    }

    public void RecordProbe(EndpointState member, ProbeLevel level, Fault? fault, TimeSpan asked, TimeSpan now)
    {
        var entry = new RingEntry
        {
            Kind = EntryKind.Probe,
            Detail = (byte)level,
            Name = member.Endpoint.Name,
            Fault = fault,
            At = asked.Ticks,
            Took = (now - asked).Ticks,
            Flags = fault is null ? 0 : EntryFlags.HasFault,
        };
        Add(in entry);
    }

    public void RecordChange(in HealthChange change, TimeSpan now)
    {
        if (change.IsReport || change.Before.Status == change.After.Status)
            return;
        var fault = change.Evidence.Fault;
        var entry = new RingEntry
        {
            Kind = EntryKind.Change,
            Detail = (byte)HealthEvents.SourceOf(in change),
            Statuses = (byte)((int)change.Before.Status | (int)change.After.Status << 4),
            Name = change.Endpoint.Name,
            Fault = fault,
            At = now.Ticks,
            Part = change.After.Until is { } until && until > now ? (until - now).Ticks : 0,
            Flags = fault is null ? 0 : EntryFlags.HasFault,
        };
        Add(in entry);
    }

    /// <summary>Writes the waiting entries. Returns at once if a write is already in progress.</summary>
    public void Flush()
    {
        if (Interlocked.Exchange(ref _isWriting, 1) != 0)
            return;
        try
        {
            WriteAll();
        }
        finally
        {
            // With a volatile write, this thread could read _state below before it clears _isWriting here. It could then miss the end of the recorder, while
            // the thread that ends the recorder still sees a write in progress. The exchange prevents this.
            Interlocked.Exchange(ref _isWriting, 0);
        }
        if (Volatile.Read(ref _state) == Disposed)
            Complete();
    }

    public void Dispose()
    {
        var before = Interlocked.Exchange(ref _state, Disposed);
        if (before == Disposed)
            return;
        _timer.Dispose();
        // If the recorder was never started, the creation of the pool has failed, and there is nothing to write.
        if (before == Started)
            Complete();
    }

    // Writes the last entries and closes the file. If a write is in progress, its thread does this when the write has ended. _isWriting stays 1, so that no
    // later write begins.
    private void Complete()
    {
        if (Interlocked.Exchange(ref _isWriting, 1) != 0)
            return;
        WriteAll();
        _writer.Dispose();
    }

    private static EntryFlags FlagsOf(FailoverCall call, RequestProfile profile, string? error) =>
        (call.IsStream ? EntryFlags.IsStream : 0)
        | (call.Hedged ? EntryFlags.Hedged : 0)
        | (call.Waited > TimeSpan.Zero ? EntryFlags.HasWaited : 0)
        | (call.Rules != 0 ? EntryFlags.HasRules : 0)
        | (error is null ? 0 : EntryFlags.HasError)
        | ProfileFlagsOf(profile);

    private static EntryFlags ProfileFlagsOf(RequestProfile profile) =>
        (profile.MayRepeat ? 0 : EntryFlags.MayNotRepeat)
        | (profile.Tags.Count > 0 || profile.Endpoints.Count > 0 || profile.Residency is not null ? EntryFlags.IsRestricted : 0)
        | (profile.Tools ? EntryFlags.NeedsTools : 0)
        | (profile.Vision ? EntryFlags.NeedsVision : 0)
        | (profile.Model is null ? 0 : EntryFlags.HasModel)
        | (profile.MaxWait is null ? 0 : EntryFlags.HasMaxWait)
        | (profile.MayHedge == true ? EntryFlags.MayHedge : 0)
        | (profile.MayHedge == false ? EntryFlags.MayNotHedge : 0)
        | (profile.Priority == 0 ? 0 : EntryFlags.HasPriority);

    // The timer is moved forward only once for each half of the ring, because a busy pool adds many entries.
    private void Add(in RingEntry entry)
    {
        if (!_ring.TryAdd(in entry, out var place))
            return;
        var read = _ring.Read;
        if (place - read >= _ring.Capacity / 2 && Volatile.Read(ref _wokenAt) != read && Interlocked.Exchange(ref _wokenAt, read) != read && Volatile.Read(ref _state) == Started)
            _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Tick()
    {
        Flush();
        if (Volatile.Read(ref _state) != Disposed)
            _timer.Change(_options.FlushInterval, Timeout.InfiniteTimeSpan);
    }

    private void WriteAll()
    {
        _dropped += _ring.TakeDropped();
        var now = _clock.Now;
        if (now < _resumeAt)
        {
            DropAll();
            return;
        }
        var lost = _dropped;
        try
        {
            TakeConfiguration();
            _writer.LeaveDeletedFile();
            var any = true;
            while (any)
            {
                any = FillBlock();
                if (_encoder.Length == 0)
                    break;
                _writer.Write(_encoder.Written, _clock.Now, _clock.Time.GetUtcNow());
                _dropped = 0;
            }
        }
#pragma warning disable CA1031 // This runs on a timer's thread, where an exception would end the process.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _written = null;
            _dropped += _entriesInBlock;
            _resumeAt = now + s_rest;
            DropAll();
            ReportTrouble(exception.Message, now);
            return;
        }
        ReportFilesLeft();
        if (lost > 0)
            ReportDropped(lost, now);
        else if (_isTroubled && now - _troubledAt >= s_rest)
            ReportEnd();
    }

    // Fills the encoder with one block. True if the ring may have more entries.
    private bool FillBlock()
    {
        _encoder.Clear();
        _entriesInBlock = 0;
        if (_ring.IsEmpty && _dropped == 0 && ReferenceEquals(_written, _serialized))
            return false;
        if (_writer.IsAtBeginning || !ReferenceEquals(_written, _serialized))
        {
            _encoder.Configuration(_configuration);
            _written = _serialized;
        }
        if (_dropped > 0)
            _encoder.Dropped(_dropped);
        while (_encoder.Length < BlockBytes)
        {
            if (!_ring.TryRead(out var entry))
                return false;
            _encoder.Write(in entry, _known);
            _entriesInBlock++;
        }
        return true;
    }

    // Serializes new options, if there are any. If the options change during a write, the next write serializes them, so that _configuration and _serialized
    // always belong together.
    private void TakeConfiguration()
    {
        var options = Volatile.Read(ref _configured);
        if (ReferenceEquals(options, _serialized))
            return;
        _configuration = PoolConfiguration.Write(_pool, options);
        _known = PoolConfiguration.ModelsOf(options);
        _serialized = options;
    }

    private void DropAll()
    {
        while (_ring.TryRead(out _))
            _dropped++;
    }

    private void ReportTrouble(string why, TimeSpan now)
    {
        _troubledAt = now;
        if (_isTroubled)
            return;
        _isTroubled = true;
        RecordingLog.CannotWrite(_log, _pool, _options.Folder, why);
    }

    private void ReportDropped(long count, TimeSpan now)
    {
        _troubledAt = now;
        _droppedInTrouble += count;
        if (_isTroubled)
            return;
        _isTroubled = true;
        RecordingLog.Dropped(_log, _pool, count);
    }

    private void ReportFilesLeft()
    {
        if (_writer.WhyLeft is { } why && !_areFilesLeft)
            RecordingLog.CannotDelete(_log, _pool, _options.Folder, why);
        _areFilesLeft = _writer.WhyLeft is not null;
    }

    private void ReportEnd()
    {
        _isTroubled = false;
        RecordingLog.WritesAgain(_log, _pool, _droppedInTrouble);
        _droppedInTrouble = 0;
    }
}
