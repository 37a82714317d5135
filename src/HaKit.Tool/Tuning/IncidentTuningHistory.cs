using System.Globalization;
using HaKit.Tool.Simulations;

namespace HaKit.Tool.Tuning;

/// <summary>A history of reported incidents with one part per month.</summary>
internal sealed class IncidentTuningHistory : ITuningHistory
{
    private const double DaysInPart = 30.5;
    private const int LeastParts = 4;

    private readonly World _world;
    private readonly TimeSpan _length;

    public IncidentTuningHistory(World world)
    {
        _world = world;
        var parts = Math.Max(LeastParts, (int)Math.Round(world.History.Length.TotalDays / DaysInPart));
        _length = world.History.Length / parts;
        Parts = [.. Enumerable.Range(0, parts).Select(i => (world.History.From + _length * i).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))];
        Title = $"incidents of {string.Join(" and ", world.History.Services)}";
    }

    public string Title { get; }

    public IReadOnlyList<string> Parts { get; }

    public EndpointPoolOptions CreateSettings()
    {
        var options = new EndpointPoolOptions();
        _world.Pool(options);
        return options;
    }

    public PartFigures Run(int part, Action<EndpointPoolOptions> change)
    {
        var world = _world with { History = _world.History.Window(_length * part, _length), Seed = _world.Seed + part, Pool = _world.Pool + change };
        var (result, _) = world.Run(minorAsErrors: false, static _ => { });
        var lost = 1 - result.SuccessRate;
        return new PartFigures(result.Calls, lost, lost, result.Latency(0.99).TotalSeconds, result.AttemptsPerCall);
    }
}
