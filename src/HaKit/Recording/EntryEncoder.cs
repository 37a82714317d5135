using System.Text;
using HaKit.Faults;

namespace HaKit.Recording;

/// <summary>
/// Writes entries one after the other into a buffer. Times are in units of 0.1 ms. The start time of an entry and the number of its call are written as
/// differences from the previous entry. Numbers have a variable length: seven bits in each byte, the lowest first; differences are zigzag encoded. Not
/// thread-safe.
/// </summary>
internal sealed class EntryEncoder
{
    /// <summary>The unit of times in a recording.</summary>
    public const long TicksPerUnit = TimeSpan.TicksPerMillisecond / 10;

    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;
    private long _lastAt;
    private long _lastCall;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public int Length => _length;

    /// <summary>Begins a new block, which does not refer to earlier entries.</summary>
    public void Clear()
    {
        _names.Clear();
        _length = 0;
        _lastAt = _lastCall = 0;
    }

    public void Configuration(ReadOnlySpan<byte> json)
    {
        Byte((byte)EntryKind.Configuration);
        Bytes(json);
    }

    public void Dropped(long count)
    {
        Byte((byte)EntryKind.Dropped);
        Number((ulong)count);
    }

    /// <summary>Writes an entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="known">The models of the pool's configuration. The name of any other model came from a caller and is not written.</param>
    public void Write(in RingEntry entry, HashSet<string> known)
    {
        switch (entry.Kind)
        {
            case EntryKind.Attempt:
                Attempt(in entry);
                break;
            case EntryKind.Call:
                Call(in entry, known);
                break;
            case EntryKind.Probe:
                Probe(in entry);
                break;
            case EntryKind.Change:
                Change(in entry);
                break;
        }
    }

    private void Attempt(in RingEntry entry)
    {
        var name = NameOf(entry.Name!);
        Byte((byte)EntryKind.Attempt);
        Number((ulong)entry.Flags);
        Number((ulong)name);
        CallNumber(entry.Call);
        At(entry.At);
        Number((ulong)entry.Number);
        Span(entry.Took);
        if (entry.Flags.HasFlag(EntryFlags.HasFirstContent))
            Span(entry.Part);
        if (entry.Flags.HasFlag(EntryFlags.HasTokens))
        {
            Number((ulong)entry.Input);
            Number((ulong)entry.Output);
        }
        if (entry.Flags.HasFlag(EntryFlags.HasCached))
            Number((ulong)entry.Cached);
        if (entry.Flags.HasFlag(EntryFlags.HasFault))
            FaultOf(entry.Fault!);
    }

    private void Call(in RingEntry entry, HashSet<string> known)
    {
        var flags = entry.Flags;
        if (flags.HasFlag(EntryFlags.HasModel) && !known.Contains(entry.Name!))
            flags = flags & ~EntryFlags.HasModel | EntryFlags.IsRestricted;
        var model = flags.HasFlag(EntryFlags.HasModel) ? NameOf(entry.Name!) : 0;
        var error = flags.HasFlag(EntryFlags.HasError) ? NameOf(entry.Error!) : 0;
        Byte((byte)EntryKind.Call);
        Number((ulong)flags);
        Byte(entry.Detail);
        CallNumber(entry.Call);
        At(entry.At);
        Span(entry.Took);
        Span(entry.Deadline);
        Number((ulong)entry.Input);
        Number((ulong)entry.Output);
        if (flags.HasFlag(EntryFlags.HasWaited))
            Span(entry.Part);
        if (flags.HasFlag(EntryFlags.HasRules))
            Number(entry.Rules);
        if (flags.HasFlag(EntryFlags.HasMaxWait))
            Span(entry.MaxWait);
        if (flags.HasFlag(EntryFlags.HasPriority))
            Signed(entry.Number);
        if (flags.HasFlag(EntryFlags.HasModel))
            Number((ulong)model);
        if (flags.HasFlag(EntryFlags.HasError))
            Number((ulong)error);
    }

    private void Probe(in RingEntry entry)
    {
        var name = NameOf(entry.Name!);
        Byte((byte)EntryKind.Probe);
        Number((ulong)entry.Flags);
        Byte(entry.Detail);
        Number((ulong)name);
        At(entry.At);
        Span(entry.Took);
        if (entry.Flags.HasFlag(EntryFlags.HasFault))
            FaultOf(entry.Fault!);
    }

    private void Change(in RingEntry entry)
    {
        var name = NameOf(entry.Name!);
        Byte((byte)EntryKind.Change);
        Number((ulong)entry.Flags);
        Byte(entry.Detail);
        Byte(entry.Statuses);
        Number((ulong)name);
        At(entry.At);
        Span(entry.Part);
        if (entry.Flags.HasFlag(EntryFlags.HasFault))
            FaultOf(entry.Fault!);
    }

    // The provider's error code is not written, because the code is the provider's text and may contain a secret.
    private void FaultOf(Fault fault)
    {
        Byte((byte)fault.Kind);
        Byte((byte)((int)fault.Applied | (int)fault.Blame << 4));
        Byte((byte)((int)fault.Reach | (fault.UntilCleared ? 0x40 : 0) | (fault.RetryAfter is null ? 0 : 0x80)));
        Number((ulong)Math.Max(0, fault.StatusCode));
        if (fault.RetryAfter is { } after)
            Span(after.Ticks);
    }

    private int NameOf(string name)
    {
        if (_names.TryGetValue(name, out var place))
            return place;
        _names.Add(name, place = _names.Count);
        Byte((byte)EntryKind.Name);
        Bytes(Encoding.UTF8.GetBytes(name));
        return place;
    }

    private void CallNumber(long number)
    {
        Signed(number - _lastCall);
        _lastCall = number;
    }

    private void At(long ticks)
    {
        var units = ticks / TicksPerUnit;
        Signed(units - _lastAt);
        _lastAt = units;
    }

    // Half a unit is rounded up, so that rounding does not change the average.
    private void Span(long ticks) => Number((ulong)(Math.Max(0, ticks) / TicksPerUnit + (ticks % TicksPerUnit >= TicksPerUnit / 2 ? 1 : 0)));

    private void Signed(long value) => Number((ulong)(value << 1 ^ value >> 63));

    private void Number(ulong value)
    {
        Reserve(10);
        for (; value >= 0x80; value >>= 7)
            _buffer[_length++] = (byte)(value | 0x80);
        _buffer[_length++] = (byte)value;
    }

    private void Byte(byte value)
    {
        Reserve(1);
        _buffer[_length++] = value;
    }

    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        Number((ulong)bytes.Length);
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Reserve(int bytes)
    {
        if (_buffer.Length - _length < bytes)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + bytes));
    }
}
