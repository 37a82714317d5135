using HaKit.Attempts;
using HaKit.Failover;

namespace HaKit;

public sealed partial class EndpointPool
{
    /// <summary>Opens a stream with the default profile.</summary>
    /// <inheritdoc cref="StreamAsync{TState, T}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, StreamItemReader{T}, CancellationToken)"/>
    public ValueTask<StreamedAnswer<T>> StreamAsync<TState, T>(
        TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open, StreamItemReader<T> reader, CancellationToken cancellationToken = default) =>
        StreamAsync(RequestProfile.Default, state, open, reader, cancellationToken);

    /// <summary>
    /// Opens a stream on one endpoint after another until one shows content, and hands it over. Whatever fails before its first content fails over
    /// silently; afterwards a cut ends the stream with <see cref="PartialResponseException"/>, never with half an answer that looks whole, and never with a silent replay.
    /// The deadline holds up to the first content; after it <see cref="StreamingOptions.IdleTimeout"/> does.
    /// </summary>
    /// <typeparam name="TState">Whatever <paramref name="open"/> needs.</typeparam>
    /// <typeparam name="T">The items' type.</typeparam>
    /// <param name="profile">What is known of the request.</param>
    /// <param name="state">Handed to <paramref name="open"/>.</param>
    /// <param name="open">Opens the stream on an endpoint. The token lives as long as the stream.</param>
    /// <param name="reader">Says what the items mean.</param>
    /// <param name="cancellationToken">The caller's own; it also ends the reading.</param>
    /// <returns>The stream, at its first item. Dispose it if it is not read to its end.</returns>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the request in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed before the first content.</exception>
    /// <exception cref="EndpointFaultException">The request itself was refused, within the stream.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public ValueTask<StreamedAnswer<T>> StreamAsync<TState, T>(
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        CancellationToken cancellationToken = default) =>
        StreamAsync(profile, state, open, reader, continueWith: null, cancellationToken);

    /// <summary>As the other overload, and goes on after a cut where the caller says how.</summary>
    /// <typeparam name="TState">Whatever <paramref name="open"/> needs.</typeparam>
    /// <typeparam name="T">The items' type.</typeparam>
    /// <param name="profile">What is known of the request.</param>
    /// <param name="state">Handed to <paramref name="open"/>.</param>
    /// <param name="open">Opens the stream on an endpoint.</param>
    /// <param name="reader">Says what the items mean.</param>
    /// <param name="continueWith">
    /// Called once, after a cut: gives the rest of the answer as the caller wants it (for instance by asking with what was delivered as a prefix), or null for none.
    /// If it fails, or its stream does, the exception of the first cut is what the caller gets.
    /// </param>
    /// <param name="cancellationToken">The caller's own.</param>
    public async ValueTask<StreamedAnswer<T>> StreamAsync<TState, T>(
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        Func<PartialResponseException, CancellationToken, ValueTask<IAsyncEnumerable<T>?>>? continueWith,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(reader);
        var (stream, detail) = await ExecuteAsync(
            profile,
            isStream: true,
            new StreamOpening<TState, T>(_engine, state, open, reader, cancellationToken),
            static (attempt, opening, token) => opening.OpenAsync(attempt, token),
            cancellationToken).ConfigureAwait(false);
        stream.Detail = detail;
        stream.ContinueWith(continueWith);
        return stream;
    }

    private sealed class StreamOpening<TState, T>(
        FailoverEngine engine,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        CancellationToken callerToken)
    {
        // Opened eagerly and read up to the first content inside the attempt: a stream that is opened lazily would escape failover.
        public async ValueTask<StreamedAnswer<T>> OpenAsync(EndpointAttempt attempt, CancellationToken token)
        {
            // What the stream holds is the attempt's own token: one that a strategy of the user's lends may come from a pool, and end somebody else's later.
            var lease = attempt.Lease;
            using var lent = token == lease.Token ? default : token.UnsafeRegister(static lease => ((Lease)lease!).Cancel(KnownFaults.AttemptTimeout), lease);
            var items = await open(attempt, state, lease.Token).ConfigureAwait(false);
            var stream = new StreamedAnswer<T>(engine, lease, items.GetAsyncEnumerator(lease.Token), reader, callerToken);
            try
            {
                await stream.CommitAsync().ConfigureAwait(false);
                attempt.Lease.IsHandedOver = true;
                return stream;
            }
            catch
            {
                await stream.DropAsync().ConfigureAwait(false);
                throw;
            }
        }
    }
}
