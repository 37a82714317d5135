using HaKit.Attempts;

namespace HaKit.Failover;

/// <summary>
/// Records the content, the end mark and the usage of a stream's items so far, and how long the stream has been silent. A mutable struct that is stored in its
/// stream.
/// </summary>
internal struct StreamProgress<T>(StreamItemReader<T> reader, Lease lease)
{
    private TimeSpan? _waitedSince;

    /// <summary>Gets how many items with content were read.</summary>
    public int Delivered { get; private set; }

    /// <summary>Gets whether the end mark was read.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Gets how long the reader has waited for items since the last item with content or progress.</summary>
    public TimeSpan Silence { get; private set; }

    /// <summary>Restarts the measurement of a silence, because another source continues the stream or this process was paused.</summary>
    public void ResetSilence() => Silence = default;

    /// <summary>
    /// Records the time since which the reader waits for the next item. The clock is read again only if that item has neither content nor progress.
    /// </summary>
    public void BeginItem(TimeSpan waitedSince) => _waitedSince = waitedSince;

    /// <summary>Records an item.</summary>
    public void RecordItem(T item, StreamSignal signal)
    {
        if (reader.TryGetUsage(item, out var input, out var output) && !lease.IsCompleted)
            lease.CountTokens(input, output, reader.CachedTokensOf(item));
        var waitedSince = _waitedSince;
        _waitedSince = null;
        if (signal == StreamSignal.None)
        {
            if (waitedSince is { } since)
                Silence += lease.Clock.Now - since;
            return;
        }
        Silence = default;
        if ((signal & StreamSignal.Content) != 0)
            Delivered++;
        if ((signal & StreamSignal.End) != 0)
            HasEnded = true;
        if (signal != StreamSignal.Progress && lease.FirstContentAt is null)
            lease.RecordFirstContent(lease.Clock.Now);
    }
}
