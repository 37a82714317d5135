using System.Numerics;
using System.Text;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Recording;

/// <summary>Reads the entries of one block as <see cref="EntryEncoder"/> wrote them. Throws <see cref="InvalidDataException"/> for other data.</summary>
internal ref struct EntryDecoder
{
    private readonly int _recorder;
    private readonly DateTimeOffset _origin;
    private readonly List<string> _names = [];
    private ReadOnlySpan<byte> _rest;
    private long _lastAt;
    private long _lastCall;

    /// <param name="entries">The decompressed entries.</param>
    /// <param name="recorder">The number of the recorder that wrote them.</param>
    /// <param name="origin">The time at which the clock of the recorder's pool was zero.</param>
    /// <param name="writtenAt">The time at which the block was written, for entries without their own time.</param>
    public EntryDecoder(ReadOnlySpan<byte> entries, int recorder, DateTimeOffset origin, DateTimeOffset writtenAt)
    {
        _rest = entries;
        _recorder = recorder;
        _origin = origin;
        WrittenAt = writtenAt;
    }

    private DateTimeOffset WrittenAt { get; }

    /// <summary>Reads the next entry; null at the end.</summary>
    public RecordedEvent? Next()
    {
        while (!_rest.IsEmpty)
        {
            switch ((EntryKind)Byte())
            {
                case EntryKind.Name:
                    _names.Add(Text());
                    continue;
                case EntryKind.Configuration:
                    return new RecordedConfiguration { Recorder = _recorder, At = WrittenAt, Json = Text() };
                case EntryKind.Dropped:
                    return new RecordedGap { Recorder = _recorder, At = WrittenAt, Dropped = (long)Number() };
                case EntryKind.Attempt:
                    return Attempt();
                case EntryKind.Call:
                    return Call();
                case EntryKind.Probe:
                    return Probe();
                case EntryKind.Change:
                    return Change();
                default:
                    throw Damaged();
            }
        }
        return null;
    }

    private RecordedAttempt Attempt()
    {
        var flags = Flags();
        var endpoint = Name();
        var call = CallNumber();
        var at = At();
        var number = Count();
        var took = Span();
        TimeSpan? first = flags.HasFlag(EntryFlags.HasFirstContent) ? Span() : null;
        var hasTokens = flags.HasFlag(EntryFlags.HasTokens);
        int? input = hasTokens ? Count() : null;
        int? output = hasTokens ? Count() : null;
        int? cached = flags.HasFlag(EntryFlags.HasCached) ? Count() : null;
        return new RecordedAttempt
        {
            Recorder = _recorder,
            At = at,
            Call = call,
            Number = number,
            Endpoint = endpoint,
            Took = took,
            FirstContent = first,
            InputTokens = input,
            OutputTokens = output,
            CachedTokens = cached,
            IsStream = flags.HasFlag(EntryFlags.IsStream),
            IsTrial = flags.HasFlag(EntryFlags.IsTrial),
            IsPaced = flags.HasFlag(EntryFlags.IsPaced),
            IsPaid = flags.HasFlag(EntryFlags.IsPaid),
            Fault = flags.HasFlag(EntryFlags.HasFault) ? FaultOf() : null,
        };
    }

    private RecordedCall Call()
    {
        var flags = Flags();
        var outcome = OneOf<RecordedOutcome>(Byte());
        var number = CallNumber();
        var at = At();
        var took = Span();
        var deadline = Span();
        var (input, output) = (Count(), Count());
        var waited = flags.HasFlag(EntryFlags.HasWaited) ? Span() : TimeSpan.Zero;
        var rules = flags.HasFlag(EntryFlags.HasRules) ? Number() : 0;
        TimeSpan? most = flags.HasFlag(EntryFlags.HasMaxWait) ? Span() : null;
        var priority = flags.HasFlag(EntryFlags.HasPriority) ? (int)Signed() : 0;
        var model = flags.HasFlag(EntryFlags.HasModel) ? Name() : null;
        var error = flags.HasFlag(EntryFlags.HasError) ? Name() : null;
        return new RecordedCall
        {
            Recorder = _recorder,
            At = at,
            Number = number,
            Outcome = outcome,
            Error = error,
            Took = took,
            Waited = waited,
            WaitRules = RulesOf(rules),
            Deadline = deadline,
            MaxWait = most,
            IsStream = flags.HasFlag(EntryFlags.IsStream),
            Hedged = flags.HasFlag(EntryFlags.Hedged),
            MayHedge = MayHedge(flags),
            MayRepeat = !flags.HasFlag(EntryFlags.MayNotRepeat),
            IsRestricted = flags.HasFlag(EntryFlags.IsRestricted),
            NeedsTools = flags.HasFlag(EntryFlags.NeedsTools),
            NeedsVision = flags.HasFlag(EntryFlags.NeedsVision),
            Model = model,
            Priority = priority,
            InputTokens = input,
            MaxOutputTokens = output,
        };
    }

    private RecordedProbe Probe()
    {
        var flags = Flags();
        var level = OneOf<ProbeLevel>(Byte());
        var endpoint = Name();
        var at = At();
        var took = Span();
        return new RecordedProbe { Recorder = _recorder, At = at, Endpoint = endpoint, Level = level, Took = took, Fault = flags.HasFlag(EntryFlags.HasFault) ? FaultOf() : null };
    }

    private RecordedChange Change()
    {
        var flags = Flags();
        var source = OneOf<ChangeSource>(Byte());
        var statuses = Byte();
        var endpoint = Name();
        var at = At();
        var outFor = Span();
        return new RecordedChange
        {
            Recorder = _recorder,
            At = at,
            Endpoint = endpoint,
            Source = source,
            Before = OneOf<EndpointHealthStatus>(statuses & 0xF),
            After = OneOf<EndpointHealthStatus>(statuses >> 4),
            OutFor = outFor,
            Fault = flags.HasFlag(EntryFlags.HasFault) ? FaultOf() : null,
        };
    }

    private Fault FaultOf()
    {
        var kind = OneOf<FaultKind>(Byte());
        var (answers, reach) = (Byte(), Byte());
        var status = Count();
        return new Fault(kind)
        {
            Applied = OneOf<FaultApplied>(answers & 0xF),
            Blame = OneOf<FaultBlame>(answers >> 4),
            Reach = OneOf<FaultReach>(reach & 0x3F),
            UntilCleared = (reach & 0x40) != 0,
            StatusCode = status,
            RetryAfter = (reach & 0x80) != 0 ? Span() : null,
        };
    }

    private static bool? MayHedge(EntryFlags flags)
    {
        if (flags.HasFlag(EntryFlags.MayHedge))
            return true;
        return flags.HasFlag(EntryFlags.MayNotHedge) ? false : null;
    }

    private static WaitRule[] RulesOf(ulong rules)
    {
        if (rules == 0)
            return [];
        var list = new List<WaitRule>();
        for (; rules != 0; rules >>= 4)
            list.Insert(0, OneOf<WaitRule>((int)(rules & 0xF)));
        return [.. list];
    }

    private static T OneOf<T>(int value)
        where T : struct, Enum
    {
        var one = (T)Enum.ToObject(typeof(T), value);
        return Enum.IsDefined(one) ? one : throw Damaged();
    }

    private EntryFlags Flags() => (EntryFlags)Count();

    private string Name()
    {
        var place = Number();
        return place < (ulong)_names.Count ? _names[(int)place] : throw Damaged();
    }

    private long CallNumber() => _lastCall += Signed();

    private DateTimeOffset At()
    {
        _lastAt += Signed();
        if (_lastAt < 0 || _lastAt > (DateTimeOffset.MaxValue - _origin).Ticks / EntryEncoder.TicksPerUnit)
            throw Damaged();
        return _origin + new TimeSpan(_lastAt * EntryEncoder.TicksPerUnit);
    }

    private TimeSpan Span()
    {
        var units = Number();
        return units >= (ulong)(TimeSpan.MaxValue.Ticks / EntryEncoder.TicksPerUnit) ? TimeSpan.MaxValue : new TimeSpan((long)units * EntryEncoder.TicksPerUnit);
    }

    private int Count() => Number() is <= int.MaxValue and var number ? (int)number : throw Damaged();

    private long Signed()
    {
        var value = Number();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private ulong Number()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Byte();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
        throw Damaged();
    }

    private byte Byte()
    {
        if (_rest.IsEmpty)
            throw Damaged();
        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    private string Text()
    {
        var length = Count();
        if (length > _rest.Length)
            throw Damaged();
        var text = Encoding.UTF8.GetString(_rest[..length]);
        _rest = _rest[length..];
        return text;
    }

    private static InvalidDataException Damaged() => new("The block has an entry that no recorder wrote.");
}
