using System.Globalization;
using HaKit.Tool.WhatIf;

namespace HaKit.Tool.Tuning;

/// <summary>
/// A recording in parts of equal length. If the state of an endpoint is not known for a time, this time is run twice: with the endpoint down, and with the
/// endpoint up.
/// </summary>
internal sealed class RecordingTuningHistory : ITuningHistory
{
    private const int MostParts = 10;
    private const int LeastCalls = 200;

    private readonly RecordedWorld[] _parts;
    private readonly Func<EndpointPoolOptions> _settings;

    public RecordingTuningHistory(RecordedWorld world, Func<EndpointPoolOptions> settings)
    {
        _settings = settings;
        var parts = Math.Clamp(world.Calls.Count / LeastCalls, 1, MostParts);
        if (parts < 4)
            throw new UsageException($"The recording has {world.Calls.Count} calls: at least {4 * LeastCalls} are needed, for parts on which settings are tried and parts on which they are checked.");
        var length = world.Length / parts;
        _parts = [.. Enumerable.Range(0, parts).Select(i => world with { Calls = [.. world.Calls.Where(c => Math.Min(parts - 1, (int)(c.At / length)) == i)] }).Where(static p => p.Calls.Count > 0)];
        Parts = [.. _parts.Select(p => (world.From + p.Calls[0].At).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture))];
        Title = $"a recording of {world.Calls.Count} calls";
    }

    public string Title { get; }

    public IReadOnlyList<string> Parts { get; }

    public EndpointPoolOptions CreateSettings() => _settings();

    public PartFigures Run(int part, Action<EndpointPoolOptions> change)
    {
        var (down, up) = (Play(part, change, Unknown.IsDown), Play(part, change, Unknown.IsUp));
        return new PartFigures(down.Calls, 1 - down.Availability, 1 - up.Availability, (down.P99 + up.P99) / 2, (down.AttemptsPerCall + up.AttemptsPerCall) / 2);
    }

    private PoolFigures Play(int part, Action<EndpointPoolOptions> change, Unknown unknown)
    {
        var options = _settings();
        change(options);
        return PlayedRun.Run(_parts[part], options, unknown, part + 1).Figures;
    }
}
