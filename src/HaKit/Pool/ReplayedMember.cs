using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>One endpoint in a replay. For use on one thread.</summary>
internal sealed class ReplayedMember
{
    // The pool's estimate gives the newest answer three tenths of the weight, so it varies by about this share.
    private const double Spread = 0.4;

    private readonly ReplayedEndpoint _endpoint;
    private readonly ReplayedLimiter[] _limiters;
    // The buckets in which the calls in flight began. At the end of a call, limits correct the tokens in this bucket.
    private readonly List<int> _began = [];

    public ReplayedMember(ReplayedEndpoint endpoint, ReplayedLimiter[] limiters)
    {
        (_endpoint, _limiters) = (endpoint, limiters);
        var seconds = (double)SlidingWindow.BucketTicks / TimeSpan.TicksPerSecond;
        EndsPerBucket = endpoint.HeldSeconds > 0 ? seconds / endpoint.HeldSeconds : 0;
    }

    public int Tier => _endpoint.Tier;

    public double Weight => _endpoint.Weight;

    public bool Serves { get; private set; }

    public int InFlight => _began.Count;

    /// <summary>Gets the rate per bucket at which one call in flight ends. 0 if calls end at once, because their duration is not known.</summary>
    public double EndsPerBucket { get; }

    public void Reset()
    {
        Serves = _endpoint.Serves;
        _began.Clear();
        for (var i = 0; i < (EndsPerBucket > 0 ? _endpoint.InFlight : 0); i++)
        {
            _began.Add(0);
            foreach (var limiter in _limiters)
                limiter.AddInFlight();
        }
    }

    /// <summary>Stops the endpoint. Its calls in flight fail.</summary>
    public void StopServing()
    {
        Serves = false;
        foreach (var _ in _began)
            ReleasePlaces(0, 0);
        _began.Clear();
    }

    public bool HasRoom(uint tokens)
    {
        foreach (var limiter in _limiters)
        {
            if (!limiter.HasRoom(tokens))
                return false;
        }
        return true;
    }

    public void Begin(uint tokens, int bucket)
    {
        foreach (var limiter in _limiters)
            limiter.TakePlace(tokens);
        _began.Add(bucket);
    }

    /// <summary>Ends one of the endpoint's calls in flight.</summary>
    public void End(int bucket, long moreTokens, ref Dice dice)
    {
        var ended = dice.Next(_began.Count);
        var began = _began[ended];
        _began[ended] = _began[^1];
        _began.RemoveAt(_began.Count - 1);
        ReleasePlaces(bucket - began, moreTokens);
    }

    /// <summary>
    /// Returns the cost of selecting the endpoint: its expected time after the calls in flight. The pool's estimate of that time changes with each answer, so
    /// the faster of two equal endpoints changes at random.
    /// </summary>
    public double Score(SelectionPolicy policy, ref Dice dice)
    {
        var held = _endpoint.HeldSeconds > 0 ? _endpoint.HeldSeconds : 1;
        var seconds = policy.IsLatencyAware ? held * (1 - Spread + 2 * Spread * dice.NextDouble()) : 1;
        return policy.IsLoadAware ? seconds * (1 + InFlight / Weight) : seconds;
    }

    private void ReleasePlaces(int bucketsAgo, long moreTokens)
    {
        foreach (var limiter in _limiters)
            limiter.SettleTokens(bucketsAgo, moreTokens);
    }
}
