using HaKit.Failover;

namespace HaKit;

/// <summary>Continues answers that were cut, for code that streams its own type of items. Thread-safe.</summary>
public static class EndpointPoolContinuationExtensions
{
    /// <summary>
    /// Gets whether another endpoint may continue a cut answer: by the profile (<see cref="RequestProfile.MayContinue"/>), otherwise by the pool's setting. While
    /// this is false, the caller does not have to keep the delivered part.
    /// </summary>
    /// <param name="pool">The pool.</param>
    /// <param name="profile">The information about the request that the pool cannot see: requirements, sizes, deadline.</param>
    public static bool MayContinue(this EndpointPool pool, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(pool);
        RequestProfile.ThrowIfNull(profile);
        return ContinuationRoute.IsAllowed(pool.Engine, profile);
    }

    /// <summary>
    /// Opens the rest of a cut answer. Call this method from the <c>continueWith</c> of a stream. The method asks another endpoint that declares a way to
    /// continue answers (<see cref="PoolEndpoint.Continuation"/>); endpoints with the same model come first. These attempts have their own first-content limit.
    /// They end at the deadline of the call or 30 s after the cut, whichever is later. An answer is continued at most twice: if this rest is cut too, the pool
    /// calls <c>continueWith</c> a second time, with that cut. For this, <c>continueWith</c> must return the result of this method itself, not a stream around
    /// it.
    /// </summary>
    /// <typeparam name="TState">The type of the state for <paramref name="open"/>.</typeparam>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="pool">The pool.</param>
    /// <param name="profile">The profile of the call whose answer was cut.</param>
    /// <param name="cut">The cut, as the pool passed it to <c>continueWith</c>.</param>
    /// <param name="soFar">The part that was delivered.</param>
    /// <param name="state">The state for <paramref name="open"/>.</param>
    /// <param name="open">Requests the rest from an endpoint, with the delivered part as the beginning of the answer.</param>
    /// <param name="reader">Classifies each item as content, the end, an error, or nothing.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The rest of the answer, at its first item.</returns>
    /// <exception cref="NotContinuedException">The answer may not be continued, or every attempt failed.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public static async ValueTask<StreamedAnswer<T>> ContinueAsync<TState, T>(
        this EndpointPool pool,
        RequestProfile profile,
        PartialResponseException cut,
        AnswerSoFar soFar,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        RequestProfile.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(cut);
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(reader);
        var route = ContinuationRoute.Begin(pool.Engine, profile, cut, soFar.Obstacle);
        while (true)
        {
            try
            {
                var rest = await pool.StreamAsync(
                    route.Next(),
                    (route, state, open),
                    static (attempt, s, token) =>
                    {
                        s.route.RecordAsked(attempt.Endpoint);
                        return s.open(attempt, s.state, token);
                    },
                    reader,
                    continueWith: null,
                    cancellationToken).ConfigureAwait(false);
                rest.AfterCharacters = soFar.Characters;
                return rest;
            }
            catch (EndpointPoolException exception)
            {
                route.RecordFailure(exception);
            }
            catch (Exception exception) when (exception is not (NotContinuedException or OperationCanceledException))
            {
                route.RecordRefusal();
            }
        }
    }
}

/// <summary>Describes the delivered part of an answer that was cut.</summary>
/// <param name="Characters">The number of characters.</param>
/// <param name="Obstacle">The property of the request or the answer that prevents a continuation. Null: none.</param>
public readonly record struct AnswerSoFar(int Characters, NotContinuedReason? Obstacle);
