namespace HaKit.Limits;

/// <summary>Measures the demand of a pool's calls: how many begin in a minute, and how many tokens each uses. Thread-safe and lock-free.</summary>
internal sealed class TrafficMeter
{
    private readonly StripedWindow _calls = new();
    private readonly StripedWindow _served = new();
    private readonly StripedWindow _tokens = new();
    private readonly StripedWindow _estimates = new();

    /// <summary>Records that a call began, even if the pool has no capacity for it.</summary>
    /// <param name="tokens">The tokens that the limits count for the call until its answer reports the usage; 0 if not known.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void RecordCall(long tokens, TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        _calls.Add(1, bucket);
        if (tokens > 0)
            _estimates.Add((uint)Math.Min(tokens, int.MaxValue), bucket);
    }

    /// <summary>Records that an attempt was served.</summary>
    /// <param name="tokens">The actual usage, or the estimate if the usage is not known.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void RecordServed(long tokens, TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        _served.Add(1, bucket);
        if (tokens > 0)
            _tokens.Add((uint)Math.Min(tokens, int.MaxValue), bucket);
    }

    /// <summary>Gets the calls that began in the last minute. A meter that is younger than a minute extrapolates from its age.</summary>
    public double CallsPerMinute(TimeSpan now) => now <= TimeSpan.Zero ? 0 : _calls.Spent(SlidingWindow.BucketOf(now)) * Math.Max(1, TimeSpan.FromMinutes(1) / now);

    /// <summary>Gets the tokens of one call. Null if no call was served in the last minute.</summary>
    public double? TokensPerCall(TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        return _served.Spent(bucket) is > 0 and var served ? (double)_tokens.Spent(bucket) / served : null;
    }

    /// <summary>
    /// Gets the tokens that the limits count for one call until its answer reports the usage: the mean of the last minute; 0 if no call is known.
    /// </summary>
    public double EstimatedTokensPerCall(TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        return _calls.Spent(bucket) is > 0 and var calls ? (double)_estimates.Spent(bucket) / calls : 0;
    }

    /// <summary>
    /// Gets the number of calls that began in each completed bucket of the last minute, the oldest first. A meter that is younger than a minute returns fewer
    /// buckets.
    /// </summary>
    public uint[] CallsPerBucket(TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        return _calls.ReadBuckets(bucket)[^(int)(1 + Math.Min(bucket, SlidingWindow.Buckets))..^1];
    }
}
