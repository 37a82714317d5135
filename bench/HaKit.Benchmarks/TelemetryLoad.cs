using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace HaKit.Benchmarks;

/// <summary>
/// Measures the cost of telemetry for a call in processor time, so that other work of the machine hardly counts: <c>dotnet run -c Release --project
/// bench/HaKit.Benchmarks -- telemetry-load [calls=200000] [rounds=15]</c>. The variants take turns. The output has the lowest and the median round of each
/// variant.
/// </summary>
internal static class TelemetryLoad
{
    public static async Task<int> RunAsync(string[] args)
    {
        var given = args.Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p[^1]);
        var calls = int.Parse(given.GetValueOrDefault("calls", "200000"), CultureInfo.InvariantCulture);
        var rounds = int.Parse(given.GetValueOrDefault("rounds", "15"), CultureInfo.InvariantCulture);
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        foreach (var name in (string[])["a", "b", "c"])
            options.Endpoints.Add(new EndpointOptions { Name = name, Address = "http://127.0.0.1:9/v1" });
        var pool = new EndpointPool("load", options);
        (string Name, Func<IDisposable?> Listen)[] variants =
            [("no listener", static () => null), ("metrics", Metrics), ("metrics and every span", static () => new Both(Metrics(), Spans()))];
        var times = Array.ConvertAll(variants, _ => new List<double>());
        for (var round = -2; round < rounds; round++)
        {
            for (var i = 0; i < variants.Length; i++)
            {
                using (variants[i].Listen())
                {
                    var nanoseconds = await MeasureAsync(pool, calls);
                    if (round >= 0)
                        times[i].Add(nanoseconds);
                }
            }
        }

        for (var i = 0; i < variants.Length; i++)
        {
            times[i].Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{variants[i].Name,-24} least {times[i][0],6:0} ns   median {times[i][times[i].Count / 2],6:0} ns   more than without a listener: {times[i][0] - times[0][0],5:0} ns, {times[i][times[i].Count / 2] - times[0][times[0].Count / 2],5:0} ns"));
        }
        return 0;
    }

    private static async Task<double> MeasureAsync(EndpointPool pool, int calls)
    {
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        for (var i = 0; i < calls; i++)
            await pool.ExecuteAsync(i, static (_, state, _) => new ValueTask<int>(state));
        process.Refresh();
        return (process.TotalProcessorTime - before).TotalNanoseconds / calls;
    }

    private static MeterListener Metrics()
    {
        var sum = 0.0;
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "HaKit")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => sum += value);
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => sum += value);
        listener.Start();
        return listener;
    }

    private static ActivityListener Spans()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "HaKit",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private sealed class Both(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            first.Dispose();
            second.Dispose();
        }
    }
}
