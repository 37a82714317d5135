using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>The state of a replay: the calls in flight on each endpoint, and the remaining amounts of the limits. For use on one thread.</summary>
internal sealed class ReplayedPool
{
    private readonly ReplayScene _scene;
    private readonly ReplayedLimiter[] _limiters;
    private readonly ReplayedMember[] _members;
    private readonly uint _estimated;
    private readonly long _tokenCorrection; // the used tokens of a call minus the tokens that were estimated at its beginning
    private ReplayedChoice _choice;
    private double _endsPerBucket;
    private int _bucket;

    public ReplayedPool(ReplayScene scene)
    {
        _scene = scene;
        _limiters = [.. scene.Limiters.Select(static l => new ReplayedLimiter(l))];
        _members = [.. scene.Endpoints.Select(e => new ReplayedMember(e, [.. e.Limits.Select(l => _limiters[l])]))];
        _estimated = (uint)Math.Clamp(Math.Round(scene.EstimatedTokens), 1, int.MaxValue);
        _tokenCorrection = (long)Math.Round(scene.UsedTokens) - _estimated;
        _choice = new ReplayedChoice(scene.Policy, _members, _estimated);
    }

    public void Reset()
    {
        _bucket = 0;
        foreach (var limiter in _limiters)
            limiter.Reset();
        foreach (var member in _members)
            member.Reset();
        _choice = new ReplayedChoice(_scene.Policy, _members, _estimated);
        SumEndRates();
    }

    public void StopServing(bool[] isLost)
    {
        for (var i = 0; i < _members.Length; i++)
        {
            if (isLost[i])
                _members[i].StopServing();
        }
        _choice = new ReplayedChoice(_scene.Policy, _members, _estimated);
        SumEndRates();
    }

    public void BeginBucket()
    {
        _bucket++;
        foreach (var limiter in _limiters)
            limiter.BeginBucket();
        SumEndRates(); // recomputed in each bucket, so that rounding errors do not add up
    }

    public bool TryBegin(ref Dice dice)
    {
        if (_choice.Choose(ref dice) is not { } member)
            return false;
        member.Begin(_estimated, _bucket);
        if (member.EndsPerBucket > 0)
            _endsPerBucket += member.EndsPerBucket;
        else
            member.End(_bucket, _tokenCorrection, ref dice);
        return true;
    }

    /// <summary>
    /// Lets time pass, and ends the calls in flight that end in this time. The durations of calls are assumed to be exponentially distributed. So which call
    /// ends next does not depend on when the calls began.
    /// </summary>
    /// <param name="buckets">The time that passes, as a number of buckets.</param>
    /// <param name="dice">Draws the calls that end.</param>
    public void EndCalls(double buckets, ref Dice dice)
    {
        while (_endsPerBucket > 1e-9 && (buckets -= dice.NextExponential() / _endsPerBucket) > 0)
        {
            var drawn = dice.NextDouble() * _endsPerBucket;
            foreach (var member in _members)
            {
                if (member.InFlight == 0 || (drawn -= member.InFlight * member.EndsPerBucket) > 0)
                    continue;
                member.End(_bucket, _tokenCorrection, ref dice);
                _endsPerBucket -= member.EndsPerBucket;
                break;
            }
        }
    }

    private void SumEndRates()
    {
        _endsPerBucket = 0;
        foreach (var member in _members)
            _endsPerBucket += member.InFlight * member.EndsPerBucket;
    }
}
