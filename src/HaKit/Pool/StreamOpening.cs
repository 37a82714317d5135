using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Pool;

/// <summary>Opens a stream within an attempt, and reads it up to its first content there: a stream that is opened lazily would escape failover.</summary>
internal sealed class StreamOpening<TState, T>(
    FailoverEngine engine,
    TState state,
    Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
    StreamItemReader<T> reader,
    CancellationToken callerToken)
{
    public async ValueTask<StreamedAnswer<T>> OpenAsync(EndpointAttempt attempt, CancellationToken token)
    {
        // The stream outlives the attempt's callback, so it holds the attempt's own token: one that a strategy of the user's lends may come from a pool, and
        // be cancelled for another call later.
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
