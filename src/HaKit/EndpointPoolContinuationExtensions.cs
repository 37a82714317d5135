using HaKit.Failover;

namespace HaKit;

/// <summary>The rest of cut answers, for code that continues a stream of its own kind of items.</summary>
public static class EndpointPoolContinuationExtensions
{
    /// <summary>
    /// Gets whether the pool's setting or the profile allows the rest of a cut answer to be asked of another endpoint. While it is false, nothing of an answer need be kept.
    /// </summary>
    /// <param name="pool">The pool.</param>
    /// <param name="profile">What is known of the request.</param>
    public static bool MayContinue(this EndpointPool pool, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(profile);
        return ContinuationRoute.IsAllowed(pool.Engine, profile);
    }

    /// <summary>
    /// Opens the rest of a cut answer, for use within a stream's <c>continueWith</c>: on another endpoint that declares how it goes on from a beginning
    /// (<see cref="PoolEndpoint.Continuation"/>), of the same model first. The attempts have limits on their first content of their own; they end at the call's
    /// deadline, or 30 s after the cut, whichever is later. An answer has at most two seams.
    /// </summary>
    /// <typeparam name="TState">Whatever <paramref name="open"/> needs.</typeparam>
    /// <typeparam name="T">The items' type.</typeparam>
    /// <param name="pool">The pool.</param>
    /// <param name="profile">The profile of the call whose answer was cut.</param>
    /// <param name="cut">The cut, as the pool gave it.</param>
    /// <param name="soFar">What was delivered.</param>
    /// <param name="state">Handed to <paramref name="open"/>.</param>
    /// <param name="open">Asks an endpoint for the rest, with what was delivered as the beginning of the answer.</param>
    /// <param name="reader">Says what the items mean.</param>
    /// <param name="cancellationToken">The caller's own.</param>
    /// <returns>The rest, at its first item.</returns>
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
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(cut);
        ArgumentNullException.ThrowIfNull(open);
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
                route.Fail(exception.Attempts);
            }
            catch (Exception exception) when (exception is not (NotContinuedException or OperationCanceledException))
            {
                route.RecordRefusal();
            }
        }
    }
}

/// <summary>What was delivered of an answer that was cut.</summary>
/// <param name="Characters">How many characters.</param>
/// <param name="Obstacle">What in the request or in the answer stands in the way of a continuation; null for nothing.</param>
public readonly record struct AnswerSoFar(int Characters, NotContinuedReason? Obstacle);
