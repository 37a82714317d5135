using HaKit.Peers;

namespace HaKit;

/// <summary>
/// Contains shorter ways to call a pool: without a profile, without a state, or without a result. Each does the same as the full method. Thread-safe.
/// </summary>
public static class EndpointPoolExtensions
{
    /// <summary>Explains in one sentence for each endpoint whether it can be chosen now for an ordinary request, and why. Has no side effects.</summary>
    /// <param name="pool">The pool.</param>
    /// <returns>One line for each endpoint, in the order of <see cref="EndpointPool.Endpoints"/>. If the pool has no endpoint, one line that says so.</returns>
    public static string Explain(this EndpointPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        var endpoints = pool.Explain(RequestProfile.Default);
        return endpoints.Count > 0 ? string.Join(Environment.NewLine, endpoints) : $"Pool {pool.Name} has no endpoint.";
    }

    /// <summary>Calls the pool with the default profile. If the state is a <see cref="RequestProfile"/>, the call uses it as its profile.</summary>
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

    /// <summary>
    /// Calls the pool for work that has no result, with the default profile. If the state is a <see cref="RequestProfile"/>, the call uses it as its profile.
    /// </summary>
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

    /// <summary>Calls the pool without a state, and returns the details of the call with the result.</summary>
    /// <inheritdoc cref="EndpointPool.ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public static ValueTask<Served<TResult>> ExecuteWithDetailAsync<TResult>(
        this EndpointPool pool, RequestProfile profile, Func<EndpointAttempt, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(callback);
        return pool.ExecuteWithDetailAsync(profile, callback, static (attempt, callback, token) => callback(attempt, token), cancellationToken);
    }

    /// <summary>Opens a stream without a continuation: a cut ends the stream.</summary>
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

    /// <summary>Opens a stream with the default profile. If the state is a <see cref="RequestProfile"/>, the call uses it as its profile.</summary>
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

    /// <summary>Drains an endpoint, without the operator's name and a reason.</summary>
    /// <inheritdoc cref="EndpointPool.DrainAsync(string, OrderNote, CancellationToken)"/>
    public static ValueTask DrainAsync(this EndpointPool pool, string endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return pool.DrainAsync(endpoint, OrderNote.None, cancellationToken);
    }

    /// <summary>
    /// Computes for each failure domain (endpoint, key, account, provider, model, region) the effect of losing it now: the share of calls for which the
    /// remaining endpoints would have no capacity within their limits. Has no side effects. The time of the computation grows with the demand: about 3 ms were
    /// measured at 65 calls per second, and 20 ms at 1,000.
    /// </summary>
    /// <param name="pool">The pool.</param>
    /// <param name="demand">The demand to compute with. Null: the demand of the last minute, including waiting calls.</param>
    /// <remarks>
    /// The computation uses the limits in the options (requests, tokens and concurrency of endpoints and accounts). It cannot include limits that only the
    /// server enforces. An endpoint without limits can take all calls. Endpoints of later tiers count as well, because the pool uses them when the first tier
    /// has no capacity.
    /// </remarks>
    public static RedundancyReport GetRedundancy(this EndpointPool pool, PoolDemand? demand = null)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return pool.Owners.Redundancy.Report(demand);
    }

    // If the state is a profile, the caller meant the profile. If the profile were used only as a state, its residency and deadline would silently have no
    // effect. For the same reason, a profile that is null is refused.
    private static RequestProfile ProfileIn<TState>(TState state)
    {
        if (state is RequestProfile profile)
            return profile;
        if (typeof(TState) == typeof(RequestProfile))
            RequestProfile.ThrowIfNull(null);
        return RequestProfile.Default;
    }

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
