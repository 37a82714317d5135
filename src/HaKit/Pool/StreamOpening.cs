using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Pool;

/// <summary>Opens a stream within an attempt and reads up to the first content. Failover would not cover a stream that is opened after the attempt.</summary>
internal sealed class StreamOpening<TState, T>(
    FailoverEngine engine,
    TState state,
    Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
    StreamItemReader<T> reader,
    CancellationToken callerToken)
{
    public async ValueTask<StreamedAnswer<T>> OpenAsync(EndpointAttempt attempt, CancellationToken token)
    {
        // The stream outlives the attempt's callback, so it uses the attempt's own token. The token of a strategy of the application may come from a pool of
        // tokens, and may later be cancelled for another call.
        var lease = attempt.Lease;
        using var lent = token == lease.Token ? default : token.UnsafeRegister(static lease => ((Lease)lease!).Cancel(KnownFaults.AttemptTimeout), lease);
        var items = await open(attempt, state, lease.Token).ConfigureAwait(false);
        var stream = new StreamedAnswer<T>(engine, lease, items.GetAsyncEnumerator(lease.Token), reader, callerToken);
        try
        {
            await stream.CommitAsync().ConfigureAwait(false);
            lease.IsHandedOver = true;
            return stream;
        }
        catch
        {
            await stream.DropAsync().ConfigureAwait(false);
            throw;
        }
    }
}
