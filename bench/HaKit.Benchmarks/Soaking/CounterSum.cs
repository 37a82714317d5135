using System.Diagnostics.Metrics;

namespace HaKit.Benchmarks;

/// <summary>Sums a counter of HaKit over all pools of the process. Thread-safe.</summary>
internal sealed class CounterSum : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _sum;

    public CounterSum(string name)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == name)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _sum, value));
        _listener.Start();
    }

    public long Sum => Volatile.Read(ref _sum);

    public void Dispose() => _listener.Dispose();
}
