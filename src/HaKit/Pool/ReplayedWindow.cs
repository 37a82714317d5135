using HaKit.Limits;

namespace HaKit.Pool;

/// <summary>The copy of a <see cref="SlidingWindow"/> that a replay moves on by itself: the same buckets and the same rule, for one thread.</summary>
internal sealed class ReplayedWindow(WindowReading reading)
{
    private const int Length = SlidingWindow.Buckets + 1;

    private readonly uint[] _taken = new uint[Length];
    private long _spent;
    private int _at;

    public void Reset()
    {
        (_spent, _at) = (0, Length - 1);
        for (var i = 0; i < Length; i++)
            _spent += _taken[i] = reading.Taken[i];
    }

    /// <summary>The next bucket begins, and the oldest one counts no more.</summary>
    public void MoveOn()
    {
        _at = _at == Length - 1 ? 0 : _at + 1;
        _spent -= _taken[_at];
        _taken[_at] = 0;
    }

    public bool HasRoom(uint amount) => _spent + amount <= reading.Limit;

    public void TakeAmount(uint amount)
    {
        _taken[_at] += amount;
        _spent += amount;
    }

    /// <summary>Counts more or less for something that was taken so many buckets ago.</summary>
    public void Correct(int bucketsAgo, long by)
    {
        if (bucketsAgo >= Length)
            return;
        ref var taken = ref _taken[(_at - bucketsAgo + Length) % Length];
        by = Math.Max(by, -taken);
        taken = (uint)(taken + by);
        _spent += by;
    }
}

/// <summary>The copy of a <see cref="Limiter"/>: places for calls in flight, requests and tokens.</summary>
internal sealed class ReplayedLimiter(LimiterReading reading)
{
    private readonly ReplayedWindow? _requests = reading.Requests is { } requests ? new(requests) : null;
    private readonly ReplayedWindow? _tokens = reading.Tokens is { } tokens ? new(tokens) : null;
    private readonly int _places = reading.Places ?? int.MaxValue;
    private int _inFlight;

    public bool CountsTokens => _tokens is not null;

    public void Reset()
    {
        _inFlight = 0;
        _requests?.Reset();
        _tokens?.Reset();
    }

    public void MoveOn()
    {
        _requests?.MoveOn();
        _tokens?.MoveOn();
    }

    public bool HasRoom(uint tokens) => _inFlight < _places && _requests?.HasRoom(1) != false && _tokens?.HasRoom(tokens) != false;

    public void TakePlace(uint tokens)
    {
        _inFlight++;
        _requests?.TakeAmount(1);
        _tokens?.TakeAmount(tokens);
    }

    /// <summary>A call that was in flight already when the replay began.</summary>
    public void Enter() => _inFlight++;

    public void SettleTokens(int bucketsAgo, long moreTokens)
    {
        _inFlight--;
        if (moreTokens != 0)
            _tokens?.Correct(bucketsAgo, moreTokens);
    }
}
