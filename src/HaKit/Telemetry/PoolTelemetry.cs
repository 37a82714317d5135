using System.Diagnostics;

namespace HaKit.Telemetry;

/// <summary>Reports the calls of one pool. Without a listener, each report costs one check. Thread-safe.</summary>
internal sealed class PoolTelemetry
{
    private static readonly string[] Outcomes = ["served", "failed", "request", "caller"];

    private static readonly string[] WaitRuleNames = Enum.GetNames<WaitRule>();

    private readonly TimeProvider _time;
    private readonly string _callName;
    private readonly KeyValuePair<string, object?>[] _served;
    private readonly KeyValuePair<string, object?>[] _plainSpan;
    private readonly KeyValuePair<string, object?>[] _streamSpan;

    /// <param name="instruments">The instruments.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="time">The pool's clock, for the start times of spans.</param>
    public PoolTelemetry(Instruments instruments, string pool, TimeProvider time)
    {
        Instruments = instruments;
        _time = time;
        _callName = "call " + pool;
        Pool = new(Tags.Pool, pool);
        _served = [Pool, new(Tags.Outcome, Outcomes[0])];
        _plainSpan = [Pool, new(Tags.Stream, false)];
        _streamSpan = [Pool, new(Tags.Stream, true)];
    }

    public Instruments Instruments { get; }

    /// <summary>Gets the tag with the pool's name.</summary>
    public KeyValuePair<string, object?> Pool { get; }

    /// <summary>Begins the span of a call, if there is a listener. The span is the current span until <see cref="Spans.StepOut"/>.</summary>
    public Activity? BeginCall(bool isStream) => Instruments.Source.HasListeners()
        ? Spans.Start(_callName, ActivityKind.Internal, default, isStream ? _streamSpan : _plainSpan, _time.GetUtcNow())
        : null;

    /// <summary>Finds the span of the call whose cut answer is being continued. Null: none.</summary>
    public Activity? FindCall()
    {
        for (var span = Activity.Current; span is not null; span = span.Parent)
        {
            if (ReferenceEquals(span.Source, Instruments.Source) && span.OperationName == _callName)
                return span.IsStopped ? null : span;
        }
        return null;
    }

    /// <summary>Begins the span of an attempt as a part of its call's span.</summary>
    public Activity? BeginAttempt(Activity call, string name, KeyValuePair<string, object?>[] tags) =>
        Spans.Start(name, ActivityKind.Client, call.Context, tags, _time.GetUtcNow());

    /// <summary>Reports that a call makes another attempt.</summary>
    /// <param name="span">The call's span.</param>
    /// <param name="why">The reason.</param>
    /// <param name="from">The endpoint that failed, or that is slow.</param>
    /// <param name="to">The endpoint that is tried now.</param>
    /// <param name="error">The error of the last attempt.</param>
    public void RecordNextAttempt(Activity? span, NextAttempt why, string from, string to, string? error)
    {
        var counter = why switch
        {
            NextAttempt.Hedge => Instruments.Hedges,
            NextAttempt.Retry => Instruments.Retries,
            _ => Instruments.Failovers,
        };
        if (counter.Enabled)
        {
            var endpoint = new KeyValuePair<string, object?>(Tags.Endpoint, from);
            if (error is null)
                counter.AddSafely(1, [Pool, endpoint]);
            else
                counter.AddSafely(1, [Pool, endpoint, new(Tags.ErrorType, error)]);
        }
        if (span is { IsAllDataRequested: true })
        {
            var tags = new ActivityTagsCollection { { Tags.Endpoint, from }, { Tags.To, to } };
            if (error is not null)
                tags.Add(Tags.ErrorType, error);
            span.AddEvent(new ActivityEvent(why switch { NextAttempt.Hedge => "hedge", NextAttempt.Retry => "retry", _ => "failover" }, _time.GetUtcNow(), tags));
        }
    }

    /// <summary>
    /// Reports that a call has ended, or that its stream was handed over. In the second case the span continues, and <see cref="EndSpan"/> ends it.
    /// </summary>
    public void RecordEnd(Activity? span, TimeSpan took, TimeSpan waited, CallOutcome outcome, string? error, string? waitRules = null)
    {
        if (Instruments.CallDuration.Enabled)
        {
            if (outcome == CallOutcome.Served)
                Instruments.CallDuration.RecordSafely(took.TotalSeconds, _served);
            else
                Instruments.CallDuration.RecordSafely(took.TotalSeconds, [Pool, new(Tags.Outcome, Outcomes[(int)outcome]), new(Tags.ErrorType, error)]);
        }

        if (waited > TimeSpan.Zero && Instruments.QueueWait.Enabled)
            Instruments.QueueWait.RecordSafely(waited.TotalSeconds, [Pool]);
        if (span is not { IsAllDataRequested: true })
            return;
        span.SetTag(Tags.Outcome, Outcomes[(int)outcome]);
        if (waitRules is not null)
            span.SetTag(Tags.WaitRules, waitRules);
        if (waited > TimeSpan.Zero)
            span.AddEvent(new ActivityEvent("waited", _time.GetUtcNow(), new ActivityTagsCollection { { "hakit.queue.wait", waited.TotalSeconds } }));
    }

    /// <summary>Reports that a call was served although at least one of its attempts had failed.</summary>
    public void RecordSavedCall()
    {
        if (Instruments.SavedCalls.Enabled)
            Instruments.SavedCalls.AddSafely(1, Pool);
    }

    /// <summary>Ends the span of a call.</summary>
    public static void EndSpan(Activity span, TimeSpan took, string? error)
    {
        if (error is not null)
        {
            if (span.IsAllDataRequested)
                span.SetTag(Tags.ErrorType, error);
            span.SetStatus(ActivityStatusCode.Error, error);
        }
        Spans.Stop(span, took);
    }

    /// <summary>Reports that a rule of waiting applies to a call for the first time.</summary>
    public void RecordWait(WaitRule rule)
    {
        if (Instruments.Waits.Enabled)
            Instruments.Waits.AddSafely(1, Pool, new(Tags.WaitRule, WaitRuleNames[(int)rule]));
    }

    /// <summary>Reports that another endpoint has continued an answer that was cut.</summary>
    /// <param name="span">The call's span.</param>
    /// <param name="seams">The number of seams in the answer.</param>
    /// <param name="from">The endpoint whose answer was cut.</param>
    /// <param name="to">The endpoint that continued the answer. Null if the application's own code continued it.</param>
    /// <param name="error">The error that cut the answer.</param>
    public void RecordContinued(Activity? span, int seams, string from, string? to, string error)
    {
        if (Instruments.Continuations.Enabled)
            Instruments.Continuations.AddSafely(1, [Pool, new(Tags.Endpoint, from), new(Tags.Outcome, Outcomes[0]), new(Tags.ErrorType, error)]);
        if (span is not { IsAllDataRequested: true })
            return;
        span.SetTag(Tags.Seams, seams);
        span.AddEvent(new ActivityEvent("seam", _time.GetUtcNow(), new ActivityTagsCollection { { Tags.Endpoint, from }, { Tags.To, to }, { Tags.ErrorType, error } }));
    }

    /// <summary>Reports that the rest of a cut answer was requested and every attempt failed.</summary>
    /// <param name="from">The endpoint whose answer was cut.</param>
    /// <param name="error">The error that cut the answer.</param>
    public void RecordNotContinued(string from, string error)
    {
        if (Instruments.Continuations.Enabled)
            Instruments.Continuations.AddSafely(1, [Pool, new(Tags.Endpoint, from), new(Tags.Outcome, Outcomes[1]), new(Tags.ErrorType, error)]);
    }

    public void Ejected(string endpoint, string error)
    {
        if (Instruments.Ejections.Enabled)
            Instruments.Ejections.AddSafely(1, [Pool, new(Tags.Endpoint, endpoint), new(Tags.ErrorType, error)]);
    }
}
