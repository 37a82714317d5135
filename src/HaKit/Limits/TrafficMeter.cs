namespace HaKit.Limits;

/// <summary>What a pool's calls ask for: how many begin in a minute, and how many tokens each uses. Thread-safe and lock-free.</summary>
internal sealed class TrafficMeter
{
    private readonly StripedWindow _calls = new();
    private readonly StripedWindow _served = new();
    private readonly StripedWindow _tokens = new();

    /// <summary>A call began, whether or not there is room for it.</summary>
    public void CallBegan(TimeSpan now) => _calls.Add(1, SlidingWindow.BucketOf(now));

    /// <summary>An attempt was served.</summary>
    /// <param name="tokens">What it used, or the estimate where that is not known.</param>
    /// <param name="now">When.</param>
    public void Served(long tokens, TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        _served.Add(1, bucket);
        if (tokens > 0)
            _tokens.Add((uint)Math.Min(tokens, int.MaxValue), bucket);
    }

    /// <summary>Calls that began in the last minute. A meter that is younger counts for its age.</summary>
    public double CallsPerMinute(TimeSpan now) => now <= TimeSpan.Zero ? 0 : _calls.Spent(SlidingWindow.BucketOf(now)) * Math.Max(1, TimeSpan.FromMinutes(1) / now);

    /// <summary>Tokens of one call; null where none was served in the last minute.</summary>
    public double? TokensPerCall(TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        return _served.Spent(bucket) is > 0 and var served ? (double)_tokens.Spent(bucket) / served : null;
    }
}
