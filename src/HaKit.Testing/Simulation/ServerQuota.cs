namespace HaKit.Testing;

/// <summary>An endpoint's own quotas: two buckets that fill up evenly and hold a minute's worth.</summary>
internal sealed class ServerQuota(ServiceModel model)
{
    private Bucket _tokens = new(model.TokensPerMinute);
    private Bucket _requests = new(model.RequestsPerMinute);

    /// <summary>Takes what a request needs.</summary>
    /// <returns>Zero, or how long until it would fit; then nothing was taken.</returns>
    public TimeSpan ReserveTokens(int tokens, TimeSpan now)
    {
        var seconds = Math.Max(_tokens.Lacks(tokens, now), _requests.Lacks(1, now));
        if (seconds > 0)
            return TimeSpan.FromSeconds(seconds);
        _tokens.Level -= tokens;
        _requests.Level--;
        return TimeSpan.Zero;
    }

    private struct Bucket(double capacity)
    {
        private readonly double _perMinute = capacity;
        private TimeSpan _at;

        public double Level = capacity;

        // More than a minute's worth never fits; it is told to come when the bucket is full.
        public double Lacks(double amount, TimeSpan now)
        {
            if (double.IsInfinity(_perMinute))
                return 0;
            Level = Math.Min(_perMinute, Level + _perMinute / 60 * (now - _at).TotalSeconds);
            _at = now;
            return amount <= Level ? 0 : Math.Max((Math.Min(amount, _perMinute) - Level) * 60 / _perMinute, 1e-3);
        }
    }
}
