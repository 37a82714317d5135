using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using HaKit.Faults;
using HaKit.Health;
using Polly;

namespace HaKit.Attempts;

/// <summary>
/// Represents one attempt in flight on one endpoint. The attempt counts as load until the lease is completed. The completion reports the evidence exactly once,
/// on any thread. A lease is reused, unless other code may still have its token: after a cancellation, an abandoned attempt or a stream. A holder compares <see
/// cref="Version"/> to detect that its attempt is over. All data of one attempt is in one struct, so that <see cref="TryReset"/> clears all of it.
/// </summary>
internal sealed class Lease
{
    // A timer that fires later than this shows that the process was paused, or that its threads were busy. Timers of the system are late by less.
    private static readonly TimeSpan LateTimer = TimeSpan.FromMilliseconds(100);

    private readonly AttemptCancellation _cancellation = new();
    private readonly AttemptEnd _end = new();
    private AttemptData _data;
    private bool _mayBeHeld;
    private int _completed;

    public EndpointState State => _data.State;

    /// <summary>Gets the endpoint as it was when the attempt began. A reload may replace the endpoint of <see cref="State"/> during the attempt.</summary>
    public PoolEndpoint Endpoint => _data.Endpoint;

    public int Version { get; private set; }

    /// <summary>Gets the number of the call, unique within the pool.</summary>
    public long CallNumber => _data.CallNumber;

    /// <summary>
    /// Gets the number of the first call for the same request. It differs from the call's number if a handler above the pool repeats the request.
    /// </summary>
    public long RequestNumber => _data.RequestNumber;

    /// <summary>Gets the number of the attempt; 1 for the first attempt of a call.</summary>
    public int Number => _data.Number;

    public TimeSpan Started => _data.Started;

    public TimeSpan Deadline => _data.Deadline;

    /// <summary>Gets when the attempt first delivered content. Null while it is silent.</summary>
    public TimeSpan? FirstContentAt => TimeOf(in _data.FirstContentAt);

    /// <summary>Gets when the endpoint last showed that it is working on the attempt. Before the first such sign, this is the start of the attempt.</summary>
    public TimeSpan LastSignAt => _data.LastSignAt;

    /// <summary>Gets or sets the time at which the attempt times out if it is still silent.</summary>
    public TimeSpan SilentUntil
    {
        get => _data.SilentUntil;
        set => _data.SilentUntil = value;
    }

    /// <summary>
    /// Gets or sets whether <see cref="SilentUntil"/> comes from a known limit. A limit is known if it was learned from the endpoint's own times, or if it is a
    /// setting. Otherwise the attempt may be kept beyond <see cref="SilentUntil"/>.
    /// </summary>
    public bool IsLimitKnown
    {
        get => !_data.IsLimitUnknown;
        set => _data.IsLimitUnknown = !value;
    }

    /// <summary>Gets the time since which the attempt is kept although it is silent beyond its limit. Null if it is not kept.</summary>
    public TimeSpan? KeptSince => TimeOf(in _data.KeptSince);

    /// <summary>Gets or sets the time at which the attempt times out in any case.</summary>
    public TimeSpan EndsAt
    {
        get => _data.EndsAt;
        set => _data.EndsAt = value;
    }

    /// <summary>Gets the time at which the attempt times out in its current state.</summary>
    public TimeSpan TimeoutAt => FirstContentAt is null ? SilentUntil : EndsAt;

    /// <summary>Gets the idempotency key, which is the same for all attempts of a call. The string is created only when it is read.</summary>
    public string IdempotencyKey => _data.GivenKey ?? _data.KeyPrefix + _data.CallNumber.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>Gets or sets the fault of the attempt. Null: none. <see cref="Failover.EndpointGuard"/> sets it when the attempt ends.</summary>
    public Fault? Fault
    {
        get => _data.Fault;
        set => _data.Fault = value is null ? null : WithoutSecret(value);
    }

    /// <summary>Gets or sets the fault that the callback reported, for results that are failures without an exception.</summary>
    public Fault? Declared
    {
        get => _data.Declared;
        set => _data.Declared = value is null ? null : WithoutSecret(value);
    }

    /// <summary>Gets or sets the endpoint's credential that the attempt sends, if it came from code. Null: the options have it, or there is none.</summary>
    public string? UsedCredential
    {
        get => _data.UsedCredential;
        set => _data.UsedCredential = value;
    }

    /// <summary>Gets or sets the caller's credentials, if the attempt sends them. Null: it does not.</summary>
    public ICallerCredentials? CallerCredentials
    {
        get => _data.CallerCredentials;
        set => _data.CallerCredentials = value;
    }

    /// <summary>Removes the code of a fault if the code occurs in a credential that the attempt sends, because the server has then quoted a secret.</summary>
    public Fault WithoutSecret(Fault fault) =>
        fault.Code is { Length: > 0 } code && CallerCredentials?.HasPart(Endpoint, code) == true ? fault with { Code = null } : Endpoint.WithoutOwnSecret(fault, UsedCredential);

    /// <summary>Gets or sets the token of the caller.</summary>
    public CancellationToken CallerToken
    {
        get => _data.CallerToken;
        set => _data.CallerToken = value;
    }

    /// <summary>Gets or sets the context of this attempt. The context is returned to its pool when the attempt is over.</summary>
    public ResilienceContext? Context { get; set; }

    /// <summary>Gets the fault for which the pool cancelled the attempt. Null if the pool did not cancel it.</summary>
    public Fault? CancelledFor => _cancellation.Reason;

    /// <summary>Gets or sets whether the attempt is for a stream. Its time to the first content is then measured, not its whole duration.</summary>
    public bool IsStream
    {
        get => _data.IsStream;
        set => _data.IsStream = value;
    }

    /// <summary>
    /// Gets or sets whether the answer is a stream that continues after the attempt's callback has returned. The holder of the stream then completes the
    /// lease.
    /// </summary>
    public bool IsHandedOver
    {
        get => _data.IsHandedOver;
        set
        {
            _data.IsHandedOver = value;
            _mayBeHeld |= value;
        }
    }

    /// <summary>Gets or sets the kind of the request.</summary>
    public RequestKind Request
    {
        get => _data.Request;
        set => _data.Request = value;
    }

    /// <summary>Gets or sets the call of the attempt, for code that checks whether another endpoint is left. Null if no code needs it.</summary>
    public IAttemptOwner? Owner
    {
        get => _data.Owner;
        set => _data.Owner = value;
    }

    /// <summary>Gets or sets whether the attempt is the trial that tests whether an outage is over.</summary>
    public bool AsksOutage
    {
        get => _data.AsksOutage;
        set => _data.AsksOutage = value;
    }

    /// <summary>
    /// Gets or sets whether the attempt may run on beyond its known limit on silence. True for the trial of an outage, unless the call or the settings limit
    /// the attempts or the waiting of the call. A call with such a limit must end, or make its next attempt, when its attempt has been silent up to the limit.
    /// </summary>
    public bool MayOutlastLimit
    {
        get => _data.MayOutlastLimit;
        set => _data.MayOutlastLimit = value;
    }

    /// <summary>Gets or sets whether the attempt is a retry or hedge that the retry budget paid for.</summary>
    public bool IsPaid
    {
        get => _data.IsPaid;
        set => _data.IsPaid = value;
    }

    /// <summary>Gets or sets the span of the call. Null if the call is not traced.</summary>
    public Activity? CallSpan
    {
        get => _data.Trace.CallSpan;
        set => _data.Trace.CallSpan = value;
    }

    /// <summary>Gets or sets the span of the attempt.</summary>
    public Activity? Span
    {
        get => _data.Trace.Span;
        set => _data.Trace.Span = value;
    }

    /// <summary>
    /// Gets or sets when the call began. This is set only if the call has handed over its stream; the call's span then ends with this attempt. Null: the call
    /// ends its span itself.
    /// </summary>
    public TimeSpan? CallStarted
    {
        get => _data.Trace.CallStarted;
        set => _data.Trace.CallStarted = value;
    }

    public bool IsTrial => _data.Ticket.IsTrial;

    public bool IsCompleted => Volatile.Read(ref _completed) != 0;

    public bool IsAttemptDone => _end.IsDone;

    public CancellationToken Token => _cancellation.Token;

    /// <summary>Gets the number of tokens in the prompt as estimated before the call; 0 when not known.</summary>
    public long EstimatedInputTokens => _data.EstimatedInputTokens;

    public long? InputTokens => _data.InputTokens.Value;

    public long? OutputTokens => _data.OutputTokens.Value;

    /// <summary>Gets how many of <see cref="InputTokens"/> came from the provider's cache.</summary>
    public long? CachedTokens => _data.CachedTokens.Value;

    public PoolClock Clock => _data.Clock;

    /// <summary>
    /// Begins an attempt: reserves capacity within all limits of the endpoint and its account. False if there is not enough capacity, or if the endpoint's health
    /// does not admit the attempt; nothing is then reserved.
    /// </summary>
    public bool TryBegin(EndpointState state, BeginMode mode, long inputTokens, long tokens, int number, TimeSpan deadline, PoolClock clock, TimeSpan now)
    {
        var reservation = new AttemptReservation();
        if (!reservation.TryTake(state, tokens, now))
            return false;
        // The attempt is counted before it is admitted. So if an operator takes the endpoint out and then reads zero attempts in flight, no attempt can begin
        // afterwards.
        var silence = state.RecordStart(inputTokens, now);
        if (!state.Health.TryBegin(mode, now, out var ticket))
        {
            state.UndoStart(silence);
            reservation.Cancel(state);
            return false;
        }
        // The data was cleared when the lease was returned. The fields are set one by one, because copying the whole struct costs more than the rest of this
        // method.
        _data.State = state;
        _data.Endpoint = state.Endpoint;
        _data.Ticket = ticket;
        _data.Reservation = reservation;
        _data.Silence = silence;
        _data.Clock = clock;
        _data.Number = number;
        _data.Started = now;
        _data.LastSignAt = now;
        _data.Deadline = deadline;
        _data.EstimatedInputTokens = inputTokens;
        _data.EstimatedTokens = tokens;
        _completed = 0;
        return true;
    }

    /// <summary>
    /// Records that the first content of the answer has arrived. If the attempt is a half-open trial, the trial has now succeeded. The time to the first content
    /// is learned.
    /// </summary>
    public void RecordFirstContent(TimeSpan now)
    {
        if (FirstContentAt is not null || IsCompleted)
            return;
        _data.FirstContentAt.Value = now.Ticks;
        State.RecordAnswer(now, Started);
        _data.Trace.RecordFirstContent(State, now - Started);
        AttemptEstimates.RecordFirstSign(this, TryBreakSilence(), now);
        State.Health.RecordFirstContent(_data.Ticket, now);
    }

    /// <summary>
    /// Records that the endpoint works on the attempt. The limit on the attempt's silence then starts again. Returns false when three quarters of the attempt's
    /// time have passed. The caller then gets the stream before its first content, because another attempt would not have enough time.
    /// </summary>
    public bool RecordProgress(TimeSpan now)
    {
        if (FirstContentAt is not null || IsCompleted)
            return true;
        AttemptEstimates.RecordFirstSign(this, TryBreakSilence(), now);
        var patience = SilentUntil - LastSignAt;
        _data.LastSignAt = now;
        SilentUntil = patience < EndsAt - now ? now + patience : EndsAt;
        return EndsAt - now > (EndsAt - Started) / 4;
    }

    /// <summary>
    /// Moves the limit that the attempt has reached if the timer of this limit was late. The process was then paused or busy, and the answer may have arrived in
    /// the meantime without being read. The attempt gets the lost time back once, at most as long as its limit. False if the timer was on time.
    /// </summary>
    public bool TryMakeUpForLateTimer(TimeSpan now)
    {
        var limit = TimeoutAt;
        var late = now - limit;
        if (late < LateTimer || _data.HasMadeUp)
            return false;
        _data.HasMadeUp = true;
        var length = limit - LastSignAt;
        var more = late < length ? late : length;
        var until = more < Deadline - now ? now + more : Deadline;
        EndsAt = EndsAt < until ? until : EndsAt;
        SilentUntil = until;
        return until > now;
    }

    /// <summary>
    /// Keeps the silent attempt beyond its limit, to its end. Either the limit is not known (<see cref="IsLimitKnown"/>), so the answer may need this time, or the
    /// attempt is the trial of an outage (<see cref="MayOutlastLimit"/>). A second attempt may start beside it.
    /// </summary>
    public void KeepUntilEnd(TimeSpan now)
    {
        _data.KeptSince.Value = now.Ticks;
        SilentUntil = EndsAt;
    }

    /// <summary>Records that the trial is silent for longer than usual, although the attempt goes on. The next trial of the endpoint may begin.</summary>
    public void RecordSilentTrial(TimeSpan now) => State.Health.RecordSilentTrial(in _data.Ticket, now);

    public void Identify(string? givenKey, string keyPrefix, long callNumber, long requestNumber) =>
        (_data.GivenKey, _data.KeyPrefix, _data.CallNumber, _data.RequestNumber) = (givenKey, keyPrefix, callNumber, requestNumber);

    public void CountTokens(long? input, long? output, long? cached = null)
    {
        _data.CachedTokens.Value = KeepPlausible(cached) ?? CachedTokens;
        _data.InputTokens.Value = KeepPlausible(input) ?? InputTokens;
        _data.OutputTokens.Value = KeepPlausible(output) ?? OutputTokens;
    }

    /// <summary>Reads the remaining limits from the server's headers, for an endpoint that has limits.</summary>
    public void Observe(HttpResponseHeaders headers, TimeProvider time)
    {
        if (!State.IsLimited || IsCompleted)
            return;
        var reading = QuotaHeaders.Read(headers, State.Endpoint.Dialect, time.GetUtcNow());
        State.Limiter.Observe(in reading, Clock.Now);
    }

    /// <summary>
    /// Reports the evidence and releases the reserved capacity. Only the first call of this method has an effect; it may come from any thread.
    /// </summary>
    public bool Complete(Fault? fault, TimeSpan now)
    {
        if (Interlocked.Exchange(ref _completed, 1) != 0)
            return false;
        var tokens = LimitTokens;
        if (fault is { Kind: FaultKind.CallerCancelled } && FirstContentAt is null)
            fault = CallerSilence.FaultOf(this, _data.Ticket, fault, now);
        AttemptEstimates.RecordEnd(this, TryBreakSilence(), fault, now);
        if (fault is null)
            State.RecordServed(Started);
        var firstContentAt = FirstContentAt;
        State.RecordEnd(fault, now, (firstContentAt ?? now) - Started, firstContentAt);
        if (fault is null)
        {
            State.RecordHeldTime(now - Started);
            State.Traffic?.RecordServed(tokens ?? _data.EstimatedTokens, now);
            State.Health.Complete(_data.Ticket, null, now);
        }
        else
        {
            State.Health.Complete(_data.Ticket, fault, now, State.Calls, State.InFlight, State.ServedBegan);
        }

        _data.Reservation.Release(State, fault, tokens, IsTrial, now);
        _data.Trace.End(this, fault, now);
        return true;
    }

    /// <summary>Cancels the attempt's token and stores the reason. Callbacks that are registered on the token run inside this call.</summary>
    public void Cancel(Fault why) => _cancellation.Cancel(why);

    /// <summary>Gets the delegate to attach to the attempt's task. It calls <paramref name="wake"/> unless the attempt was abandoned first.</summary>
    public Action WhenDone(Action wake) => _end.WhenDone(wake);

    /// <summary>Abandons a running attempt; <paramref name="attempt"/> cleans up when it ends. False if it has already ended.</summary>
    public bool TryAbandon(IAbandonedAttempt attempt) => _end.TryAbandon(attempt);

    public void GiveBackContext()
    {
        if (Context is { } context)
            ResilienceContextPool.Shared.Return(context);
        Context = null;
    }

    /// <summary>
    /// Makes the lease ready for another attempt. False after a cancellation, an abandoned attempt or a stream, because other code may still have its token.
    /// </summary>
    public bool TryReset()
    {
        if (_end.IsAbandoned)
            return false;
        GiveBackContext();
        if (_mayBeHeld || !_cancellation.TryReset())
            return false;
        Version++;
        _end.Reset();
        var clock = _data.Clock;
        _data = default;
        _data.Clock = clock; // a late holder may read the remaining time before it detects that its attempt is over
        return true;
    }

    // The number of tokens that the account's limits count for this answer. Null if the answer reported none.
    private long? LimitTokens
    {
        get
        {
            if (InputTokens is null && OutputTokens is null)
                return null;
            var free = State.Endpoint.LimitsCountCachedTokens ? 0 : Math.Min(CachedTokens ?? 0, InputTokens ?? 0);
            return (InputTokens ?? 0) + (OutputTokens ?? 0) - free;
        }
    }

    // A server may report any number. A count that no call can have is ignored, so that it overflows no sum and uses up no limit.
    private static long? KeepPlausible(long? tokens) => tokens is >= 0 and <= int.MaxValue ? tokens : null;

    private static TimeSpan? TimeOf(in OptionalNumber ticks) => ticks.Value is { } value ? new TimeSpan(value) : null;

    // First content and completion may come from two threads. Only one of these threads ends the silence and records its length.
    private bool TryBreakSilence()
    {
        var mark = Interlocked.Exchange(ref _data.Silence, 0);
        if (mark == 0)
            return false;
        State.Silence.RecordEnd(mark);
        return true;
    }

    private struct AttemptData
    {
        public EndpointState State;
        public PoolEndpoint Endpoint;
        public HealthTicket Ticket;
        public AttemptReservation Reservation;
        public AttemptTrace Trace;
        public long Silence;
        public PoolClock Clock;
        public int Number;
        public TimeSpan Started;
        public TimeSpan LastSignAt;
        public TimeSpan Deadline;
        public TimeSpan SilentUntil;
        public TimeSpan EndsAt;
        public OptionalNumber FirstContentAt;
        public OptionalNumber KeptSince;
        public IAttemptOwner? Owner;
        public bool IsLimitUnknown;
        public bool HasMadeUp;
        public long EstimatedInputTokens;
        public long EstimatedTokens;
        public OptionalNumber InputTokens;
        public OptionalNumber OutputTokens;
        public OptionalNumber CachedTokens;
        public Fault? Fault;
        public Fault? Declared;
        public string? UsedCredential;
        public ICallerCredentials? CallerCredentials;
        public CancellationToken CallerToken;
        public string? GivenKey;
        public string KeyPrefix;
        public long CallNumber;
        public long RequestNumber;
        public RequestKind Request;
        public bool IsStream;
        public bool IsHandedOver;
        public bool AsksOutage;
        public bool MayOutlastLimit;
        public bool IsPaid;
    }
}
