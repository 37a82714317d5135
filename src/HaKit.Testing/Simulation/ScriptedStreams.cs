using System.Runtime.CompilerServices;
using HaKit.Faults;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>Serves attempts on a <see cref="ScriptedEndpoint"/> in pieces.</summary>
internal sealed class ScriptedStreams(ScriptedEndpoint endpoint, ManualTimeProvider time, Alarms alarms)
{
    private const int MostItems = 20;
    private const int UsualItems = 5;

    /// <summary>Returns the number of tokens in the given number of chunks.</summary>
    public static int TokensOf(SimulatedCall call, int contents) => (int)((long)call.OutputTokens * contents / ItemsOf(call));

    private static int ItemsOf(SimulatedCall call) => call.OutputTokens > 0 ? Math.Min(call.OutputTokens, MostItems) : UsualItems;

    /// <summary>
    /// Serves one attempt as a stream that starts at a given chunk of content. An answer has at most twenty chunks, evenly distributed from the first content
    /// to the end. The last one is marked as the end. In a fault, "after n" counts chunks of content.
    /// </summary>
    public async IAsyncEnumerable<SimulatedItem> StreamAsync(
        EndpointAttempt attempt, SimulatedCall call, long number, int from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        endpoint.Arrive();
        var served = false;
        try
        {
            var fault = endpoint.FaultFor(call);
            await foreach (var item in ItemsAsync(attempt, call, fault, number, from, cancellationToken).ConfigureAwait(false))
            {
                served = item.Signal.HasFlag(StreamSignal.End);
                yield return item;
            }
        }
        finally
        {
            endpoint.Depart(call, served);
        }
    }

    private async IAsyncEnumerable<SimulatedItem> ItemsAsync(
        EndpointAttempt attempt, SimulatedCall call, FakeFault fault, long number, int from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (fault.Ending is { Kind: FakeEndingKind.KeepAlives })
        {
            while (true)
            {
                await alarms.WaitAsync(fault.CommentsEvery ?? TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(false);
                yield return new(number, -1, StreamSignal.None);
            }
        }

        if (FaultReading.IsSilence(fault))
            await Waits.ForEver(cancellationToken).ConfigureAwait(false);
        if (FaultReading.ReadFault(fault, attempt.Endpoint.Dialect, time.GetUtcNow()) is { } failure)
        {
            await alarms.WaitAsync(fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
            endpoint.ReportRefusal(attempt, failure);
            throw new HttpRequestException("The endpoint's script says so.");
        }
        var work = endpoint.TimeOf(call);
        var items = ItemsOf(call);
        var station = endpoint.Station;
        await station.EnterAsync(cancellationToken).ConfigureAwait(false);
        var shown = from;
        try
        {
            yield return new(number, -1, StreamSignal.None); // the role frame
            for (; shown < items; shown++)
            {
                if (fault.Ending is { } ending && shown - from >= Math.Min(ending.After, items - 1 - from))
                {
                    if (ending.Kind == FakeEndingKind.End)
                        yield break;
                    if (ending.Kind == FakeEndingKind.ErrorEvent)
                        yield return new(number, -1, StreamSignal.Error, new Fault(FaultKind.ServerError));
                    if (ending.Kind == FakeEndingKind.Silence)
                        await Waits.ForEver(cancellationToken).ConfigureAwait(false);
                    throw new HttpRequestException(HttpRequestError.ResponseEnded, "The endpoint's script cuts it here.");
                }
                var part = shown == from ? work.FirstContent + fault.ToHeaders + fault.ToFirstToken : (work.Whole - work.FirstContent) / (items - 1) + fault.PerToken;
                await station.WorkAsync(part, cancellationToken).ConfigureAwait(false);
                if (shown == 0)
                    call.FirstContentAt = time.Elapsed;
                yield return new(number, shown, shown == items - 1 ? StreamSignal.Content | StreamSignal.End : StreamSignal.Content);
            }
        }
        finally
        {
            station.Release();
            if (shown < items - 1)
                endpoint.Waste(call, (double)shown / items);
        }
    }
}
