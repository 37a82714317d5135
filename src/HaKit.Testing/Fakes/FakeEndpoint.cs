using System.Runtime.CompilerServices;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// Something that answers without any protocol: the body of a callback in a test. It answers what a function says, and
/// goes wrong as <see cref="Faults"/> says, on an injected clock.
/// </summary>
/// <remarks>
/// Of a fault, latencies are waited for, silences last until cancelled, resets and refusals are the exceptions that a real
/// handler throws, an error status is an <see cref="HttpRequestException"/> with that status, and a body that is empty,
/// truncated or an error is an <see cref="InvalidDataException"/>. Thread-safe if <paramref name="answer"/> is; waits resume
/// on the thread that moves the clock.
/// </remarks>
/// <typeparam name="T">What it answers.</typeparam>
/// <param name="name">The endpoint's name.</param>
/// <param name="answer">What it answers to each call.</param>
/// <param name="time">The clock of latencies and schedules; default the system's.</param>
/// <param name="seed">Seed of the chance in <see cref="Faults"/>; default 0.</param>
public sealed class FakeEndpoint<T>(string name, Func<FakeCall, T> answer, TimeProvider? time = null, int seed = 0)
{
    private static readonly FakeRequest Request = new(FakeOperation.Callback);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Tally _tally = new();
    private readonly long _created = (time ?? TimeProvider.System).GetTimestamp();

    /// <summary>Its name.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults { get; } = new(time, seed);

    /// <summary>What it did so far; the tokens are items of streams.</summary>
    public FakeCounts Counts => _tally.Snapshot();

    /// <summary>Answers one call.</summary>
    /// <param name="cancellationToken">The caller gives up.</param>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async ValueTask<T> CallAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = BeginCall(out var fault);
        var outcome = Outcome.Abandoned;
        try
        {
            await Waits.DelayAsync(_time, fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
            outcome = Outcome.Failed;
            if (fault.ToException() is { } exception)
                throw exception;
            if (fault.Ending is { } ending)
                await FailAsync(ending.Kind, fault, cancellationToken).ConfigureAwait(false);
            var result = answer(call);
            outcome = Outcome.Whole;
            return result;
        }
        finally
        {
            _tally.RecordOutcome(Request, outcome, 0, 0);
        }
    }

    /// <summary>Answers one call with a stream: the items, one by one, broken after n of them if the fault says so.</summary>
    /// <param name="items">The whole answer.</param>
    /// <param name="cancellationToken">The caller gives up.</param>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async IAsyncEnumerable<T> StreamAsync(IReadOnlyList<T> items, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        cancellationToken.ThrowIfCancellationRequested();
        BeginCall(out var fault);
        var outcome = Outcome.Abandoned;
        var sent = 0;
        try
        {
            await Waits.DelayAsync(_time, fault.ToHeaders, cancellationToken).ConfigureAwait(false);
            if (fault.ToException() is { } exception)
            {
                outcome = Outcome.Failed;
                throw exception;
            }

            var breaksAt = fault.Ending is { } ending ? Math.Min(ending.After, items.Count) : int.MaxValue;
            while (sent != breaksAt && sent < items.Count)
            {
                await Waits.DelayAsync(_time, sent == 0 ? fault.ToFirstToken : fault.PerToken, cancellationToken).ConfigureAwait(false);
                yield return items[sent++];
            }

            if (sent != breaksAt)
            {
                outcome = Outcome.Whole;
                yield break;
            }
            outcome = sent > 0 ? Outcome.Cut : Outcome.Failed;
            if (fault.Ending!.Kind == FakeEndingKind.End)
                yield break;
            await FailAsync(fault.Ending.Kind, fault, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _tally.RecordOutcome(Request, outcome, 0, sent);
        }
    }

    private static async Task FailAsync(FakeEndingKind kind, FakeFault fault, CancellationToken cancellationToken)
    {
        if (kind is FakeEndingKind.Hang or FakeEndingKind.Silence or FakeEndingKind.KeepAlives)
            await Waits.ForEver(cancellationToken).ConfigureAwait(false);
        throw kind == FakeEndingKind.Cut ? ConnectionFailures.ResetWithinBody() : new InvalidDataException($"Fault: {fault.Name}.");
    }

    private FakeCall BeginCall(out FakeFault fault)
    {
        var call = new FakeCall(_tally.BeginRequest(Request), _time.GetElapsedTime(_created));
        fault = Faults.ChooseFault(Request);
        return call;
    }
}

/// <summary>A call of a <see cref="FakeEndpoint{T}"/>.</summary>
/// <param name="Number">Which call of this endpoint, from 1.</param>
/// <param name="At">When it came, since the endpoint was made.</param>
public readonly record struct FakeCall(long Number, TimeSpan At);
