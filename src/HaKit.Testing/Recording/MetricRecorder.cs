using System.Diagnostics.Metrics;

namespace HaKit.Testing;

/// <summary>Records the measurements of meters, for tests, from its creation until it is disposed. Thread-safe.</summary>
public sealed class MetricRecorder : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<RecordedMeasurement> _measurements = [];
    private readonly MeterListener _listener = new();

    /// <summary>
    /// Records all meters with the given name. Tests that run in parallel also record each other's measurements; select instruments in such tests.
    /// </summary>
    /// <param name="meterName">The meter's name.</param>
    public MetricRecorder(string meterName)
        : this(instrument => instrument.Meter.Name == meterName)
    {
    }

    /// <summary>Records the selected instruments, for example the instruments whose meter has a certain scope.</summary>
    /// <param name="choose">Returns whether to record an instrument.</param>
    public MetricRecorder(Func<Instrument, bool> choose)
    {
        ArgumentNullException.ThrowIfNull(choose);
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

    /// <summary>Gets the measurements so far, in order.</summary>
    public IReadOnlyList<RecordedMeasurement> Measurements
    {
        get
        {
            lock (_lock)
                return [.. _measurements];
        }
    }

    /// <summary>Returns the values of one instrument, in order.</summary>
    /// <param name="instrument">The instrument's name.</param>
    /// <param name="tags">The tags that a measurement must have. It may have more.</param>
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

    /// <summary>Returns the sum of the values of one instrument, which is the count of a counter.</summary>
    /// <param name="instrument">The instrument's name.</param>
    /// <param name="tags">The tags that a measurement must have. It may have more.</param>
    public double Sum(string instrument, params ReadOnlySpan<(string Name, object? Value)> tags) => Values(instrument, tags).Sum();

    /// <summary>Reads the observable instruments now.</summary>
    public void Collect() => _listener.RecordObservableInstruments();

    /// <summary>Deletes the recorded measurements.</summary>
    public void Clear()
    {
        lock (_lock)
            _measurements.Clear();
    }

    /// <summary>Stops recording.</summary>
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
/// <param name="Value">The measured value.</param>
/// <param name="Tags">The tags of the measurement.</param>
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
