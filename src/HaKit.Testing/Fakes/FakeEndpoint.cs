using System.Runtime.CompilerServices;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// A fake endpoint without a protocol, for tests of code that calls an endpoint through a callback. A function creates the answers. The endpoint injects the
/// faults of <see cref="Faults"/>, on an injected clock.
/// </summary>
/// <remarks>
/// A latency delays the answer. A silence lasts until the call is cancelled. A reset or a refused connection throws the exception that a real handler throws.
/// An error status throws an <see cref="HttpRequestException"/> with that status. A body that is empty, truncated or an error throws an <see
/// cref="InvalidDataException"/>. The endpoint is thread-safe if <paramref name="answer"/> is thread-safe. Waits resume on the thread that moves the clock.
/// </remarks>
/// <typeparam name="T">The type of the answers.</typeparam>
/// <param name="name">The endpoint's name.</param>
/// <param name="answer">Creates the answer to each call.</param>
/// <param name="time">The clock that latencies and schedules use. Default: the system clock.</param>
/// <param name="seed">The seed of the random choices in <see cref="Faults"/>. Default 0.</param>
public sealed class FakeEndpoint<T>(string name, Func<FakeCall, T> answer, TimeProvider? time = null, int seed = 0)
{
    private static readonly FakeRequest Request = new(FakeOperation.Callback);

    private readonly Func<FakeCall, T> _answer = answer ?? throw new ArgumentNullException(nameof(answer));
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Tally _tally = new();
    private readonly long _created = (time ?? TimeProvider.System).GetTimestamp();

    /// <summary>Gets the endpoint's name.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults { get; } = new(time, seed);

    /// <summary>Gets the counts of the calls so far. Each item of a stream counts as one token.</summary>
    public FakeCounts Counts => _tally.Snapshot();

    /// <summary>Answers one call.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="OperationCanceledException">The caller cancelled the call.</exception>
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
            var result = _answer(call);
            outcome = Outcome.Whole;
            return result;
        }
        finally
        {
            _tally.RecordOutcome(Request, outcome, 0, 0);
        }
    }

    /// <summary>Answers one call with a stream of items. A fault can break the stream after n items.</summary>
    /// <param name="items">The items of the whole answer.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="OperationCanceledException">The caller cancelled the call.</exception>
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
/// <param name="Number">The number of the call at this endpoint, from 1.</param>
/// <param name="At">When the call arrived, counted from the creation of the endpoint.</param>
public readonly record struct FakeCall(long Number, TimeSpan At);
