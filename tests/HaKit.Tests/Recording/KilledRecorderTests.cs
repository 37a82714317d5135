using System.Diagnostics;
using System.Globalization;
using HaKit.Recording;

namespace HaKit.Tests.Recording;

/// <summary>Tests recordings of processes that were killed without a chance to finish.</summary>
public sealed class KilledRecorderTests
{
    private const string Victim = "HAKIT_RECORDING_VICTIM";

    [Fact]
    public async Task What_a_killed_process_had_written_is_read_whole()
    {
        var folder = Directory.CreateTempSubdirectory("hakit-killed-").FullName;
        var random = new Random(3);
        for (var kill = 0; kill < 5; kill++)
        {
            var before = Written(folder);
            using var process = Start(folder);
            while (Written(folder) < before + 4000 && !process.HasExited)
                await Task.Delay(20, TestContext.Current.CancellationToken);
            await Task.Delay(random.Next(400), TestContext.Current.CancellationToken);
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        var recording = FlightRecording.Read(folder);
        recording.Problems.Where(p => !p.Contains("ends in the middle of a block", StringComparison.Ordinal)).Should().BeEmpty();
        var recorders = recording.Events.GroupBy(e => e.Recorder).ToArray();
        recorders.Should().HaveCount(5);
        foreach (var recorder in recorders)
        {
            // A call is written after its attempt. There is only one caller, so its calls follow each other.
            var attempts = recorder.OfType<RecordedAttempt>().Select(a => a.Call).ToHashSet();
            var calls = recorder.OfType<RecordedCall>().Select(c => c.Number).Order().ToArray();
            calls.Should().NotBeEmpty();
            calls.Should().Equal(Enumerable.Range(1, calls.Length).Select(n => (long)n));
            attempts.Should().Contain(calls);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Victim_records_until_it_is_killed()
    {
        if (Environment.GetEnvironmentVariable(Victim) is not { } folder)
        {
            Assert.Skip("the process of another test");
            return;
        }
        var parts = new EndpointPoolParts().UseFlightRecorder(new FlightRecorderOptions { Folder = folder, FlushInterval = TimeSpan.FromMilliseconds(100) });
        var options = new EndpointPoolOptions { Endpoints = [new() { Name = "a" }, new() { Name = "b" }] };
        options.Heartbeat.Enabled = false;
        var pool = new EndpointPool("chat", options, parts);
        for (var i = 0; ; i++)
        {
            await pool.ExecuteAsync(new RequestProfile { InputTokens = i * 7919 % 100_003 }, 0, static (_, _, _) => new ValueTask<int>(1), TestContext.Current.CancellationToken);
            if (i % 20 == 0)
                await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    private static long Written(string folder) => new DirectoryInfo(folder).GetFiles().Sum(f => f.Length);

    private static Process Start(string folder)
    {
        var assembly = typeof(KilledRecorderTests).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", ["exec", assembly, "-method", string.Create(CultureInfo.InvariantCulture, $"{typeof(KilledRecorderTests).FullName}.{nameof(Victim_records_until_it_is_killed)}")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Victim] = folder;
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}
