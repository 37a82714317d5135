using System.Diagnostics;
using System.Globalization;

namespace HaKit.Benchmarks;

/// <summary>
/// The variants of <see cref="HttpBenchmarks"/> side by side in one process, in turns of short slices: processor time per call, the least of all slices, and bytes
/// per call. What the machine does meanwhile hits all variants alike, so the ratios hold on a busy one too.
/// </summary>
internal static class HttpRatio
{
    private const int CallsPerSlice = 20_000;

    public static async Task<int> RunAsync(string[] args)
    {
        var slices = args is [var given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : 12;
        foreach (var asynchronous in (bool[])[false, true])
        {
            using var bench = new HttpBenchmarks { Asynchronous = asynchronous };
            bench.Setup();
            (string Name, Func<Task<int>> Call)[] variants =
            [
                ("bare", bench.Bare), ("Polly by hand", bench.PollyByHand), ("standard handler", bench.StandardHandler), ("hedging handler", bench.HedgingHandler), ("pool", bench.Pooled),
            ];
            var least = new (double Nanoseconds, double Bytes)[variants.Length];
            Array.Fill(least, (double.MaxValue, double.MaxValue));
            for (var slice = 0; slice < slices; slice++)
            {
                for (var i = 0; i < variants.Length; i++)
                {
                    var measured = await SliceAsync(variants[i].Call).ConfigureAwait(false);
                    least[i] = (Math.Min(least[i].Nanoseconds, measured.Nanoseconds), Math.Min(least[i].Bytes, measured.Bytes));
                }
            }

            Console.WriteLine(asynchronous ? "answered later" : "answered at once");
            for (var i = 0; i < variants.Length; i++)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {variants[i].Name,-18} {least[i].Nanoseconds,8:0} ns  {least[i].Bytes,6:0} B  {least[i].Nanoseconds / least[2].Nanoseconds:0.00} x the standard handler"));
        }
        return 0;
    }

    private static async Task<(double Nanoseconds, double Bytes)> SliceAsync(Func<Task<int>> call)
    {
        using var process = Process.GetCurrentProcess();
        var bytes = GC.GetTotalAllocatedBytes();
        var before = process.TotalProcessorTime;
        for (var i = 0; i < CallsPerSlice; i++)
            await call().ConfigureAwait(false);
        process.Refresh();
        return ((process.TotalProcessorTime - before).TotalNanoseconds / CallsPerSlice, (double)(GC.GetTotalAllocatedBytes() - bytes) / CallsPerSlice);
    }
}
