using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using HaKit.Faults;
using HaKit.Health;
using Polly;

namespace HaKit.Attempts;

/// <summary>
/// One attempt in flight on one endpoint. It counts as load until it is completed, and completing it reports the evidence exactly once, on whatever thread.
/// Leases of plain calls are used again; <see cref="Version"/> tells a late holder that its attempt is over. Everything that belongs to one attempt is in one
/// struct, so that <see cref="TryReset"/> forgets nothing.
/// </summary>
internal sealed class Lease
{
    private readonly AttemptCancellation _cancellation = new();
    private readonly AttemptEnd _end = new();
    private AttemptData _data;
    private bool _mayBeHeld;
    private int _completed;

    public EndpointState State => _data.State;

    public int Version { get; private set; }

    /// <summary>The number of its call, unique within the pool.</summary>
    public long CallNumber => _data.CallNumber;

    /// <summary>The number of the first call that was made for the same request: a handler above the pool may send a request again.</summary>
    public long RequestNumber => _data.RequestNumber;

    /// <summary>One for the first attempt of a call.</summary>
    public int Number => _data.Number;

    public TimeSpan Started => _data.Started;

    public TimeSpan Deadline => _data.Deadline;

    /// <summary>When it was first known to deliver content; null while it is silent.</summary>
    public TimeSpan? FirstContentAt => _data.FirstContentAt;

    /// <summary>When it last showed that it is at work; from its beginning until it first did.</summary>
    public TimeSpan HeardAt => _data.HeardAt;

    /// <summary>When this attempt is to be given up if it is still silent.</summary>
    public TimeSpan SilentUntil
    {
        get => _data.SilentUntil;
        set => _data.SilentUntil = value;
    }

    /// <summary>Was <see cref="SilentUntil"/> learned from the endpoint's own times, or given? Otherwise the attempt may be kept beyond it.</summary>
    public bool IsLimitKnown
    {
        get => !_data.IsLimitUnknown;
        set => _data.IsLimitUnknown = !value;
    }

    /// <summary>Since when it has been kept although it is silent for longer than its limit; null: it has not.</summary>
    public TimeSpan? KeptSince => _data.KeptSince;

    /// <summary>When it is to be given up in any case.</summary>
    public TimeSpan EndsAt
    {
        get => _data.EndsAt;
        set => _data.EndsAt = value;
    }

    /// <summary>When it is to be given up as things stand.</summary>
    public TimeSpan TimeoutAt => FirstContentAt is null ? SilentUntil : EndsAt;

    /// <summary>Same for all attempts of a call. Written out only when something asks for it.</summary>
    public string IdempotencyKey => _data.GivenKey ?? _data.KeyPrefix + _data.CallNumber.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>What the attempt's failure means; null for none. Set by the guard.</summary>
    public Fault? Fault
    {
        get => _data.Fault;
        set => _data.Fault = value;
    }

    /// <summary>What the callback itself says of its answer, for results that are failures without an exception.</summary>
    public Fault? Declared
    {
        get => _data.Declared;
        set => _data.Declared = value;
    }

    /// <summary>The token of the call's caller.</summary>
    public CancellationToken CallerToken
    {
        get => _data.CallerToken;
        set => _data.CallerToken = value;
    }

    /// <summary>The context of this attempt, to be given back when it is over.</summary>
    public ResilienceContext? Context { get; set; }

    /// <summary>Why the pool cancelled the attempt, if it did.</summary>
    public Fault? CancelledFor => _cancellation.Reason;

    /// <summary>The attempt is for a stream: it is measured by its first content.</summary>
    public bool IsStream
    {
        get => _data.IsStream;
        set => _data.IsStream = value;
    }

    /// <summary>The answer is a stream that goes on after the attempt's callback has returned: the stream's holder completes the lease.</summary>
    public bool IsHandedOver
    {
        get => _data.IsHandedOver;
        set
        {
            _data.IsHandedOver = value;
            _mayBeHeld |= value;
        }
    }

    /// <summary>What the call asks for.</summary>
    public RequestKind Request
    {
        get => _data.Request;
        set => _data.Request = value;
    }

    /// <summary>The call that it is an attempt of, for what must know whether another endpoint is left; null when nothing asks.</summary>
    public IAttemptOwner? Owner
    {
        get => _data.Owner;
        set => _data.Owner = value;
    }

    /// <summary>It is the one trial that asks whether an outage is over.</summary>
    public bool AsksOutage
    {
        get => _data.AsksOutage;
        set => _data.AsksOutage = value;
    }

    /// <summary>It repeats something, and the budget paid for it.</summary>
    public bool IsPaid
    {
        get => _data.IsPaid;
        set => _data.IsPaid = value;
    }

    /// <summary>The span of the call that it is part of, if anything follows it.</summary>
    public Activity? CallSpan
    {
        get => _data.Trace.CallSpan;
        set => _data.Trace.CallSpan = value;
    }

    /// <summary>Its own span.</summary>
    public Activity? Span
    {
        get => _data.Trace.Span;
        set => _data.Trace.Span = value;
    }

    /// <summary>When the call began whose span ends with this attempt, because the call has handed its stream over; null: the call ends its span itself.</summary>
    public TimeSpan? CallStarted
    {
        get => _data.Trace.CallStarted;
        set => _data.Trace.CallStarted = value;
    }

    public bool IsTrial => _data.Ticket.IsTrial;

    public bool IsCompleted => Volatile.Read(ref _completed) != 0;

    public bool IsAttemptDone => _end.IsDone;

    public CancellationToken Token => _cancellation.Token;

    /// <summary>Tokens of the prompt as estimated before the call; 0 when not known.</summary>
    public long EstimatedInputTokens => _data.EstimatedInputTokens;

    public long? InputTokens => _data.InputTokens;

    public long? OutputTokens => _data.OutputTokens;

    /// <summary>Of <see cref="InputTokens"/>, those that a cache of the provider's held.</summary>
    public long? CachedTokens => _data.CachedTokens;

    public PoolClock Clock => _data.Clock;

    /// <summary>Takes a place on the endpoint, or nothing at all.</summary>
    public bool TryBegin(EndpointState state, BeginMode mode, long inputTokens, long tokens, int number, TimeSpan deadline, PoolClock clock, TimeSpan now)
    {
        var reservation = new AttemptReservation();
        if (!reservation.TryTake(state, tokens, now))
            return false;
        // Counted before it is admitted: an operator that takes the endpoint out and then sees nothing in flight sees the truth.
        var silence = state.Began(inputTokens, now);
        if (!state.Health.TryBegin(mode, now, out var ticket))
        {
            state.NeverBegan(silence);
            reservation.Cancel(state);
            return false;
        }
        // It was cleared when it was put away; field by field, because copying the whole of it costs more than the rest of this method.
        _data.State = state;
        _data.Ticket = ticket;
        _data.Reservation = reservation;
        _data.Silence = silence;
        _data.Clock = clock;
        _data.Number = number;
        _data.Started = now;
        _data.HeardAt = now;
        _data.Deadline = deadline;
        _data.EstimatedInputTokens = inputTokens;
        _data.EstimatedTokens = tokens;
        _completed = 0;
        return true;
    }

    /// <summary>The endpoint has shown life: a trial is decided, and the time to first content is learned.</summary>
    public void FirstContent(TimeSpan now)
    {
        if (FirstContentAt is not null || IsCompleted)
            return;
        _data.FirstContentAt = now;
        State.RecordAnswer(now, Started);
        _data.Trace.FirstContent(State, now - Started);
        AttemptLessons.LearnFirstSign(this, TryBreakSilence(), now);
        State.Health.FirstContent(_data.Ticket, now);
    }

    /// <summary>It is at work, and may be silent for as long again. False once three quarters of its time are gone: another attempt would hardly have enough.</summary>
    public bool Progressed(TimeSpan now)
    {
        if (FirstContentAt is not null || IsCompleted)
            return true;
        AttemptLessons.LearnFirstSign(this, TryBreakSilence(), now);
        var patience = SilentUntil - HeardAt;
        _data.HeardAt = now;
        SilentUntil = patience < EndsAt - now ? now + patience : EndsAt;
        return EndsAt - now > (EndsAt - Started) / 4;
    }

    /// <summary>Its limit has passed, and it goes on to its end all the same: no other endpoint would answer sooner.</summary>
    public void KeepUntilEnd(TimeSpan now)
    {
        _data.KeptSince = now;
        SilentUntil = EndsAt;
    }

    public void Identify(string? givenKey, string keyPrefix, long callNumber, long requestNumber) =>
        (_data.GivenKey, _data.KeyPrefix, _data.CallNumber, _data.RequestNumber) = (givenKey, keyPrefix, callNumber, requestNumber);

    public void CountTokens(long? input, long? output, long? cached = null)
    {
        _data.CachedTokens = Plausible(cached) ?? CachedTokens;
        _data.InputTokens = Plausible(input) ?? InputTokens;
        _data.OutputTokens = Plausible(output) ?? OutputTokens;
    }

    /// <summary>Takes over what the server says is left of its limits, for an endpoint that has limits.</summary>
    public void Observe(HttpResponseHeaders headers, TimeProvider time)
    {
        if (!State.IsLimited || IsCompleted)
            return;
        var reading = QuotaHeaders.Read(headers, State.Endpoint.Dialect, time.GetUtcNow());
        State.Limiter.Observe(in reading, Clock.Now);
    }

    /// <summary>Reports the evidence and frees the place. Only the first call counts; any thread may make it.</summary>
    public bool Complete(Fault? fault, TimeSpan now)
    {
        if (Interlocked.Exchange(ref _completed, 1) != 0)
            return false;
        var tokens = LimitTokens;
        if (fault is { Kind: FaultKind.CallerCancelled } && FirstContentAt is null)
            fault = CallerSilence.FaultOf(this, _data.Ticket, fault, now);
        AttemptLessons.LearnEnd(this, TryBreakSilence(), fault, now);
        if (fault is null)
            State.Served(Started);
        State.Ended(fault, now, (FirstContentAt ?? now) - Started, FirstContentAt);
        if (fault is null)
        {
            State.Held(now - Started);
            State.Traffic?.Served(tokens ?? _data.EstimatedTokens, now);
            State.Health.Complete(_data.Ticket, null, now);
        }
        else
        {
            State.Health.Complete(_data.Ticket, fault, now, State.Calls, State.InFlight, State.ServedBegan);
        }

        _data.Reservation.Release(State, fault, tokens, now);
        _data.Trace.End(this, fault, now);
        return true;
    }

    /// <summary>Cancels the attempt's token, saying why. What was registered on the token runs here.</summary>
    public void Cancel(Fault why) => _cancellation.Cancel(why);

    /// <summary>The delegate to hang on the attempt's task; it wakes <paramref name="wake"/> unless the attempt was abandoned first.</summary>
    public Action WhenDone(Action wake) => _end.WhenDone(wake);

    /// <summary>Leaves a running attempt to itself; <paramref name="orphan"/> cleans up when it ends. False when it has ended already.</summary>
    public bool TryAbandon(IOrphan orphan) => _end.TryAbandon(orphan);

    public void GiveBackContext()
    {
        if (Context is { } context)
            ResilienceContextPool.Shared.Return(context);
        Context = null;
    }

    /// <summary>Makes the lease ready for another attempt. False after a cancellation, an abandoned attempt, or a stream: something may still hold its token.</summary>
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
        _data.Clock = clock; // a late holder may ask for the time that is left before it sees that its attempt is over
        return true;
    }

    // What the account's limits count of the answer; null where it told nothing.
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

    // What a server reports may be anything: a count that no call can have is none, so that no sum of counts overflows and no limit is used up by it.
    private static long? Plausible(long? tokens) => tokens is >= 0 and <= int.MaxValue ? tokens : null;

    // Content and completion may come from two threads: only one of them ends the silence, and learns from it.
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
        public HealthTicket Ticket;
        public AttemptReservation Reservation;
        public AttemptTrace Trace;
        public long Silence;
        public PoolClock Clock;
        public int Number;
        public TimeSpan Started;
        public TimeSpan HeardAt;
        public TimeSpan Deadline;
        public TimeSpan SilentUntil;
        public TimeSpan EndsAt;
        public TimeSpan? FirstContentAt;
        public TimeSpan? KeptSince;
        public IAttemptOwner? Owner;
        public bool IsLimitUnknown;
        public long EstimatedInputTokens;
        public long EstimatedTokens;
        public long? InputTokens;
        public long? OutputTokens;
        public long? CachedTokens;
        public Fault? Fault;
        public Fault? Declared;
        public CancellationToken CallerToken;
        public string? GivenKey;
        public string KeyPrefix;
        public long CallNumber;
        public long RequestNumber;
        public RequestKind Request;
        public bool IsStream;
        public bool IsHandedOver;
        public bool AsksOutage;
        public bool IsPaid;
    }
}
