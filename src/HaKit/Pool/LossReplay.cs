using HaKit.Attempts;
using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>One endpoint of a replay.</summary>
/// <param name="Tier">The index of the endpoint's tier in the order in which tiers are used, from 0.</param>
/// <param name="Weight">The endpoint's weight.</param>
/// <param name="Serves">True if the endpoint's health admits calls.</param>
/// <param name="HeldSeconds">The mean duration of an attempt in seconds; 0 if it is not known.</param>
/// <param name="InFlight">The number of attempts in flight.</param>
/// <param name="Limits">The limiters of the endpoint and its account, as indexes in <see cref="ReplayScene.Limiters"/>. A call needs free capacity in all of them.</param>
internal sealed record ReplayedEndpoint(int Tier, double Weight, bool Serves, double HeldSeconds, int InFlight, IReadOnlyList<int> Limits);

/// <summary>The current state of a pool, and the load on it.</summary>
internal sealed record ReplayScene
{
    /// <summary>Gets the endpoints, including endpoints that serve nothing.</summary>
    public required IReadOnlyList<ReplayedEndpoint> Endpoints { get; init; }

    /// <summary>Gets all limiters. Several endpoints may share one.</summary>
    public required IReadOnlyList<LimiterReading> Limiters { get; init; }

    /// <summary>Gets the selection policy.</summary>
    public required SelectionPolicy Policy { get; init; }

    /// <summary>Gets the arrival times of the calls.</summary>
    public required ReplayedLoad Load { get; init; }

    /// <summary>Gets the tokens that the limits count for a call when it begins.</summary>
    public required double EstimatedTokens { get; init; }

    /// <summary>Gets the tokens that the limits count for a call after it has ended.</summary>
    public required double UsedTokens { get; init; }

    /// <summary>Gets whether the load runs for one minute before the loss, because the windows do not yet contain its effect.</summary>
    public required bool RunsBefore { get; init; }
}

/// <summary>The result of a replay.</summary>
/// <param name="Calls">The number of calls that arrived after the windows had turned over.</param>
/// <param name="Lost">The number of these calls that found no free capacity.</param>
internal readonly record struct ReplayResult(long Calls, long Lost)
{
    public double LostShare => Calls == 0 ? 0 : (double)Lost / Calls;
}

/// <summary>
/// Sends the load through the remaining endpoints of a pool, bucket by bucket, with the pool's own arithmetic: sliding windows, limits on calls in flight,
/// tiers and the selection of endpoints. A pure function: the same scene gives the same result.
/// </summary>
/// <remarks>
/// A ratio of demand and capacity is not enough. A window that filled evenly admits a few new calls at a time. A window that filled in a burst admits many
/// calls at once and then none, and does the same a minute later. A limit on calls in flight refuses the fewest calls when calls arrive evenly, and the most
/// calls when they arrive in bursts. No call waits: a call that finds no free capacity is lost.
/// </remarks>
internal sealed class LossReplay
{
    private const int Turn = SlidingWindow.Buckets + 1;

    // Enough calls for an error of half a point. A small load is replayed several times to reach this number.
    private const double EnoughCalls = 10_000;
    private const int MostReplays = 40;

    // Up to this many calls per minute are replayed one by one. In a larger load, one replayed call represents several calls; chance then has little effect.
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
        // The calls of two whole windows are counted. For a large load, one window is equally accurate.
        _measured = scene.Load.CallsPerMinute >= 2 * EnoughCalls ? Turn : 2 * Turn;
        _pool = new ReplayedPool(scene);
    }

    /// <param name="scene">The pool and its load.</param>
    /// <param name="isLost">The lost endpoints, by index.</param>
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
        _pool.StopServing(_isLost);
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
        _pool.BeginBucket();
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
