using HaKit.Attempts;
using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>One endpoint of a replay.</summary>
/// <param name="Tier">The place of its tier in the order in which tiers are used, from 0.</param>
/// <param name="Weight">Its weight.</param>
/// <param name="Serves">Whether health lets calls to it.</param>
/// <param name="HeldSeconds">For how long an attempt holds its place, in the mean; 0 where that is not known.</param>
/// <param name="InFlight">Attempts in flight.</param>
/// <param name="Limits">The limiters that it must have room in, by their places in <see cref="ReplayScene.Limiters"/>: its own and its account's.</param>
internal sealed record ReplayedEndpoint(int Tier, double Weight, bool Serves, double HeldSeconds, int InFlight, IReadOnlyList<int> Limits);

/// <summary>A pool as it stands, and what is asked of it.</summary>
internal sealed record ReplayScene
{
    /// <summary>Its endpoints, those that serve nothing included.</summary>
    public required IReadOnlyList<ReplayedEndpoint> Endpoints { get; init; }

    /// <summary>All limiters; several endpoints may share one.</summary>
    public required IReadOnlyList<LimiterReading> Limiters { get; init; }

    /// <summary>How endpoints are chosen.</summary>
    public required SelectionPolicy Policy { get; init; }

    /// <summary>When calls come.</summary>
    public required ReplayedLoad Load { get; init; }

    /// <summary>What the limits count for a call when it begins.</summary>
    public required double EstimatedTokens { get; init; }

    /// <summary>What they count for it when it has ended.</summary>
    public required double UsedTokens { get; init; }

    /// <summary>Whether the load runs for a minute before the loss, because the windows do not yet hold what it leaves in them.</summary>
    public required bool RunsBefore { get; init; }
}

/// <summary>What came of a replay.</summary>
/// <param name="Calls">Calls that came once the windows had turned over.</param>
/// <param name="Lost">Those of them that found no room.</param>
internal readonly record struct ReplayResult(long Calls, long Lost)
{
    public double LostShare => Calls == 0 ? 0 : (double)Lost / Calls;
}

/// <summary>
/// Plays the load through what is left of a pool, bucket by bucket, in the pool's own arithmetic: sliding windows, places for calls in flight, tiers and the choice
/// among endpoints. A pure function: the same scene has the same result.
/// </summary>
/// <remarks>
/// Ratios do not do: when a window filled decides how it lets calls through while it is full. It lets them in a few at a time if it filled evenly, all at once and
/// then none if it filled in a burst, and so again a minute later. Places for calls in flight lose least beside the first and most beside the second. No call waits: one
/// that finds no room is lost.
/// </remarks>
internal sealed class LossReplay
{
    private const int Turn = SlidingWindow.Buckets + 1;

    // Enough for an error of half a point, on as many replays of a small load as that takes.
    private const double EnoughCalls = 10_000;
    private const int MostReplays = 40;

    // So many calls a minute are played one by one; of a larger load one call stands for several. Places then are so many that chance does little.
    private const double MostCallsPerMinute = 60_000;

    private readonly ReplayScene _scene;
    private readonly ReplayedPool _pool;
    private readonly bool[] _isLost;
    private readonly int _measured;
    private readonly List<double> _arrivals = [];
    private Dice _dice = new(new Chance(1));
    private long _calls;
    private long _lost;

    private LossReplay(ReplayScene scene, bool[] isLost)
    {
        _scene = scene;
        _isLost = isLost;
        // Two turns of the windows; of a large load one says as much.
        _measured = scene.Load.CallsPerMinute >= 2 * EnoughCalls ? Turn : 2 * Turn;
        _pool = new ReplayedPool(scene);
    }

    /// <param name="scene">The pool and its load.</param>
    /// <param name="isLost">Which of its endpoints are lost.</param>
    public static ReplayResult Run(ReplayScene scene, bool[] isLost)
    {
        if (scene.Load.CallsPerMinute <= 0)
            return new(0, 0);
        var replay = new LossReplay(Thinning.Thin(scene, MostCallsPerMinute), isLost);
        var callsOfOne = replay._scene.Load.CallsPerMinute * replay._measured / SlidingWindow.Buckets;
        var replays = scene.Load.IsRepeated ? 1 : (int)Math.Clamp(Math.Ceiling(EnoughCalls / callsOfOne), 1, MostReplays);
        for (var i = 0; i < replays; i++)
            replay.RunOnce();
        return new(replay._calls, replay._lost);
    }

    private void RunOnce()
    {
        _pool.Reset();
        var bucket = 0;
        if (_scene.RunsBefore)
        {
            for (; bucket < Turn; bucket++)
                Play(bucket);
        }
        _pool.Lose(_isLost);
        for (var end = bucket + Turn; bucket < end; bucket++)
            Play(bucket);
        for (var end = bucket + _measured; bucket < end; bucket++)
        {
            var lost = Play(bucket);
            _calls += _arrivals.Count;
            _lost += lost;
        }
    }

    private int Play(int bucket)
    {
        _pool.MoveOn();
        _scene.Load.Draw(bucket, ref _dice, _arrivals);
        var lost = 0;
        var at = 0.0;
        foreach (var arrival in _arrivals)
        {
            _pool.EndCalls(arrival - at, ref _dice);
            at = arrival;
            if (!_pool.TryBegin(ref _dice))
                lost++;
        }
        _pool.EndCalls(1 - at, ref _dice);
        return lost;
    }
}
