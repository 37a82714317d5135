namespace HaKit.Testing;

/// <summary>The quotas of a scripted endpoint: two token buckets that fill at a constant rate and hold one minute's amount.</summary>
internal sealed class ServerQuota(ServiceModel model)
{
    private Bucket _tokens = new(model.TokensPerMinute);
    private Bucket _requests = new(model.RequestsPerMinute);

    /// <summary>Takes the tokens and the request from the buckets if both have enough.</summary>
    /// <returns>Zero if the tokens and the request were taken. Otherwise the time until the buckets have enough; nothing was taken.</returns>
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

        // A request for more than one minute's amount never fits. Its wait is the time until the bucket is full.
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
