using System.Diagnostics.Metrics;

namespace HaKit.Testing;

/// <summary>Remembers every measurement of a meter, for tests. Thread-safe. Listens from its making until disposed.</summary>
public sealed class MetricRecorder : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<RecordedMeasurement> _measurements = [];
    private readonly MeterListener _listener = new();

    /// <summary>Listens to all meters of a name. In tests that run side by side their measurements mix: choose by instrument then.</summary>
    /// <param name="meterName">The meter's name.</param>
    public MetricRecorder(string meterName)
        : this(instrument => instrument.Meter.Name == meterName)
    {
    }

    /// <summary>Listens to the instruments that are chosen, for example by their meter's scope.</summary>
    /// <param name="choose">Whether to listen to an instrument.</param>
    public MetricRecorder(Func<Instrument, bool> choose)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (choose(instrument))
                listener.EnableMeasurementEvents(instrument);
        };
        Subscribe<byte>(value => value);
        Subscribe<short>(value => value);
        Subscribe<int>(value => value);
        Subscribe<long>(value => value);
        Subscribe<float>(value => value);
        Subscribe<double>(value => value);
        Subscribe<decimal>(value => (double)value);
        _listener.Start();
    }

    /// <summary>What was measured so far, in order.</summary>
    public IReadOnlyList<RecordedMeasurement> Measurements
    {
        get
        {
            lock (_lock)
                return [.. _measurements];
        }
    }

    /// <summary>The values of one instrument, in order.</summary>
    /// <param name="instrument">The instrument's name.</param>
    /// <param name="tags">Tags that a measurement must carry; it may carry more.</param>
    public IReadOnlyList<double> Values(string instrument, params ReadOnlySpan<(string Name, object? Value)> tags)
    {
        var values = new List<double>();
        foreach (var measurement in Measurements)
        {
            if (measurement.Instrument == instrument && measurement.Carries(tags))
                values.Add(measurement.Value);
        }

        return values;
    }

    /// <summary>The sum of the values of one instrument: a counter's count.</summary>
    /// <param name="instrument">The instrument's name.</param>
    /// <param name="tags">Tags that a measurement must carry; it may carry more.</param>
    public double Sum(string instrument, params ReadOnlySpan<(string Name, object? Value)> tags) => Values(instrument, tags).Sum();

    /// <summary>Asks the observable instruments for their values now.</summary>
    public void Collect() => _listener.RecordObservableInstruments();

    /// <summary>Forgets what was measured.</summary>
    public void Clear()
    {
        lock (_lock)
            _measurements.Clear();
    }

    /// <summary>Ends listening.</summary>
    public void Dispose() => _listener.Dispose();

    private void Subscribe<T>(Func<T, double> toDouble)
        where T : struct =>
        _listener.SetMeasurementEventCallback<T>((instrument, value, tags, _) =>
        {
            var copy = new Dictionary<string, object?>(tags.Length);
            foreach (var tag in tags)
                copy[tag.Key] = tag.Value;
            var measurement = new RecordedMeasurement(instrument.Name, toDouble(value), copy);
            lock (_lock)
                _measurements.Add(measurement);
        });
}

/// <summary>One measurement.</summary>
/// <param name="Instrument">The instrument's name.</param>
/// <param name="Value">Its value.</param>
/// <param name="Tags">Its tags.</param>
public sealed record RecordedMeasurement(string Instrument, double Value, IReadOnlyDictionary<string, object?> Tags)
{
    internal bool Carries(ReadOnlySpan<(string Name, object? Value)> tags)
    {
        foreach (var (name, value) in tags)
        {
            if (!Tags.TryGetValue(name, out var mine) || !Equals(mine, value))
                return false;
        }

        return true;
    }
}
