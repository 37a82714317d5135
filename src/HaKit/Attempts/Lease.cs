using HaKit.Dialects;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Telemetry;
using Polly;

namespace HaKit.Attempts;

/// <summary>
/// One attempt in flight on one endpoint. It counts as load until it is completed, and completing it reports the evidence exactly once.
/// Leases of plain calls are used again; <see cref="Version"/> tells a late holder that its attempt is over.
/// </summary>
#pragma warning disable CA1001 // A token source without a timer of its own holds nothing that needs disposing.
internal sealed class Lease
#pragma warning restore CA1001
{
    private const int Running = 0, Done = 1, Abandoned = 2;
    private const int CallersToAgree = 3;

    private static readonly Fault s_silence = new(FaultKind.FirstContentTimeout);
    private static readonly TimeSpan s_unusualSilence = TimeSpan.FromSeconds(5);

    private readonly Action _attemptDone;
    private readonly CancellationTokenSource _cancellation = new();
    private HealthTicket _ticket;
    private LimitReservation _reservation;
    private LimitReservation _accountReservation;
    private PoolClock _clock = null!;
    private IOrphan? _orphan;
    private Action? _wake;
    private string? _givenKey;
    private string _keyPrefix = "";
    private long _callNumber;
    private long _silence;
    private long _estimatedTokens;
    private bool _mayBeHeld;
    private int _completed;
    private int _phase;

    public Lease() => _attemptDone = AttemptDone;

    public EndpointState State { get; private set; } = null!;

    public int Version { get; private set; }

    /// <summary>One for the first attempt of a call.</summary>
    public int Number { get; private set; }

    public TimeSpan Started { get; private set; }

    public TimeSpan Deadline { get; private set; }

    /// <summary>When it was first known to deliver content; null while it is silent.</summary>
    public TimeSpan? FirstContentAt { get; private set; }

    /// <summary>When it last showed that it is at work; from its beginning until it first did.</summary>
    public TimeSpan HeardAt { get; private set; }

    /// <summary>When this attempt is to be given up if it is still silent.</summary>
    public TimeSpan SilentUntil { get; set; }

    /// <summary>Was <see cref="SilentUntil"/> learned from the endpoint's own times, or given? Otherwise the attempt may be kept beyond it.</summary>
    public bool IsLimitKnown { get; set; } = true;

    /// <summary>Since when it has been kept although it is silent for longer than its limit; null: it has not.</summary>
    public TimeSpan? KeptSince { get; private set; }

    /// <summary>When it is to be given up in any case.</summary>
    public TimeSpan EndsAt { get; set; }

    /// <summary>When it is to be given up as things stand.</summary>
    public TimeSpan TimeoutAt => FirstContentAt is null ? SilentUntil : EndsAt;

    /// <summary>Same for all attempts of a call. Written out only when somebody asks.</summary>
    public string IdempotencyKey => _givenKey ?? _keyPrefix + _callNumber.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>What the attempt's failure means; null for none. Set by the guard.</summary>
    public Fault? Fault { get; set; }

    /// <summary>What the callback itself says of its answer, for results that are failures without an exception.</summary>
    public Fault? Declared { get; set; }

    /// <summary>The token of whoever made the call.</summary>
    public CancellationToken CallerToken { get; set; }

    /// <summary>The context of this attempt, to be given back when it is over.</summary>
    public ResilienceContext? Context { get; set; }

    /// <summary>Why we cancelled it, if we did.</summary>
    public Fault? CancelledFor { get; private set; }

    /// <summary>The attempt is for a stream: it is measured by its first content.</summary>
    public bool IsStream { get; set; }

    /// <summary>The answer is a stream that goes on after the attempt's callback has returned: whoever holds the stream completes the lease.</summary>
    public bool IsHandedOver
    {
        get;
        set
        {
            field = value;
            _mayBeHeld |= value;
        }
    }

    /// <summary>What the call asks for.</summary>
    public RequestKind Request { get; set; }

    /// <summary>The call that it is an attempt of, for what must know whether another endpoint is left; null when nothing asks.</summary>
    public IAttemptOwner? Owner { get; set; }

    /// <summary>It is the one trial that asks whether an outage is over.</summary>
    public bool AsksOutage { get; set; }

    /// <summary>It repeats something, and the budget paid for it.</summary>
    public bool IsPaid { get; set; }

    /// <summary>The span of the call that it is part of, if somebody follows it.</summary>
    public Activity? CallSpan { get; set; }

    /// <summary>Its own span.</summary>
    public Activity? Span { get; set; }

    /// <summary>When the call began whose span ends with this attempt, because the call has handed its stream over; null: the call ends its span itself.</summary>
    public TimeSpan? CallStarted { get; set; }

    public bool IsTrial => _ticket.IsTrial;

    public bool IsCompleted => Volatile.Read(ref _completed) != 0;

    public bool IsAttemptDone => Volatile.Read(ref _phase) == Done;

    public CancellationToken Token => _cancellation.Token;

    /// <summary>Tokens of the prompt as estimated before the call; 0 when not known.</summary>
    public long EstimatedInputTokens { get; private set; }

    public long? InputTokens { get; private set; }

    public long? OutputTokens { get; private set; }

    /// <summary>Of <see cref="InputTokens"/>, those that a cache of the provider's held.</summary>
    public long? CachedTokens { get; private set; }

    public PoolClock Clock => _clock;

    /// <summary>Takes a place on the endpoint, or nothing at all.</summary>
    public bool TryBegin(EndpointState state, BeginMode mode, long inputTokens, long tokens, int number, TimeSpan deadline, PoolClock clock, TimeSpan now)
    {
        if (!state.Limiter.TryReserve(tokens, now, out _reservation))
            return false;
        if (!state.AccountLimiter.TryReserve(tokens, now, out _accountReservation))
        {
            state.Limiter.Cancel(in _reservation);
            return false;
        }
        // Counted before it is admitted: whoever takes the endpoint out and then sees nothing in flight sees the truth.
        _silence = state.Began(inputTokens, now);
        if (!state.Health.TryBegin(mode, now, out _ticket))
        {
            state.NeverBegan(_silence);
            _silence = 0;
            state.Limiter.Cancel(in _reservation);
            state.AccountLimiter.Cancel(in _accountReservation);
            return false;
        }
        State = state;
        Number = number;
        Started = HeardAt = now;
        Deadline = deadline;
        _clock = clock;
        _completed = 0;
        _phase = Running;
        EstimatedInputTokens = inputTokens;
        _estimatedTokens = tokens;
        return true;
    }

    /// <summary>The endpoint has shown life: a trial is decided, and the time to first content is learned.</summary>
    public void FirstContent(TimeSpan now)
    {
        if (FirstContentAt is not null || IsCompleted)
            return;
        FirstContentAt = now;
        State.Answered(now, Started);
        State.Telemetry?.FirstContent(Span, now - Started);
        LearnFirstSign(now);
        State.Health.FirstContent(_ticket, now);
    }

    /// <summary>It is at work, and may be silent for as long again. False once three quarters of its time are gone: another attempt would hardly have enough.</summary>
    public bool Progressed(TimeSpan now)
    {
        if (FirstContentAt is not null || IsCompleted)
            return true;
        LearnFirstSign(now);
        var patience = SilentUntil - HeardAt;
        HeardAt = now;
        SilentUntil = patience < EndsAt - now ? now + patience : EndsAt;
        return EndsAt - now > (EndsAt - Started) / 4;
    }

    /// <summary>Its limit has passed, and it goes on to its end all the same: no other endpoint would answer sooner.</summary>
    public void Keep(TimeSpan now)
    {
        KeptSince = now;
        SilentUntil = EndsAt;
    }

    public void Identify(string? givenKey, string keyPrefix, long callNumber) => (_givenKey, _keyPrefix, _callNumber) = (givenKey, keyPrefix, callNumber);

    public void CountTokens(long? input, long? output, long? cached = null)
    {
        CachedTokens = Plausible(cached) ?? CachedTokens;
        InputTokens = Plausible(input) ?? InputTokens;
        OutputTokens = Plausible(output) ?? OutputTokens;
    }

    // What a server reports may be anything: a count that no call can have is none, so that no sum of counts overflows and no limit is used up by it.
    private static long? Plausible(long? tokens) => tokens is >= 0 and <= int.MaxValue ? tokens : null;

    /// <summary>What the server says is left of its limits, for an endpoint that has limits.</summary>
    public void Observe(HttpResponseHeaders headers, TimeProvider time)
    {
        if (!State.IsLimited || IsCompleted)
            return;
        var told = RateLimitHeaders.Read(headers, State.Endpoint.Dialect, time.GetUtcNow());
        var tokens = told.Tokens.Remaining is null ? told.InputTokens : told.Tokens;
        var reading = new QuotaReading
        {
            RequestsLimit = told.Requests.Limit,
            RequestsRemaining = told.Requests.Remaining,
            RequestsReset = told.Requests.Reset,
            TokensLimit = tokens.Limit,
            TokensRemaining = tokens.Remaining,
            TokensReset = tokens.Reset,
        };
        State.Limiter.Observe(in reading, _clock.Now);
    }

    /// <summary>Reports the evidence and frees the place. Only the first call counts; any thread may make it.</summary>
    public bool Complete(Fault? fault, TimeSpan now)
    {
        if (Interlocked.Exchange(ref _completed, 1) != 0)
            return false;
        long? tokens = InputTokens is null && OutputTokens is null ? null : (InputTokens ?? 0) + (OutputTokens ?? 0);
        if (fault is { Kind: FaultKind.CallerCancelled } && FirstContentAt is null)
            fault = JudgeLeaving(fault, now);
        Learn(fault, now);
        if (fault is null)
            State.Served(Started);
        State.Ended(fault, now, (FirstContentAt ?? now) - Started, FirstContentAt);
        if (fault is null)
        {
            State.Held(now - Started);
            State.Traffic?.Served(tokens ?? _estimatedTokens, now);
            State.Health.Complete(_ticket, null, now);
            State.Limiter.Succeeded();
            State.AccountLimiter.Succeeded();
        }
        else
        {
            State.Health.Complete(_ticket, fault, now, State.Calls, State.InFlight);
            if (fault.Kind is FaultKind.Throttled or FaultKind.Overloaded)
            {
                State.Limiter.Throttled(now);
                State.AccountLimiter.Throttled(now);
            }
        }
        State.Limiter.Settle(_reservation, tokens, now);
        State.AccountLimiter.Settle(_accountReservation, tokens, now);
        Tell(fault, now);
        return true;
    }

    private void Tell(Fault? fault, TimeSpan now)
    {
        var error = fault?.KindName;
        State.Telemetry?.Ended(Span, now - Started, error, fault?.StatusCode ?? 0, InputTokens, OutputTokens, CachedTokens);
        if (CallStarted is { } began)
            PoolTelemetry.EndSpan(CallSpan!, now - began, error);
        if (fault is { Blame: not FaultBlame.Caller } && State.Observer is { IsEmpty: false } observer)
            observer.ReportFailure(State.Endpoint.Name, fault, Number, now - Started);
    }

    /// <summary>Cancels the attempt's token, saying why. The callbacks of the token run here.</summary>
    public void Cancel(Fault why)
    {
        CancelledFor ??= why;
        try
        {
            _cancellation.Cancel();
        }
#pragma warning disable CA1031 // What others registered on the token and cannot do right must not keep the attempt from being left.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>The delegate to hang on the attempt's task; it wakes <paramref name="wake"/> unless the attempt was abandoned first.</summary>
    public Action WhenDone(Action wake)
    {
        _wake = wake;
        return _attemptDone;
    }

    /// <summary>Leaves a running attempt to itself; <paramref name="orphan"/> cleans up when it ends. False when it has ended already.</summary>
    public bool TryAbandon(IOrphan orphan)
    {
        _orphan = orphan;
        return Interlocked.CompareExchange(ref _phase, Abandoned, Running) == Running;
    }

    public void GiveBackContext()
    {
        if (Context is { } context)
            ResilienceContextPool.Shared.Return(context);
        Context = null;
    }

    /// <summary>Ready for another attempt? Not after a cancellation, an abandoned attempt, or a stream: somebody may still hold its token.</summary>
    public bool TryReset()
    {
        if (_phase == Abandoned)
            return false;
        GiveBackContext();
        if (_mayBeHeld || !_cancellation.TryReset())
            return false;
        Version++;
        State = null!;
        _wake = null;
        _orphan = null;
        FirstContentAt = KeptSince = null;
        IsLimitKnown = true;
        Owner = null;
        Fault = Declared = CancelledFor = null;
        InputTokens = OutputTokens = CachedTokens = null;
        CallerToken = default;
        AsksOutage = IsPaid = IsStream = false;
        Span = CallSpan = null;
        CallStarted = null;
        return true;
    }

    // A timeout outside the pool ends attempts before the pool would. Silence is evidence all the same, or a dead endpoint would stay preferred; but a caller may
    // be impatient, so one or two make the endpoint suspect and dearer, and only callers that agree count against it.
    private Fault JudgeLeaving(Fault cancelled, TimeSpan now)
    {
        var usual = State.Times.Quantile(IsStream, 0.99) is { } slowest ? 3 * slowest : s_unusualSilence;
        if (now - HeardAt <= usual || _clock.StoodStillSince(Started, now))
            return cancelled;
        if (State.LeftInSilence(_callNumber) >= CallersToAgree)
            return s_silence;
        State.Failure.Ended(s_silence, now);
        State.Health.LeftInSilence(_ticket, s_silence, now);
        return cancelled;
    }

    private void LearnFirstSign(TimeSpan now)
    {
        if (!BreakSilence() || _clock.StoodStillSince(Started, now))
            return;
        State.Latency.Heard(now - Started, EstimatedInputTokens, now);
        if (IsStream)
            State.Times.Record(isStream: true, now - Started);
    }

    private void Learn(Fault? fault, TimeSpan now)
    {
        var wasSilent = BreakSilence();
        if (_clock.StoodStillSince(Started, now))
            return; // a time that our own pause lengthened says nothing of the endpoint
        // A stream was measured at its first content, whatever became of it.
        if (fault is null ? !IsStream || FirstContentAt is null : fault.Kind == FaultKind.FirstContentTimeout)
            State.Times.Record(IsStream, now - Started);
        if (wasSilent && fault is null)
            State.Latency.Heard(now - Started, EstimatedInputTokens, now);
        else if (wasSilent && CancelledFor is not null)
            State.Latency.WaitedInVain(now - Started, EstimatedInputTokens, now);
        if (fault is null && FirstContentAt is { } first && OutputTokens is { } output)
            State.Latency.Flowed(now - first, output);
    }

    // Content and completion may come from two threads.
    private bool BreakSilence()
    {
        var mark = Interlocked.Exchange(ref _silence, 0);
        if (mark == 0)
            return false;
        State.Silence.Broken(mark);
        return true;
    }

    private void AttemptDone()
    {
        // Read before the phase changes: once it has, the lease may be put away and begun again by others.
        var wake = _wake!;
        if (Interlocked.CompareExchange(ref _phase, Done, Running) == Running)
            wake();
        else
            _orphan!.Reap();
    }
}

/// <summary>The call of an attempt, as the attempt's own stream sees it.</summary>
internal interface IAttemptOwner
{
    /// <summary>Is an endpoint left that the call has not tried and could ask now?</summary>
    bool HasUntried(TimeSpan now);
}

/// <summary>Cleans up after an attempt that nobody waits for any more.</summary>
internal interface IOrphan
{
    void Reap();
}
