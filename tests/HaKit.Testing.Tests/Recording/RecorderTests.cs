using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace HaKit.Testing.Tests.Recording;

public sealed partial class RecorderTests
{
    [Fact]
    public void Logs_are_remembered_with_their_values()
    {
        using var recorder = new LogRecorder { MinimumLevel = LogLevel.Information };
        using var factory = recorder.CreateFactory();
        var logger = factory.CreateLogger("HaKit.Test");
        var exception = new FormatException();

        TooLow(logger);
        Ejected(logger, "east", exception);

        var entry = recorder.Entries.Should().ContainSingle().Subject;
        entry.Level.Should().Be(LogLevel.Warning);
        entry.Category.Should().Be("HaKit.Test");
        entry.Id.Name.Should().Be("Ejected");
        entry.Message.Should().Be("Endpoint east ejected");
        entry.Values.Should().Contain(new KeyValuePair<string, object?>("Endpoint", "east"));
        entry.Exception.Should().BeSameAs(exception);
        recorder.Clear();
        recorder.Entries.Should().BeEmpty();
    }

    [Fact]
    public void Measurements_are_remembered_with_their_tags()
    {
        using var meter = new Meter("test." + nameof(Measurements_are_remembered_with_their_tags));
        using var other = new Meter("test.other");
        using var recorder = new MetricRecorder(meter.Name);
        var calls = meter.CreateCounter<long>("calls");
        meter.CreateObservableGauge("open", () => 3);

        calls.Add(2, new KeyValuePair<string, object?>("endpoint", "east"), new("result", "ok"));
        calls.Add(5, new KeyValuePair<string, object?>("endpoint", "west"), new("result", "ok"));
        meter.CreateHistogram<double>("latency").Record(0.25);
        other.CreateCounter<long>("calls").Add(100);
        recorder.Collect();

        recorder.Sum("calls").Should().Be(7);
        recorder.Sum("calls", ("endpoint", "east"), ("result", "ok")).Should().Be(2);
        recorder.Sum("calls", ("endpoint", "north")).Should().Be(0);
        recorder.Values("latency").Should().Equal(0.25);
        recorder.Values("open").Should().Equal(3);
        recorder.Measurements.Should().HaveCount(4);
    }

    [LoggerMessage(1, LogLevel.Debug, "too low")]
    private static partial void TooLow(ILogger logger);

    [LoggerMessage(7, LogLevel.Warning, "Endpoint {Endpoint} ejected", EventName = "Ejected")]
    private static partial void Ejected(ILogger logger, string endpoint, Exception exception);
}
