using System.Collections.Concurrent;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Failover.Waiting;
using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>
/// Records the end of each attempt: in its call, in the record of an outage, and in the health of endpoints that refused a call before another endpoint served
/// it. The end of an attempt also releases waiting calls.
/// </summary>
internal sealed class AttemptResults(FailoverContext context)
{
    // If nothing was served for this long, it was an outage.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<(Lease Lease, Fault? Fault)> _abandoned = [];
    private ITimer? _laterCompletion;
    private ReturnSpreader? _returning;
    private long _lastServed = -1;

    /// <summary>
    /// Gets or sets the callback for an attempt that failed outside an outage although its call was served. The callback gets the endpoint, the fault and the endpoint
    /// that served the call.
    /// </summary>
    public Action<string, Fault, string>? FailureHidden { get; set; }

    /// <summary>Records that an attempt served its call, and returns the lease.</summary>
    public void RecordServed(FailoverCall call, Lease lease, TimeSpan now)
    {
        context.Budget.RecordSuccess();
        if (lease.IsPaid)
            context.Budget.Refund();
        context.Outage.RecordServed(lease.Started, now);
        EndOutage(call, lease, now);
        foreach (ref readonly var entry in call.History.Entries)
        {
            if (entry.Fault is { IsProvisional: true } refusal && !IsOfItsRequest(refusal, call.Profile))
                entry.State.RecordServedElsewhere(refusal, entry.Started, now);
            if (entry is { IsInService: true, Fault: { Blame: FaultBlame.Endpoint or FaultBlame.Throttle } fault })
                FailureHidden?.Invoke(entry.Endpoint.Name, fault, lease.State.Endpoint.Name);
        }

        if (context.Queue.Count > 0)
            context.Queue.Release(2); // each served call releases two waiting calls, so the traffic after an outage grows only as fast as the endpoint serves it
        call.RecordServed(lease, now);
        RecordEnd(call, lease, null, now);
    }

    /// <summary>Records the end of an attempt in its call, and returns the lease.</summary>
    public void RecordEnd(FailoverCall call, Lease lease, Fault? fault, TimeSpan now)
    {
        call.History.RecordEnd(lease.Number, fault, now);
        if (fault is not null)
        {
            call.LastFailure = now;
            if (fault.Blame == FaultBlame.Endpoint)
                _returning?.Stop(); // the endpoint is not healthy yet, so each success releases waiting calls instead
            call.BackoffUntil = null;
            if (fault.Kind == FaultKind.FirstContentTimeout)
                call.RecordSilence(lease.State.ServedBegan > lease.Started);
            if (lease.AsksOutage)
                context.Outage.EndTrial(now, context.Chance.NextDouble());
            ReleaseWaiter();
        }
        else if (lease.AsksOutage)
        {
            context.Outage.EndTrial(now, context.Chance.NextDouble());
        }

        if (lease.TryReset())
            call.KeepLease(lease);
    }

    /// <summary>Releases one waiting call, because an endpoint has free capacity again.</summary>
    public void ReleaseWaiter()
    {
        if (context.Queue.Count > 0)
            context.Queue.Release(1);
    }

    /// <summary>
    /// Completes the lease of a stream that was abandoned, and releases a waiting call, on the thread of a timer. The caller is the finalizer's thread, which
    /// must run neither the callbacks about a change of health nor the continuation of the waiting call.
    /// </summary>
    public void CompleteLater(Lease lease, Fault? fault)
    {
        _abandoned.Enqueue((lease, fault));
        if (_laterCompletion is null)
            Interlocked.CompareExchange(ref _laterCompletion, context.Clock.Time.NewTimer(static results => ((AttemptResults)results!).CompleteAbandoned(), this), null);
        _laterCompletion.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void CompleteAbandoned()
    {
        while (_abandoned.TryDequeue(out var abandoned))
        {
            if (abandoned.Lease.Complete(abandoned.Fault, context.Clock.Now))
                ReleaseWaiter();
        }
    }

    // If an endpoint refuses a request because of an image or of tools, calls without images and tools must not avoid the endpoint. Over HTTP the request's
    // body shows its images and tools (Fault.RequestFeature, which EndpointState.RecordServedElsewhere checks). The body of a client object's request is not
    // visible, so the caller's profile is used. Over HTTP the profile is not used, because it may be wrong or empty.
    private static bool IsOfItsRequest(Fault refusal, RequestProfile profile) => profile.Vision || profile.Tools && refusal.SecondOpinion == SecondOpinion.One;

    private void EndOutage(FailoverCall call, Lease lease, TimeSpan now)
    {
        var quiet = now - new TimeSpan(Volatile.Read(ref _lastServed));
        var wasQuiet = quiet >= Quiet;
        // All calls write this field, so it is written only when it would change by more than a millisecond, which is exact enough for a limit of a second.
        if (quiet.Ticks >= TimeSpan.TicksPerMillisecond || quiet < TimeSpan.Zero)
            Volatile.Write(ref _lastServed, now.Ticks);
        // If the endpoint has served another kind of request, the outage that the waiting calls wait for may continue.
        if (context.Outage.Since is not { } since || !lease.AsksOutage && call.Rules == 0 && lease.State.PacedAt < since)
            return;
        // If failures and successes are mixed, each success releases waiting calls, and they are not released all at once.
        if (context.Outage.EndOutage(now, context.Queue.Count > 0) is { } lasted && wasQuiet)
            (_returning ??= new ReturnSpreader(context.Queue, context.Clock.Time)).Release(lasted);
    }
}
