namespace HaKit.Tests.Fuzz;

/// <summary>Runs the fuzzer's targets on its seeds, on seeds with some changed bytes, and on all inputs that a search has found (Fuzz/findings).</summary>
public sealed class FuzzTests
{
    public static TheoryData<string> Targets => [.. FuzzTargets.All.Keys];

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Targets))]
    public Task Seeds_with_some_bytes_changed_break_no_promise(string target)
    {
        var run = FuzzTargets.All[target];
        var random = new Random(1);
        var seeds = FuzzSeeds.Of(target).ToArray();
        seeds.Should().NotBeEmpty();
        foreach (var seed in seeds)
        {
            Try(run, seed);
            for (var i = 0; i < Effort.Of(200); i++)
            {
                byte[] changed = [.. seed];
                for (var times = 1 + random.Next(4); times > 0 && changed.Length > 0; times--)
                    changed = Change(random, changed, seeds);
                Try(run, changed);
            }
        }
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Targets))]
    public Task What_the_fuzzer_has_found_breaks_no_promise_any_more(string target)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Fuzz", "findings", target);
        if (Directory.Exists(folder))
        {
            foreach (var file in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
                Try(FuzzTargets.All[target], File.ReadAllBytes(file));
        }
        return Task.CompletedTask;
    }

    private static void Try(Action<byte[]> run, byte[] input)
    {
        try
        {
            run(input);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"{Convert.ToBase64String(input)}\n{System.Text.Encoding.Latin1.GetString(input)}", exception);
        }
    }

    private static byte[] Change(Random random, byte[] from, byte[][] seeds)
    {
        var at = random.Next(from.Length);
        var length = Math.Min(random.Next(1, 16), from.Length - at);
        switch (random.Next(5))
        {
            case 0:
                from[at] = (byte)random.Next(256);
                return from;
            case 1:
                return [.. from[..at], .. from[(at + length)..]];
            case 2:
                return [.. from[..at], .. from[at..(at + length)], .. from[at..]];
            case 3:
                from[at] ^= (byte)(1 << random.Next(8));
                return from;
            default:
                var other = seeds[random.Next(seeds.Length)];
                return [.. from[..at], .. other[random.Next(other.Length)..]];
        }
    }
}
