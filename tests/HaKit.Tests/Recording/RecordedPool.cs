using HaKit.Recording;
using HaKit.Testing;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Recording;

/// <summary>Creates a pool in virtual time that is recorded to a temporary folder.</summary>
internal sealed class RecordedPool : IDisposable
{
    private readonly ILoggerFactory _loggers;

    public RecordedPool(
        int endpoints = 2, Action<FlightRecorderOptions>? recorder = null, Action<EndpointPoolOptions>? pool = null, Action<EndpointPoolParts>? parts = null,
        Func<string, Stream>? open = null, Action<string>? delete = null)
    {
        Folder = Directory.CreateTempSubdirectory("hakit-recording-").FullName;
        _loggers = Logs.CreateFactory();
        var options = new FlightRecorderOptions { Folder = Folder };
        recorder?.Invoke(options);
        Test = TestPools.Create(endpoints, pool, made =>
        {
            made.LoggerFactory = _loggers;
            made.Recorder = scope => Recorder = new FlightRecorder(options, scope, open, delete);
            parts?.Invoke(made);
        });
    }

    public string Folder { get; }

    public LogRecorder Logs { get; } = new();

    public TestPool Test { get; }

    public FlightRecorder Recorder { get; private set; } = null!;

    /// <summary>Gets the log lines of the recorder.</summary>
    public IEnumerable<RecordedLog> Told => Logs.Entries.Where(l => l.Category == "HaKit.Recording");

    /// <summary>Disposes the pool and reads its recording.</summary>
    public FlightRecording Read()
    {
        Test.Dispose();
        return FlightRecording.Read(Folder);
    }

    public void Dispose()
    {
        Test.Dispose();
        _loggers.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
