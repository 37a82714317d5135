using System.Globalization;
using System.Text;

namespace HaKit.Tool.Simulations;

/// <summary>One setting of a pool and the values to try.</summary>
internal sealed record SweptSetting(string Name, IReadOnlyList<(string Text, Action<EndpointPoolOptions> Set)> Values);

/// <summary>The results of the history with one value of one setting.</summary>
internal sealed record SweepRow(string Setting, string Value, RunFigures Run);

/// <summary>Finds the settings that matter for a history: runs the history repeatedly, each time with one setting changed.</summary>
internal sealed class Sweep(IReadOnlyList<SweptSetting> settings)
{
    private static readonly SweptSetting[] All =
    [
        Times("ejection", (o, t) => { o.CircuitBreaker.BreakDuration = t; o.CircuitBreaker.MaxBreakDuration = t > o.CircuitBreaker.MaxBreakDuration ? t : o.CircuitBreaker.MaxBreakDuration; }, 1, 5, 30, 120),
        Times("ejection.max", (o, t) => o.CircuitBreaker.MaxBreakDuration = t, 30, 300, 1800),
        Counts("ejection.failures", (o, n) => o.CircuitBreaker.FailuresToEject = n, 2, 5, 20),
        Times("heartbeat.interval", (o, t) => o.Heartbeat.Interval = t, 5, 10, 60),
        Times("ramp", (o, t) => o.CircuitBreaker.SlowStartDuration = t, 0, 30, 300),
        Times("deadline", (o, t) => o.TotalRequestTimeout.Timeout = t, 30, 60, 100),
        Counts("attempts", (o, n) => o.Retry.MaxRetryAttempts = n - 1, 1, 2, 6),
        Counts("budget", (o, n) => o.RetryBudget.Cap = n, 0, 10, 100),
    ];

    public static IEnumerable<string> Names => All.Select(s => s.Name);

    /// <param name="names">The names of the settings, separated by commas, or "all".</param>
    /// <exception cref="UsageException">A name is unknown.</exception>
    public static Sweep Parse(string names)
    {
        if (names == "all")
            return new(All);
        var given = names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (given.Length == 0)
            throw new UsageException($"--sweep is '{names}', which names no setting. The names are {string.Join(", ", Names)}.");
        return new([.. given.Select(name => Array.Find(All, s => s.Name == name) ?? throw new UsageException($"--sweep names '{name}', which is no setting. The names are {string.Join(", ", Names)}."))]);
    }

    /// <summary>Runs the history without changes, and once for each value of each setting.</summary>
    public IReadOnlyList<SweepRow> Run(World world, Func<string, (Progress Progress, Action<double> Show)> watch)
    {
        List<SweepRow> rows = [Row("as it is", "", world)];
        foreach (var setting in settings)
        {
            foreach (var (value, set) in setting.Values)
                rows.Add(Row(setting.Name, value, world with { Pool = options => { world.Pool(options); set(options); } }));
        }
        return rows;

        SweepRow Row(string name, string value, World changed)
        {
            var (progress, show) = watch($"{name} {value}");
            var (result, cameInVain) = changed.Run(minorAsErrors: false, show);
            return new(name, value, RunFigures.From(result, cameInVain, progress.Took));
        }
    }

    /// <summary>Returns the rows as a table: each setting's values, the losses and the costs.</summary>
    public static string Render(IReadOnlyList<SweepRow> rows)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"setting",-20}{"value",8}{"served",12}{"lost",10}{"attempts",12}{"p99",10}{"ejections",11}");
        foreach (var (setting, value, run) in rows)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{setting,-20}{value,8}{SimulateText.Up(run.Unavailability),12}{run.Lost,10}{run.AttemptsPerCall,12:0.0000}{run.P99,8:0.00} s{run.Ejections,11}");
        }
        return text.ToString().TrimEnd();
    }

    private static SweptSetting Times(string name, Action<EndpointPoolOptions, TimeSpan> set, params double[] seconds) => new(name,
        [.. seconds.Select(s => (string.Create(CultureInfo.InvariantCulture, $"{s} s"), (Action<EndpointPoolOptions>)(o => set(o, TimeSpan.FromSeconds(s)))))]);

    private static SweptSetting Counts(string name, Action<EndpointPoolOptions, int> set, params int[] counts) => new(name,
        [.. counts.Select(n => (n.ToString(CultureInfo.InvariantCulture), (Action<EndpointPoolOptions>)(o => set(o, n))))]);
}
