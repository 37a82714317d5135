using System.Diagnostics.CodeAnalysis;
using HaKit.Recording;
using HaKit.Testing;

namespace HaKit.Tool.WhatIf;

/// <summary>The results of one run.</summary>
/// <param name="IsLost">The lost calls, by their index in the recording.</param>
/// <param name="Figures">The figures of the pool.</param>
/// <param name="Endpoints">The figures of each endpoint.</param>
internal sealed record PlayedResult(bool[] IsLost, PoolFigures Figures, IReadOnlyList<PlayedEndpointFigures> Endpoints)
{
    /// <summary>Gets the share of the attempts whose answers are assumptions.</summary>
    public double AssumedShare => (double)Endpoints.Sum(static e => e.Assumed) / Math.Max(1, Endpoints.Sum(static e => e.Attempts));
}

/// <summary>The number of attempts on an endpoint, and how many of them have answers that the recording does not show.</summary>
internal sealed record PlayedEndpointFigures(string Name, long Attempts, long Assumed);

/// <summary>
/// Repeats the calls of a recording at their times through a real pool with other settings, over endpoints that answer as the recording predicts. In virtual
/// time, on one thread; the same seed gives the same run.
/// </summary>
internal sealed class PlayedRun : IDisposable
{
    private static readonly TimeSpan s_settling = TimeSpan.FromHours(6);

    private readonly RecordedWorld _world;
    private readonly ManualTimeProvider _time = new();
    private readonly Dictionary<string, PlayedEndpoint> _endpoints = new(StringComparer.Ordinal);
    private readonly EndpointPoolOptions _options;
    private readonly EndpointPool _pool;
    private readonly bool[] _isLost;
    private readonly List<double> _took = [];
    private int _inFlight;

    private PlayedRun(RecordedWorld world, EndpointPoolOptions options, Unknown unknown, int seed)
    {
        (_world, _options, _isLost) = (world, options, new bool[world.Calls.Count]);
        options.Seed = seed;
        var like = world.Endpoints.Values.Where(static t => t.HasTimes).MinBy(static t => t.Work.First(1000, 200) + t.Work.Rest(1000, 200));
        foreach (var endpoint in options.Endpoints)
        {
            var track = world.Endpoints.GetValueOrDefault(endpoint.Name);
            if (track is not { HasTimes: true } && like is not null)
                track = EndpointTrack.Unseen(endpoint.Name, like);
            if (track is null)
                throw new UsageException("No attempt of the recording was served, so the recording does not show the answer times of any endpoint.");
            _endpoints[endpoint.Name] = new PlayedEndpoint(track, track.ProbeLevel, _time, unknown, seed * 7919 + _endpoints.Count);
        }
        _time.ConfineToCurrentThread();
        _pool = new EndpointPool("what-if", options, new EndpointPoolParts { TimeProvider = _time, Probe = endpoint => _endpoints[endpoint.Name] });
    }

    public static PlayedResult Run(RecordedWorld world, EndpointPoolOptions options, Unknown unknown, int seed, Action<double>? progress = null)
    {
        using var run = new PlayedRun(world, options, unknown, seed);
        return run.Run(progress);
    }

    private PlayedResult Run(Action<double>? progress)
    {
        var calls = _world.Calls;
        for (var i = 0; i < calls.Count; i++)
        {
            MoveTo(calls[i].At);
            _ = CallAsync(calls[i], i);
            if (i % 4096 == 0)
                progress?.Invoke((double)i / calls.Count);
        }
        var end = _time.Elapsed + s_settling;
        while (_inFlight > 0 && _time.Elapsed < end && _time.AdvanceToNextTimer())
        {
        }
        return Result();
    }

    public void Dispose()
    {
        _pool.Dispose();
        foreach (var endpoint in _endpoints.Values)
            endpoint.Dispose();
    }

    private void MoveTo(TimeSpan at)
    {
        var by = at - _time.Elapsed;
        _time.Advance(by > TimeSpan.Zero ? by : TimeSpan.Zero);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Each exception that ends a call is a result.")]
    private async Task CallAsync(PastCall call, int number)
    {
        _inFlight++;
        _isLost[number] = true;
        var began = _time.Elapsed;
        // A call that used the pool's deadline gets the deadline of the new pool.
        var profile = call.Profile.Deadline == _world.UsualDeadline ? call.Profile with { Deadline = null } : call.Profile;
        try
        {
            if (call.IsStream)
                await ReadAsync(profile, call, number, began);
            else if (await _pool.ExecuteAsync(profile, (Run: this, call), static (attempt, s, token) => s.Run._endpoints[attempt.Endpoint.Name].ServeAsync(attempt, s.call, token)))
                Served(number, began);
        }
        catch (Exception)
        {
            // The call is lost.
        }
        _inFlight--;
    }

    private async Task ReadAsync(RequestProfile profile, PastCall call, int number, TimeSpan began)
    {
        var answer = await _pool.StreamAsync(
            profile, (Run: this, call), static (attempt, s, token) => new(s.Run._endpoints[attempt.Endpoint.Name].StreamAsync(attempt, s.call, token)), SignalReader.Instance);
        await using var _ = (IAsyncDisposable)answer;
        Served(number, began);
        while (await answer.MoveNextAsync())
        {
        }
    }

    private void Served(int number, TimeSpan began)
    {
        _isLost[number] = false;
        _took.Add((_time.Elapsed - began).TotalSeconds);
    }

    private PlayedResult Result()
    {
        var (calls, lost) = (0L, 0L);
        for (var i = 0; i < _isLost.Length; i++)
        {
            if (!_world.Calls[i].Counts)
                continue;
            calls++;
            lost += _isLost[i] ? 1 : 0;
        }
        double[] took = [.. _took.Order()];
        var attempts = _endpoints.Values.Sum(static e => e.Attempts);
        var figures = new PoolFigures
        {
            Calls = calls,
            Lost = lost,
            AttemptsPerCall = (double)attempts / Math.Max(1, _world.Calls.Count),
            P50 = PoolFigures.Quantile(took, 0.5),
            P99 = PoolFigures.Quantile(took, 0.99),
            Money = _options.Endpoints.Sum(e => (_endpoints[e.Name].InputTokens * e.InputTokenPrice + _endpoints[e.Name].OutputTokens * e.OutputTokenPrice) / 1e6),
        };
        return new PlayedResult(_isLost, figures, [.. _endpoints.Select(static e => new PlayedEndpointFigures(e.Key, e.Value.Attempts, e.Value.Assumed))]);
    }
}
