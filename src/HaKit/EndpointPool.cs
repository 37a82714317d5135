using HaKit.Attempts;
using HaKit.Availability;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Peers;
using HaKit.Pool;
using HaKit.Selection;
using Microsoft.Extensions.Options;

namespace HaKit;

/// <summary>
/// Represents a named set of interchangeable endpoints that you call as if it were one endpoint. A call succeeds as long as one endpoint can serve it.
/// Thread-safe; keep one pool for the life of the application. After the pool is disposed, calls and changes throw <see cref="ObjectDisposedException"/>; its
/// status can still be read.
/// </summary>
public sealed class EndpointPool : IAsyncDisposable, IDisposable
{
    private IDisposable?[] _owned = [];
    private int _isDisposed;

    /// <summary>Creates a pool without a dependency-injection container.</summary>
    /// <param name="name">The pool's name, for logs, metrics and messages.</param>
    /// <param name="options">The endpoints and the settings. The pool takes a copy: later changes to this object have no effect until <see cref="Update"/> is called.</param>
    /// <param name="parts">The clock, classifiers, strategies and probes. Null: the defaults.</param>
    /// <exception cref="OptionsValidationException">The options have mistakes; the message names all of them.</exception>
    public EndpointPool(string name, EndpointPoolOptions options, EndpointPoolParts? parts = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        parts ??= new EndpointPoolParts();
        options = PoolMembers.Validated(name, options);
        Name = name;
        Origin = PoolOwners.OriginOf(options.Origin ?? options.Endpoints.FirstOrDefault()?.Address);
        Owners = PoolOwners.Start(name, options, parts);
    }

    /// <summary>Gets the pool's name.</summary>
    public string Name { get; }

    /// <summary>Gets the base address to give to an SDK, without query, fragment and user info. In each request the serving endpoint's address replaces it.</summary>
    public Uri Origin { get; }

    /// <summary>Gets the current endpoints.</summary>
    public IReadOnlyList<PoolEndpoint> Endpoints => Owners.Engine.Snapshot.Endpoints;

    /// <summary>Gets the clock that the pool uses.</summary>
    public TimeProvider Time => Owners.Clock.Time;

    /// <summary>Gets the current deadline of a call whose profile has none.</summary>
    public TimeSpan Deadline => Options.TotalRequestTimeout.Timeout;

    /// <summary>Gets the events of the pool: every change of an endpoint's health, every order, outages, recovery actions.</summary>
    public PoolEvents Events => Owners.Journal.Events;

    internal PoolOwners Owners { get; }

    internal FailoverEngine Engine => Owners.Engine;

    internal EndpointPoolOptions Options => Owners.Options.Value;

    internal bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    /// <summary>
    /// Runs the callback on one endpoint after another until it succeeds, within the deadline. The token of an attempt is cancelled when the attempt times out
    /// or the caller cancels. While the callback has not yet returned its task, for example because it blocks its thread, the pool cannot cancel the token.
    /// As soon as the callback has returned its task, a callback that ignores its token does not delay the call. A synchronous success allocates nothing. As with every <see cref="ValueTask"/>, await the result once or call AsTask, because a pooled object may be behind it.
    /// </summary>
    /// <typeparam name="TState">The type of the state for the callback.</typeparam>
    /// <typeparam name="TResult">The type of the result. Results of failed attempts are disposed if they are <see cref="IDisposable"/>. An <see cref="HttpResponseMessage"/> with a failing status is a failure; the pool classifies it by its status and body.</typeparam>
    /// <param name="profile">The information about the request that the pool cannot see: requirements, sizes, deadline.</param>
    /// <param name="state">The state for the callback, so that the callback does not have to capture variables.</param>
    /// <param name="callback">Makes one attempt. It throws, or calls <see cref="EndpointAttempt.ReportFault"/>, to report that the attempt failed. If the
    /// request itself is at fault, or must not be repeated, the caller gets the callback's exception or result unchanged.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the request in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed.</exception>
    /// <exception cref="TimeoutException">An attempt timed out, and the request must not be repeated (<see cref="RequestProfile.MayRepeat"/>).</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask<TResult> ExecuteAsync<TState, TResult>(
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback,
        CancellationToken cancellationToken = default)
    {
        RequestProfile.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(callback);
        return Live(Owners.Calls).ExecuteAsync(profile, state, callback, cancellationToken);
    }

    /// <summary>Does the same as <see cref="ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken,
    /// ValueTask{TResult}}, CancellationToken)"/>, and returns the details of the call with the result.</summary>
    /// <inheritdoc cref="ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public ValueTask<Served<TResult>> ExecuteWithDetailAsync<TState, TResult>(
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return ExecuteWithDetailAsync(profile, isStream: false, state, Owners.Responses.Around(callback), cancellationToken);
    }

    /// <summary>
    /// Opens a stream on one endpoint after another until one delivers content, and returns that stream. After a failure before the first content, the pool
    /// tries the next endpoint. Later, a cut ends the stream with <see cref="PartialResponseException"/>, so an incomplete answer never looks complete. The pool
    /// never replays delivered content silently. The deadline applies until the first content. After that, <see cref="StreamingOptions.IdleTimeout"/> applies.
    /// </summary>
    /// <typeparam name="TState">The type of the state for <paramref name="open"/>.</typeparam>
    /// <typeparam name="T">The type of the items.</typeparam>
    /// <param name="profile">The information about the request that the pool cannot see: requirements, sizes, deadline.</param>
    /// <param name="state">The state for <paramref name="open"/>.</param>
    /// <param name="open">Opens the stream on an endpoint. The token is valid until the stream ends.</param>
    /// <param name="reader">Classifies each item as content, the end, an error, or nothing.</param>
    /// <param name="continueWith">Called after a cut. Returns the rest of the answer (for example from a request with the delivered part as a prefix), or null for
    /// no rest. If <paramref name="continueWith"/> itself is null, the first cut ends the stream. If the function fails, or returns a stream of your own that fails, the caller gets the exception of the first cut.
    /// If it returns the result of <c>pool.ContinueAsync</c> unchanged, and this rest is cut too, the pool calls it once more. A third cut ends the stream.</param>
    /// <param name="cancellationToken">Cancels the call, and later the reading of the stream.</param>
    /// <returns>The stream, at its first item. Dispose the stream unless you read it to its end.</returns>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the request in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed before the first content.</exception>
    /// <exception cref="TimeoutException">An attempt timed out, and the request must not be repeated (<see cref="RequestProfile.MayRepeat"/>).</exception>
    /// <exception cref="EndpointFaultException">The request itself was refused, inside the stream.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask<StreamedAnswer<T>> StreamAsync<TState, T>(
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        Func<PartialResponseException, CancellationToken, ValueTask<IAsyncEnumerable<T>?>>? continueWith,
        CancellationToken cancellationToken = default)
    {
        RequestProfile.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(reader);
        return Live(Owners.Calls).StreamAsync(profile, state, open, reader, continueWith, cancellationToken);
    }

    /// <summary>Explains for each endpoint why it would or would not be chosen now for a request with this profile. Has no side effects.</summary>
    /// <param name="profile">The information about the request that the pool cannot see: requirements, sizes, deadline.</param>
    public IReadOnlyList<EndpointExplanation> Explain(RequestProfile profile)
    {
        RequestProfile.ThrowIfNull(profile);
        return Owners.Engine.Selector.Explain(Owners.Engine.Snapshot, new SelectionQuery(profile, new AttemptHistory(), Owners.Clock.Now));
    }

    /// <summary>Gets the current status of the pool and of each endpoint. Has no side effects; takes about a microsecond for each endpoint.</summary>
    public PoolStatus GetStatus() => PoolStatusReader.Read(Name, Owners);

    /// <summary>Measures the current load of the pool and how many endpoints this load needs.</summary>
    public ScaleSignal MeasureLoad() => Owners.Load.Measure();

    /// <summary>
    /// Gets the availability since the pool was created: the observed availability of each endpoint with bounds, the predicted and the delivered availability
    /// of the pool, the correlation of the endpoints' outages, and the rest of the error budget. An endpoint counts as up while it may take ordinary traffic. A
    /// call counts as failed unless it was served, the request itself was at fault, or the caller cancelled.
    /// </summary>
    public AvailabilityReport GetAvailabilityReport() => Owners.Objective.Report();

    /// <summary>
    /// Replaces the options. Endpoints with the same name, address and failure domains keep their state, new endpoints are added, and absent endpoints are
    /// drained and removed. Calls in flight are not disturbed. Only <see cref="RemoveEndpoint"/> removes endpoints that <see cref="AddEndpoint"/> added. If the
    /// options contain such an endpoint, the endpoint belongs to the options from then on. A log line names the changed settings that only a new pool can use.
    /// </summary>
    /// <param name="options">The complete new options. The pool takes a copy.</param>
    /// <exception cref="OptionsValidationException">The options have mistakes; nothing was changed. If the code that builds your own strategies throws another exception, that exception is passed on, and nothing was changed either.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public void Update(EndpointPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Live(Owners.Members).Update(options);
        Owners.UseChanges();
    }

    /// <summary>Adds an endpoint while calls run.</summary>
    /// <param name="endpoint">The endpoint. Its name must be new in this pool. The pool takes a copy.</param>
    /// <exception cref="OptionsValidationException">The endpoint's options have mistakes; nothing was changed.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public void AddEndpoint(EndpointOptions endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        Live(Owners.Members).Add(endpoint);
        Owners.UseChanges();
    }

    /// <summary>Removes an endpoint from the pool. The endpoint gets no new attempts; attempts in flight run to their end.</summary>
    /// <param name="name">The endpoint's name.</param>
    /// <returns>False when the pool has no endpoint of this name.</returns>
    /// <exception cref="InvalidOperationException">The endpoint is the last one, and <see cref="EndpointPoolOptions.AllowEmpty"/> is not set.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public bool RemoveEndpoint(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Live(Owners.Members).Remove(name))
            return false;
        Owners.UseChanges();
        return true;
    }

    /// <summary>
    /// Drains the endpoint: attempts and streams in flight run to their end, and the endpoint gets no new attempts until <see cref="BringUpAsync"/>.
    /// </summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="note">The operator and the reason.</param>
    /// <param name="cancellationToken">Ends the waiting with an <see cref="OperationCanceledException"/>; the endpoint stays drained, and <see cref="EndpointDrained"/> still follows.</param>
    /// <returns>A task that completes when nothing is in flight on the endpoint.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="InvalidOperationException">The endpoint was brought up again before its last attempt ended.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask DrainAsync(string endpoint, OrderNote note, CancellationToken cancellationToken = default) =>
        Live(Owners.Orders).DrainAsync(endpoint, note, cancellationToken);

    /// <summary>Takes the endpoint out of service now. It gets no new attempts until <see cref="BringUpAsync"/>; attempts in flight run to their end.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="note">The operator and the reason. Null if your code, and not a person, gives the order.</param>
    /// <returns>A task that completes when no call can choose the endpoint any more.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask ForceDownAsync(string endpoint, OrderNote? note = null) => Live(Owners.Orders).ForceDownAsync(endpoint, note);

    /// <summary>Brings the endpoint back with a slow start, after an order or an ejection. Also ends the cooldown of a refused key or an exhausted quota.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="note">The operator and the reason. Null if your code, and not a person, gives the order.</param>
    /// <returns>A task that completes when calls may choose the endpoint.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask BringUpAsync(string endpoint, OrderNote? note = null) => Live(Owners.Orders).BringUpAsync(endpoint, note);

    /// <summary>Uses the given tier first from now on. The tiers after it come next, and the tiers before it come last.</summary>
    /// <param name="tier">The number of the tier.</param>
    /// <param name="note">The operator and the reason. Null if your code, and not a person, gives the order.</param>
    /// <returns>A task that completes when new choices follow the new order.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint in this tier.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask PromoteAsync(int tier, OrderNote? note = null) => Live(Owners.Orders).PromoteAsync(tier, note);

    /// <summary>Takes back <see cref="PromoteAsync"/>: the lowest tier is used first again.</summary>
    /// <param name="note">The operator and the reason. Null if your code, and not a person, gives the order.</param>
    /// <returns>A task that completes when new choices follow the usual order.</returns>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask FailBackAsync(OrderNote? note = null) => Live(Owners.Orders).FailBackAsync(note);

    /// <summary>
    /// Gives the pool a fact from another replica, if your own code transports the facts. (A pool with a link receives facts by itself.) The pool keeps facts
    /// of at most 1,000 replicas for each of its endpoints, as long as they are valid. It ignores facts of unknown kinds or endpoints.
    /// </summary>
    /// <param name="fact">The fact.</param>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public void Learn(PeerFact fact)
    {
        ArgumentNullException.ThrowIfNull(fact);
        Live(Owners.Peers).ReceiveFact(fact);
    }

    /// <summary>Gets the status of the fleet: the opinions and orders of all replicas, as this pool last received them. Has no side effects.</summary>
    public FleetStatus GetFleetStatus() => Owners.Peers.Status();

    /// <summary>Waits until the facts of the other replicas have arrived, at most for <see cref="SharingOptions.WarmStart"/>. The container calls this at start-up; calls never wait for it.</summary>
    /// <param name="cancellationToken">Ends the waiting; the method then returns false and does not throw.</param>
    /// <returns>False if the time passed first, or if the pool has no link.</returns>
    public ValueTask<bool> WarmUpAsync(CancellationToken cancellationToken = default) => Owners.Peers.WarmUpAsync(cancellationToken);

    /// <summary>Ends heartbeats, timers and events. Calls in flight run to their end; new calls throw.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        using var parts = new DisposableParts();
        parts.AddAll([.. Interlocked.Exchange(ref _owned, []), Owners]); // the owners are disposed first
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    /// <summary>Adds an object that the pool disposes when the pool is disposed.</summary>
    internal void AddOwned(IDisposable? owned) => _owned = [.. _owned, owned];

    internal ValueTask<Served<TResult>> ExecuteWithDetailAsync<TState, TResult>(
        RequestProfile profile, bool isStream, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken,
        EarlierTries? earlier = null)
    {
        RequestProfile.ThrowIfNull(profile);
        return Live(Owners.Calls).ExecuteWithDetailAsync(profile, isStream, state, callback, cancellationToken, earlier);
    }

    private T Live<T>(T owner)
    {
        if (IsDisposed)
            throw new ObjectDisposedException(nameof(EndpointPool), Engine.DisposedMessage);
        return owner;
    }
}
