using HaKit.Limits;

namespace HaKit.Pool;

/// <summary>A copy of a <see cref="SlidingWindow"/> for a replay, with the same buckets and the same rule. Not thread-safe.</summary>
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

    /// <summary>Begins the next bucket. The oldest bucket no longer counts.</summary>
    public void BeginBucket()
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

    /// <summary>Corrects an amount that was taken the given number of buckets ago.</summary>
    public void CorrectAmount(int bucketsAgo, long by)
    {
        if (bucketsAgo >= Length)
            return;
        ref var taken = ref _taken[(_at - bucketsAgo + Length) % Length];
        by = Math.Max(by, -taken);
        taken = (uint)(taken + by);
        _spent += by;
    }
}

/// <summary>A copy of a <see cref="Limiter"/> for a replay: calls in flight, requests and tokens. Not thread-safe.</summary>
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

    public void BeginBucket()
    {
        _requests?.BeginBucket();
        _tokens?.BeginBucket();
    }

    public bool HasRoom(uint tokens) => _inFlight < _places && _requests?.HasRoom(1) != false && _tokens?.HasRoom(tokens) != false;

    public void TakePlace(uint tokens)
    {
        _inFlight++;
        _requests?.TakeAmount(1);
        _tokens?.TakeAmount(tokens);
    }

    /// <summary>Adds a call that was already in flight when the replay began.</summary>
    public void AddInFlight() => _inFlight++;

    public void SettleTokens(int bucketsAgo, long moreTokens)
    {
        _inFlight--;
        if (moreTokens != 0)
            _tokens?.CorrectAmount(bucketsAgo, moreTokens);
    }
}
