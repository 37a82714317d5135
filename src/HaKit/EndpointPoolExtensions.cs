using HaKit.Peers;

namespace HaKit;

/// <summary>
/// The shorter ways to call a pool: without a profile, without a state, without a result. Each does the same as the method that it is short for.
/// Thread-safe.
/// </summary>
public static class EndpointPoolExtensions
{
    /// <summary>Explains in one sentence for each endpoint whether it can be chosen now for an ordinary request, and why. Has no side effects.</summary>
    /// <param name="pool">The pool.</param>
    /// <returns>One line for each endpoint, in the order in which they were listed.</returns>
    public static string Explain(this EndpointPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return string.Join(Environment.NewLine, pool.Explain(RequestProfile.Default));
    }

    /// <summary>Calls the pool with the default profile; or, if the state is a <see cref="RequestProfile"/>, with that profile.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask<TResult> ExecuteAsync<TState, TResult>(
        this EndpointPool pool, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return pool.ExecuteAsync(ProfileIn(state), state, callback, cancellationToken);
    }

    /// <summary>Calls the pool without a state.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask<TResult> ExecuteAsync<TResult>(
        this EndpointPool pool, RequestProfile profile, Func<EndpointAttempt, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(callback);
        return pool.ExecuteAsync(profile, callback, static (attempt, callback, token) => callback(attempt, token), cancellationToken);
    }

    /// <summary>Calls the pool with the default profile and without a state.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask<TResult> ExecuteAsync<TResult>(
        this EndpointPool pool, Func<EndpointAttempt, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken = default) =>
        pool.ExecuteAsync(RequestProfile.Default, callback, cancellationToken);

    /// <summary>Calls the pool for work that has no result.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask ExecuteAsync<TState>(
        this EndpointPool pool, RequestProfile profile, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask> callback, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(callback);
        return WithoutResult(pool.ExecuteAsync(profile, (state, callback), static (attempt, s, token) => WithResult(s.callback(attempt, s.state, token)), cancellationToken));
    }

    /// <summary>Calls the pool for work that has no result, with the default profile; or, if the state is a <see cref="RequestProfile"/>, with that profile.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask ExecuteAsync<TState>(
        this EndpointPool pool, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask> callback, CancellationToken cancellationToken = default) =>
        pool.ExecuteAsync(ProfileIn(state), state, callback, cancellationToken);

    /// <summary>Calls the pool for work that has no result, without a state.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask ExecuteAsync(
        this EndpointPool pool, RequestProfile profile, Func<EndpointAttempt, CancellationToken, ValueTask> callback, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return pool.ExecuteAsync(profile, callback, static (attempt, callback, token) => callback(attempt, token), cancellationToken);
    }

    /// <summary>Calls the pool for work that has no result, with the default profile and without a state.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask ExecuteAsync(
        this EndpointPool pool, Func<EndpointAttempt, CancellationToken, ValueTask> callback, CancellationToken cancellationToken = default) =>
        pool.ExecuteAsync(RequestProfile.Default, callback, cancellationToken);

    /// <summary>Calls the pool without a state, and tells how the result came about.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask<Served<TResult>> ExecuteWithDetailAsync<TResult>(
        this EndpointPool pool, RequestProfile profile, Func<EndpointAttempt, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(callback);
        return pool.ExecuteWithDetailAsync(profile, callback, static (attempt, callback, token) => callback(attempt, token), cancellationToken);
    }

    /// <summary>Opens a stream; a cut ends it.</summary>
    /// <inheritdoc cref="EndpointPool.StreamAsync{TState, T}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, StreamItemReader{T}, Func{PartialResponseException, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, CancellationToken)"/>
    public static ValueTask<StreamedAnswer<T>> StreamAsync<TState, T>(
        this EndpointPool pool,
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return pool.StreamAsync(profile, state, open, reader, continueWith: null, cancellationToken);
    }

    /// <summary>Opens a stream with the default profile; or, if the state is a <see cref="RequestProfile"/>, with that profile.</summary>
    /// <inheritdoc cref="EndpointPool.StreamAsync{TState, T}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, StreamItemReader{T}, Func{PartialResponseException, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, CancellationToken)"/>
    public static ValueTask<StreamedAnswer<T>> StreamAsync<TState, T>(
        this EndpointPool pool,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        CancellationToken cancellationToken = default) =>
        pool.StreamAsync(ProfileIn(state), state, open, reader, cancellationToken);

    /// <summary>Opens a stream without a state.</summary>
    /// <inheritdoc cref="EndpointPool.StreamAsync{TState, T}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, StreamItemReader{T}, Func{PartialResponseException, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, CancellationToken)"/>
    public static ValueTask<StreamedAnswer<T>> StreamAsync<T>(
        this EndpointPool pool,
        RequestProfile profile,
        Func<EndpointAttempt, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(open);
        return pool.StreamAsync(profile, open, static (attempt, open, token) => open(attempt, token), reader, cancellationToken);
    }

    /// <summary>Opens a stream with the default profile and without a state.</summary>
    /// <inheritdoc cref="EndpointPool.StreamAsync{TState, T}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, StreamItemReader{T}, Func{PartialResponseException, CancellationToken, ValueTask{IAsyncEnumerable{T}}}, CancellationToken)"/>
    public static ValueTask<StreamedAnswer<T>> StreamAsync<T>(
        this EndpointPool pool, Func<EndpointAttempt, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open, StreamItemReader<T> reader, CancellationToken cancellationToken = default) =>
        pool.StreamAsync(RequestProfile.Default, open, reader, cancellationToken);

    /// <summary>Drains an endpoint without a note of the operator and the reason.</summary>
    /// <inheritdoc cref="EndpointPool.DrainAsync(string, OrderNote, CancellationToken)"/>
    public static ValueTask DrainAsync(this EndpointPool pool, string endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return pool.DrainAsync(endpoint, OrderNote.None, cancellationToken);
    }

    /// <summary>
    /// Tells for each failure domain (endpoint, key, account, provider, model, region) what would happen if it were lost now: the share of the calls for which the
    /// limits of the endpoints that are left and take traffic would have no room. Reads only; costs some microseconds for each domain.
    /// </summary>
    /// <param name="pool">The pool.</param>
    /// <param name="demand">The demand to compute it for; null for what was measured in the last minute, waiting calls included.</param>
    /// <remarks>
    /// It counts what the limits in the options say (requests, tokens, concurrency, of endpoints and of accounts), not limits that only the server knows. An endpoint
    /// without limits carries everything. Endpoints of later tiers count as well, because the pool uses them when the first tier has no room.
    /// </remarks>
    public static RedundancyReport GetRedundancy(this EndpointPool pool, PoolDemand? demand = null)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return pool.Owners.Redundancy.Report(demand);
    }

    // A profile that is given as the state is meant as the profile: to take it for a mere state would drop its residency and its deadline in silence.
    private static RequestProfile ProfileIn<TState>(TState state) =>
        typeof(TState) == typeof(RequestProfile) && state is RequestProfile profile ? profile : RequestProfile.Default;

    private static ValueTask<bool> WithResult(ValueTask task)
    {
        return task.IsCompletedSuccessfully ? new(true) : AwaitAsync(task);

        static async ValueTask<bool> AwaitAsync(ValueTask task)
        {
            await task.ConfigureAwait(false);
            return true;
        }
    }

    private static ValueTask WithoutResult(ValueTask<bool> task)
    {
        return task.IsCompletedSuccessfully ? default : AwaitAsync(task);

        static async ValueTask AwaitAsync(ValueTask<bool> task) => await task.ConfigureAwait(false);
    }
}
