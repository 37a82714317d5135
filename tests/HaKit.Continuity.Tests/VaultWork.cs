using System.Diagnostics;
using System.Globalization;

namespace HaKit.Continuity.Tests;

/// <summary>The work of the process that is killed: it saves, prunes and syncs a small vault of two folders without end.</summary>
internal static class VaultWork
{
    public static readonly string Key = Convert.ToBase64String(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray());

    /// <param name="folder">The folder that contains the two folders of the vault.</param>
    /// <param name="round">The number of the round. Each round is 4 h later than the previous round, so that the announcements of a killed process have
    /// expired: a sweep after 10 min, an intent after 3 h.</param>
    public static Vault Open(string folder, int round)
    {
        var options = new VaultOptions { Grace = TimeSpan.Zero };
        options.Keys["1"] = Key;
        foreach (var name in (string[])["a", "b"])
        {
            options.Destinations.Add(new VaultDestinationOptions { Name = name, Folder = Path.Combine(folder, name) });
        }
        return Vault.Create("killed", options, time: new LaterTime(TimeSpan.FromHours(4 * round)));
    }

    /// <summary>The content of a source is a function of its number, and the first file contains the number.</summary>
    public static IReadOnlyDictionary<string, byte[]> ContentOf(int number)
    {
        var random = new Random(number);
        var content = new Dictionary<string, byte[]> { ["number"] = System.Text.Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)), ["steady"] = new byte[5000] };
        for (var i = 0; i < 4; i++)
        {
            // Some content occurs again, so that a prune deletes chunks that the next save needs.
            var bytes = new byte[20_000];
            new Random(random.Next(6)).NextBytes(bytes);
            content[$"file{i}"] = bytes;
        }
        return content;
    }

    public static async Task UntilKilledAsync(string folder, int round)
    {
        await using var vault = Open(folder, round);
        var source = Path.Combine(folder, "source");
        Directory.CreateDirectory(source);
        Console.Out.WriteLine("works");
        for (var number = round * 1000; ; number++)
        {
            foreach (var (name, bytes) in ContentOf(number))
            {
                await File.WriteAllBytesAsync(Path.Combine(source, name), bytes);
            }
            await StepAsync("save", () => vault.SaveAsync(source, new VaultSaveOptions { Rehash = true }));
            await StepAsync("prune", () => vault.PruneAsync(new VaultPruneOptions { KeepLast = 3 }));
            await StepAsync("sync", () => vault.SyncAsync());
        }

        static async Task StepAsync(string name, Func<Task> step)
        {
            Console.Out.WriteLine(name);
            Console.Out.Flush();
            await step();
        }
    }

    /// <summary>Saves, and returns the duration and the largest memory of the process.</summary>
    public static async Task SaveMeasuredAsync(string source, string place)
    {
        var options = new VaultOptions();
        options.Keys["1"] = Key;
        options.Destinations.Add(new VaultDestinationOptions { Name = "a", Folder = place });
        await using var vault = Vault.Create("measured", options);
        var began = Stopwatch.GetTimestamp();
        var saved = await vault.SaveAsync(source);
        var took = Stopwatch.GetElapsedTime(began);
        // The resident set includes the files of the runtime, which every .NET process maps. The rest is at least the memory that the process allocated.
        var (most, files) = (Kilobytes("VmHWM"), Kilobytes("RssFile"));
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{took.TotalSeconds:0.00} {most} {most - files} {saved.Files} {saved.ChunksSent} {saved.BytesSent}"));
    }

    /// <summary>Does nothing, and returns the largest memory of the process.</summary>
    public static Task MeasuredAsync()
    {
        Console.Out.WriteLine(Kilobytes("VmHWM"));
        return Task.CompletedTask;
    }

    private static long Kilobytes(string name) => long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    private sealed class LaterTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
