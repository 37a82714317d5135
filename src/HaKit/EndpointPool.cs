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
/// A named set of interchangeable endpoints that is called as if it were one, and that stays up when they do not.
/// Thread-safe; keep one for the life of the application. After it is disposed, calls and changes throw <see cref="ObjectDisposedException"/>; what it
/// shows of itself can still be read.
/// </summary>
public sealed class EndpointPool : IAsyncDisposable, IDisposable
{
    private IDisposable?[] _owned = [];
    private int _isDisposed;

    /// <summary>Makes a pool without a container.</summary>
    /// <param name="name">Its name, for logs, metrics and messages.</param>
    /// <param name="options">Its members and settings. The pool takes a copy: what the caller changes afterwards takes effect only through <see cref="Update"/>.</param>
    /// <param name="parts">The clock, classifiers, strategies and probes; null for the defaults.</param>
    /// <exception cref="OptionsValidationException">Something in the options is wrong; all of it is named.</exception>
    public EndpointPool(string name, EndpointPoolOptions options, EndpointPoolParts? parts = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        parts ??= new EndpointPoolParts();
        options = PoolMembers.Validated(name, options);
        Name = name;
        Origin = PoolOwners.OriginOf(options.Origin ?? options.Endpoints.FirstOrDefault()?.Address);
        Owners = new PoolOwners(name, options, parts);
        Owners.UseChanges();
        Owners.Peers.Start();
    }

    /// <summary>Gets the pool's name.</summary>
    public string Name { get; }

    /// <summary>
    /// Gets the base address that SDKs are given; the serving endpoint's address replaces it. It has no query, fragment or user info, even if the first
    /// endpoint's address has: a key or an api-version in there belongs to that endpoint alone.
    /// </summary>
    public Uri Origin { get; }

    /// <summary>Gets the members at this moment.</summary>
    public IReadOnlyList<PoolEndpoint> Endpoints => Owners.Engine.Snapshot.Endpoints;

    /// <summary>Gets the clock that the pool goes by.</summary>
    public TimeProvider Time => Owners.Clock.Time;

    /// <summary>Gets the deadline of a call whose profile does not say otherwise, as the options have it at this moment.</summary>
    public TimeSpan Deadline => Options.TotalRequestTimeout.Timeout;

    /// <summary>Gets what happens to the pool: every change of an endpoint's health, every order, outages, recovery actions.</summary>
    public PoolEvents Events => Owners.Journal.Events;

    internal PoolOwners Owners { get; }

    internal FailoverEngine Engine => Owners.Engine;

    internal EndpointPoolOptions Options => Owners.Options.Value;

    /// <summary>
    /// Runs the callback on one endpoint after another until it succeeds, within the deadline. An attempt's token is cancelled when the attempt times
    /// out or the caller cancels; both reach the callback once it has returned its task. A callback that ignores its token delays nothing else.
    /// Success that is synchronous allocates nothing. As for every <see cref="ValueTask"/>: await the result once, or call AsTask; a pooled object may carry it.
    /// </summary>
    /// <typeparam name="TState">Whatever the callback needs.</typeparam>
    /// <typeparam name="TResult">What it returns; results of failed attempts that are <see cref="IDisposable"/> are disposed. An <see cref="HttpResponseMessage"/> with a failing status is a failure, judged by its status and body.</typeparam>
    /// <param name="profile">What is known of the request.</param>
    /// <param name="state">Handed to the callback, so that it need not capture anything.</param>
    /// <param name="callback">One attempt. Throws, or calls <see cref="EndpointAttempt.ReportFault"/>, to say that it failed.</param>
    /// <param name="cancellationToken">The caller's own.</param>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the request in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask<TResult> ExecuteAsync<TState, TResult>(
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(callback);
        return Live(Owners.Calls).ExecuteAsync(profile, state, callback, cancellationToken);
    }

    /// <summary>As <see cref="ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>, and tells how the result came about.</summary>
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
    /// <param name="continueWith">
    /// Called once, after a cut: gives the rest of the answer as the caller wants it (for instance by asking with what was delivered as a prefix), or null for none.
    /// If it fails, or its stream does, the exception of the first cut is what the caller gets. Null: a cut ends the stream.
    /// </param>
    /// <param name="cancellationToken">The caller's own; it also ends the reading.</param>
    /// <returns>The stream, at its first item. Dispose it if it is not read to its end.</returns>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the request in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed before the first content.</exception>
    /// <exception cref="EndpointFaultException">The request itself was refused, within the stream.</exception>
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
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(reader);
        return Live(Owners.Calls).StreamAsync(profile, state, open, reader, continueWith, cancellationToken);
    }

    /// <summary>Explains why each endpoint would or would not be chosen for such a request now. Has no side effects.</summary>
    /// <param name="profile">What is known of the request.</param>
    public IReadOnlyList<EndpointExplanation> Explain(RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        return Owners.Engine.Selector.Explain(Owners.Engine.Snapshot, new SelectionQuery(profile, new AttemptHistory(), Owners.Clock.Now));
    }

    /// <summary>Gets how the pool and each of its endpoints is at this moment. Reads only; costs about a microsecond for each endpoint.</summary>
    public PoolStatus GetStatus() => PoolStatusReader.Read(Name, Owners.Clock, Owners.Engine.Snapshot, Owners.Engine);

    /// <summary>Measures how loaded the pool is now, and how many endpoints it wants.</summary>
    public ScaleSignal MeasureLoad() => Owners.Load.Measure();

    /// <summary>
    /// Gets the availability observed since the pool was made: of each endpoint with bounds, of the pool as predicted from them and as delivered to callers,
    /// how far endpoints fail together, and what is left of the error budget. An endpoint counts as up while it may take ordinary traffic; a call counts
    /// as failed unless it was served, was the request's own fault, or its caller went away.
    /// </summary>
    public AvailabilityReport GetAvailabilityReport() => Owners.Objective.Report();

    /// <summary>
    /// Takes new options: members of the same name, address and failure domains keep their state, new ones are added, absent ones are drained and
    /// removed. Calls in flight are not disturbed. Endpoints that <see cref="AddEndpoint"/> added stay, unless the options have one of the same name; only <see cref="RemoveEndpoint"/> takes them out.
    /// Settings that only a new pool can take are named in a log line.
    /// </summary>
    /// <param name="options">The new options, whole. The pool takes a copy.</param>
    /// <exception cref="OptionsValidationException">Something is wrong with them; nothing was changed.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public void Update(EndpointPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Live(Owners.Members).Update(options);
        Owners.UseChanges();
    }

    /// <summary>Adds an endpoint while calls run.</summary>
    /// <param name="endpoint">The endpoint, of a name that the pool does not have yet. The pool takes a copy.</param>
    /// <exception cref="OptionsValidationException">Something is wrong with it; nothing was changed.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public void AddEndpoint(EndpointOptions endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        Live(Owners.Members).Add(endpoint);
        Owners.UseChanges();
    }

    /// <summary>Takes an endpoint out of the pool. It is given nothing new; attempts that it has run to their end.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>False when the pool has no endpoint of this name.</returns>
    /// <exception cref="InvalidOperationException">It is the last one, and <see cref="EndpointPoolOptions.AllowEmpty"/> is not set.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public bool RemoveEndpoint(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Live(Owners.Members).Remove(name))
            return false;
        Owners.UseChanges();
        return true;
    }

    /// <summary>Lets the endpoint finish what it has in flight, streams included, and gives it no more, until it is brought up again.</summary>
    /// <param name="endpoint">Its name.</param>
    /// <param name="note">The operator and the reason.</param>
    /// <param name="cancellationToken">Ends the waiting; the endpoint stays out.</param>
    /// <returns>Completes when nothing is in flight on it.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="InvalidOperationException">It was brought up again before it was empty.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask DrainAsync(string endpoint, OrderNote note, CancellationToken cancellationToken = default) =>
        Live(Owners.Orders).DrainAsync(endpoint, note, cancellationToken);

    /// <summary>Gives the endpoint no more from now on, until it is brought up again. What is in flight on it goes on.</summary>
    /// <param name="endpoint">Its name.</param>
    /// <param name="note">The operator and the reason; null for an order given in code.</param>
    /// <returns>Completes when no call will choose it any more.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask ForceDownAsync(string endpoint, OrderNote? note = null) => Live(Owners.Orders).ForceDownAsync(endpoint, note);

    /// <summary>Brings the endpoint back in a slow start, whether an operator or its faults took it out; its key and quota are trusted again.</summary>
    /// <param name="endpoint">Its name.</param>
    /// <param name="note">The operator and the reason; null for an order given in code.</param>
    /// <returns>Completes when calls may choose it.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask BringUpAsync(string endpoint, OrderNote? note = null) => Live(Owners.Orders).BringUpAsync(endpoint, note);

    /// <summary>Uses the given tier first from now on; those after it follow, those before it come last.</summary>
    /// <param name="tier">The tier.</param>
    /// <param name="note">The operator and the reason; null for an order given in code.</param>
    /// <returns>Completes when new choices follow the new order.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint in this tier.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask PromoteAsync(int tier, OrderNote? note = null) => Live(Owners.Orders).PromoteAsync(tier, note);

    /// <summary>Takes back a promotion: the lowest tier is used first again.</summary>
    /// <param name="note">The operator and the reason; null for an order given in code.</param>
    /// <returns>Completes when new choices follow the usual order.</returns>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public ValueTask FailBackAsync(OrderNote? note = null) => Live(Owners.Orders).FailBackAsync(note);

    /// <summary>
    /// Takes a fact from another replica, for a transport of your own; a pool with a link hears by itself. Bounded: known endpoints times 1,000 replicas
    /// are kept, for as long as the facts hold. Facts of unknown kinds or endpoints are ignored.
    /// </summary>
    /// <param name="fact">The fact.</param>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public void Learn(PeerFact fact)
    {
        ArgumentNullException.ThrowIfNull(fact);
        Live(Owners.Peers).ReceiveFact(fact);
    }

    /// <summary>Gets what this pool knows of the other replicas at this moment. Reads only.</summary>
    public FleetStatus GetFleetStatus() => Owners.Peers.Status();

    /// <summary>
    /// Waits until what the other replicas know has been heard, at most for <see cref="SharingOptions.WarmStart"/>. The container does so when the
    /// application starts; no call ever does.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>False when the time was over first, or there is no link.</returns>
    public ValueTask<bool> WarmUpAsync(CancellationToken cancellationToken = default) => Owners.Peers.WarmUpAsync(cancellationToken);

    /// <summary>Ends heartbeats, timers and events. Calls in flight run to their end; new ones throw. A container that is disposed of synchronously comes here.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        Owners.Dispose();
        foreach (var owned in Interlocked.Exchange(ref _owned, []))
            owned?.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    /// <summary>Is disposed with the pool.</summary>
    internal void Owns(IDisposable? owned) => _owned = [.. _owned, owned];

    internal ValueTask<Served<TResult>> ExecuteWithDetailAsync<TState, TResult>(
        RequestProfile profile, bool isStream, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken,
        EarlierTries? earlier = null)
    {
        ArgumentNullException.ThrowIfNull(profile);
        return Live(Owners.Calls).ExecuteWithDetailAsync(profile, isStream, state, callback, cancellationToken, earlier);
    }

    private T Live<T>(T owner)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
        return owner;
    }
}
