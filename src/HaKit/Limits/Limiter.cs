namespace HaKit.Limits;

/// <summary>
/// Applies the limits of one endpoint, or of one account that several endpoints share: concurrency, requests and tokens per minute, and the remaining amounts
/// that the server reports. Thread-safe and lock-free. All callers must use the same monotonic clock. Its origin does not matter.
/// </summary>
internal sealed class Limiter
{
    private readonly ServerQuota _serverRequests = new();
    private readonly ServerQuota _serverTokens = new();
    private readonly AdaptiveConcurrency _adaptive = new();
    private readonly bool _unlimited;
    // A window is kept and continues to count even when a reload removes its limit, because reservations in flight belong to it.
    private volatile SlidingWindow? _requests;
    private volatile SlidingWindow? _tokens;
    private volatile bool _isAdaptive;
    private volatile int _maxConcurrency = int.MaxValue;
    private int _inFlight;

    public Limiter(LimitOptions options) => UseOptions(options);

    private Limiter() => _unlimited = true;

    /// <summary>Gets the limiter of all endpoints without limits. It counts nothing and ignores the server's readings.</summary>
    public static Limiter Unlimited { get; } = new();

    public int InFlight => Volatile.Read(ref _inFlight);

    private int ConcurrencyLimit => _isAdaptive ? Math.Min(_maxConcurrency, _adaptive.Bound) : _maxConcurrency;

    /// <summary>Applies new limits. Past usage and calls in flight still count.</summary>
    public void UseOptions(LimitOptions options)
    {
        if (_unlimited)
            throw new InvalidOperationException("The shared unlimited limiter takes no options; make one of its own.");
        _maxConcurrency = options.MaxConcurrency ?? int.MaxValue;
        _isAdaptive = options.AdaptiveConcurrency;
        _requests = ApplyLimit(_requests, options.RequestsPerMinute);
        _tokens = ApplyLimit(_tokens, options.TokensPerMinute);
    }

    /// <summary>Reserves one concurrent attempt, one request and the tokens: all or nothing.</summary>
    /// <remarks>
    /// If one of the reservations fails, the earlier reservations are returned. Concurrency is reserved last, so that a call that fails on another limit never
    /// holds it. If a call is refused because of concurrency, calls in flight hold all of it. The end of one of them wakes a waiting call.
    /// </remarks>
    public bool TryReserve(long tokens, TimeSpan now, out LimitReservation reservation)
    {
        // TryReserveLimited is a separate method, so that callers inline the cheap check for endpoints without limits.
        if (!_unlimited)
            return TryReserveLimited(tokens, now, out reservation);
        reservation = default;
        return true;
    }

    private bool TryReserveLimited(long tokens, TimeSpan now, out LimitReservation reservation)
    {
        reservation = default;
        if (!HasRoomLimited(tokens, now))
            return false;
        var bucket = SlidingWindow.BucketOf(now);
        var amount = Amount(tokens);
        var parts = LimitParts.None;
        uint tokensIn = 0, requestsIn = 0;
        if (Reserve(_tokens, LimitParts.Tokens, amount, bucket, ref parts, ref tokensIn)
            && Reserve(_requests, LimitParts.Requests, 1, bucket, ref parts, ref requestsIn)
            && Reserve(_serverTokens, LimitParts.ServerTokens, amount, now, ref parts)
            && Reserve(_serverRequests, LimitParts.ServerRequests, 1, now, ref parts)
            && TryEnter(ref parts))
        {
            reservation = new LimitReservation(parts, amount, tokensIn, requestsIn);
            return true;
        }
        Cancel(new LimitReservation(parts, amount, tokensIn, requestsIn));
        return false;
    }

    /// <summary>Gets the number of tokens that the limit allows in a minute. <see cref="long.MaxValue"/>: any number.</summary>
    public long TokenLimit => LimitOf(_tokens) ?? long.MaxValue;

    /// <summary>Checks whether the limits can ever have capacity for the tokens. A call that is larger than the limit of a whole minute never fits.</summary>
    public bool CanHold(long tokens) => _tokens is not { } window || Amount(tokens) <= window.Limit;

    /// <summary>Checks whether <see cref="TryReserve"/> would succeed now. Takes nothing.</summary>
    public bool HasRoom(long tokens, TimeSpan now) => _unlimited || HasRoomLimited(tokens, now);

    private bool HasRoomLimited(long tokens, TimeSpan now)
    {
        if (Volatile.Read(ref _inFlight) >= ConcurrencyLimit)
            return false;
        var amount = Amount(tokens);
        if (!_serverRequests.HasRoom(1, now) || !_serverTokens.HasRoom(amount, now))
            return false;
        var tokenWindow = _tokens;
        var requestWindow = _requests;
        if (tokenWindow is null && requestWindow is null)
            return true;
        var bucket = SlidingWindow.BucketOf(now);
        return (tokenWindow is null || tokenWindow.HasRoom(amount, bucket))
            && (requestWindow is null || requestWindow.HasRoom(1, bucket));
    }

    /// <summary>
    /// Gets the earliest time at which <see cref="TryReserve"/> may succeed if no other call begins or ends until then: now if it may succeed already. <see
    /// cref="TimeSpan.MaxValue"/> if only the end of another call can help, or if the call can never fit.
    /// </summary>
    public TimeSpan AvailableAt(long tokens, TimeSpan now)
    {
        if (_unlimited)
            return now;
        if (Volatile.Read(ref _inFlight) >= ConcurrencyLimit)
            return TimeSpan.MaxValue;
        var amount = Amount(tokens);
        var at = LaterOf(_serverRequests.AvailableAt(1, now), _serverTokens.AvailableAt(amount, now));
        if (_tokens is { } tokenWindow)
            at = LaterOf(at, tokenWindow.AvailableAt(amount, now));
        if (_requests is { } requestWindow)
            at = LaterOf(at, requestWindow.AvailableAt(1, now));
        return at;
    }

    /// <summary>
    /// Settles a call that has ended. Its concurrency is released. The actual usage replaces the estimate in the bucket in which the call was accepted. Call it
    /// exactly once per reservation, instead of <see cref="Cancel"/>.
    /// </summary>
    /// <param name="reservation">The reservation of the call.</param>
    /// <param name="actualTokens">The actual usage, input and output together. Null: not known, so the estimate stays.</param>
    /// <param name="now">Not used, because the usage is corrected in the bucket of the reservation.</param>
    public void SettleTokens(in LimitReservation reservation, long? actualTokens, TimeSpan now)
    {
        if (reservation.Parts != LimitParts.None)
            SettleLimited(reservation, actualTokens);
    }

    private void SettleLimited(in LimitReservation reservation, long? actualTokens)
    {
        if (HasTaken(reservation, LimitParts.Tokens) && actualTokens is { } actual)
        {
            var more = Math.Max(0, actual) - reservation.Tokens;
            if (more > 0)
                _tokens!.Add(reservation.TokensIn, more);
            else if (more < 0)
                _tokens!.GiveBack(reservation.TokensIn, (uint)-more);
        }
        // Concurrency is released last, so that the next call sees the current tokens.
        if (HasTaken(reservation, LimitParts.Concurrency))
            Interlocked.Decrement(ref _inFlight);
    }

    /// <summary>
    /// Returns the whole reservation, including the request, because nothing was sent. Call it exactly once per reservation, instead of <see
    /// cref="SettleTokens"/>.
    /// </summary>
    public void Cancel(in LimitReservation reservation)
    {
        if (HasTaken(reservation, LimitParts.ServerRequests))
            _serverRequests.GiveBack(1);
        if (HasTaken(reservation, LimitParts.ServerTokens))
            _serverTokens.GiveBack(reservation.Tokens);
        if (HasTaken(reservation, LimitParts.Requests))
            _requests!.GiveBack(reservation.RequestsIn, 1);
        if (HasTaken(reservation, LimitParts.Tokens))
            _tokens!.GiveBack(reservation.TokensIn, reservation.Tokens);
        if (HasTaken(reservation, LimitParts.Concurrency))
            Interlocked.Decrement(ref _inFlight);
    }

    /// <summary>
    /// Applies the server's own numbers: the remaining amounts limit what is accepted until their reset, in addition to the configured limits.
    /// </summary>
    public void Observe(in QuotaReading reading, TimeSpan now)
    {
        if (_unlimited)
            return;
        if (reading.RequestsRemaining is { } requests and >= 0)
            _serverRequests.Observe(requests, reading.RequestsLimit, reading.RequestsReset, now);
        if (reading.TokensRemaining is { } tokens and >= 0)
            _serverTokens.Observe(AtLeast(tokens, reading.TokensLimit), reading.TokensLimit, reading.TokensReset, now);
    }

    /// <summary>Reserves a part of the limits on requests and tokens for other replicas; 0 for none.</summary>
    public void HoldForOthers(uint requests, uint tokens)
    {
        if (_requests is { } requestWindow)
            requestWindow.Held = requests;
        if (_tokens is { } tokenWindow)
            tokenWindow.Held = tokens;
    }

    /// <summary>
    /// Records a 429 or 503 of the server. Reduces the learned limit on concurrency if <see cref="LimitOptions.AdaptiveConcurrency"/> is set.
    /// </summary>
    public void RecordThrottle(TimeSpan now)
    {
        if (_isAdaptive)
            _adaptive.RecordThrottle(Math.Min(InFlight, _maxConcurrency), now);
    }

    /// <summary>Records a success of the server. Call it before settling, while the call still counts.</summary>
    public void RecordSuccess()
    {
        if (_isAdaptive && _adaptive.Bound < _maxConcurrency)
            _adaptive.RecordSuccess(InFlight);
    }

    /// <summary>
    /// Gets the utilization of the limit with the highest utilization: 0 is idle, 1 is full. It is above 1 if the actual usage was higher than the estimate.
    /// </summary>
    public double Utilization(TimeSpan now)
    {
        if (_unlimited)
            return 0;
        var bucket = SlidingWindow.BucketOf(now);
        var fullest = Math.Max(_serverRequests.Utilization(now), _serverTokens.Utilization(now));
        if (ConcurrencyLimit is var places and not int.MaxValue)
            fullest = Math.Max(fullest, (double)InFlight / places);
        return Math.Max(fullest, Math.Max(Utilization(_requests, bucket), Utilization(_tokens, bucket)));
    }

    /// <summary>Gets whether at most half of the places for concurrent attempts are taken. True without a limit on concurrency.</summary>
    public bool IsHalfFree => InFlight <= ConcurrencyLimit / 2;

    public LimitLevels Levels(TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        return new LimitLevels(
            InFlight,
            ConcurrencyLimit is var places and not int.MaxValue ? places : null,
            _requests?.Spent(bucket) ?? 0,
            LimitOf(_requests),
            _tokens?.Spent(bucket) ?? 0,
            LimitOf(_tokens),
            _serverRequests.Remaining(now),
            _serverTokens.Remaining(now));
    }

    /// <summary>Reads the amounts that count now, bucket by bucket, for predictions.</summary>
    public LimiterReading Read(TimeSpan now)
    {
        var bucket = SlidingWindow.BucketOf(now);
        return new LimiterReading(Read(_requests, bucket), Read(_tokens, bucket), ConcurrencyLimit is var places and not int.MaxValue ? places : null);
    }

    private static WindowReading? Read(SlidingWindow? window, uint bucket) =>
        LimitOf(window) is { } limit ? new WindowReading(Math.Max(0, limit - window!.Held), window.ReadBuckets(bucket)) : null;

    private static SlidingWindow? ApplyLimit(SlidingWindow? window, int? limit)
    {
        if (window is not null)
            window.Limit = (uint?)limit ?? SlidingWindow.NoLimit;
        else if (limit is { } known)
            window = new SlidingWindow((uint)known);
        return window;
    }

    private static bool Reserve(SlidingWindow? window, LimitParts part, uint amount, uint bucket, ref LimitParts parts, ref uint takenIn)
    {
        if (window is null)
            return true;
        if (!window.TryTake(amount, bucket, out takenIn))
            return false;
        parts |= part;
        return true;
    }

    private static bool Reserve(ServerQuota quota, LimitParts part, uint amount, TimeSpan now, ref LimitParts parts)
    {
        if (!quota.TryTake(amount, now, out var taken))
            return false;
        if (taken)
            parts |= part;
        return true;
    }

    private bool TryEnter(ref LimitParts parts)
    {
        while (true)
        {
            var inFlight = Volatile.Read(ref _inFlight);
            if (inFlight >= ConcurrencyLimit)
                return false;
            if (Interlocked.CompareExchange(ref _inFlight, inFlight + 1, inFlight) != inFlight)
                continue;
            parts |= LimitParts.Concurrency;
            return true;
        }
    }

    private static bool HasTaken(in LimitReservation reservation, LimitParts part) => (reservation.Parts & part) != 0;

    // Every call costs at least one token, because a call of unknown size must not be admitted when the quota is exhausted. The maximum is above any possible
    // limit.
    private static uint Amount(long tokens) => (uint)Math.Clamp(tokens, 1, (long)uint.MaxValue - 1);

    // A server may round to the nearest thousand, so the true amount may be up to 500 lower. A full quota is not rounded.
    private static long AtLeast(long remaining, long? limit) =>
        remaining > 0 && remaining % 1000 == 0 && remaining != limit ? remaining - 500 : remaining;

    private static int? LimitOf(SlidingWindow? window) => window is null || window.Limit == SlidingWindow.NoLimit ? null : (int)window.Limit;

    private static double Utilization(SlidingWindow? window, uint bucket) =>
        LimitOf(window) is { } limit ? (double)window!.Spent(bucket) / limit : 0;

    private static TimeSpan LaterOf(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
