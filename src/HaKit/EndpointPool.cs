using System.Diagnostics.CodeAnalysis;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Http;
using HaKit.Limits;
using HaKit.Selection;
using HaKit.Telemetry;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;

namespace HaKit;

/// <summary>
/// A named set of interchangeable endpoints that is called as if it were one, and that stays up when they do not.
/// Thread-safe; keep one for the life of the application.
/// </summary>
public sealed partial class EndpointPool : IAsyncDisposable, IDisposable
{
    private readonly EndpointPoolParts _parts;
    private readonly PoolClock _clock;
    private readonly Chance _chance;
    private readonly HealthTracker _health;
    private readonly FailoverEngine _engine;
    private readonly ResiliencePipeline _pipeline;
    private EndpointPoolOptions _options;
    private IDisposable?[] _owned = [];

    /// <summary>A pool made without a container.</summary>
    /// <param name="name">Its name, for logs, metrics and messages.</param>
    /// <param name="options">Its members and settings.</param>
    /// <param name="parts">The clock, classifiers, strategies and probes; null for the defaults.</param>
    /// <exception cref="OptionsValidationException">Something in the options is wrong; all of it is named.</exception>
    public EndpointPool(string name, EndpointPoolOptions options, EndpointPoolParts? parts = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Refuse(name, options);
        Name = name;
        _options = options;
        _parts = parts ?? new EndpointPoolParts();
        _clock = new PoolClock(_parts.TimeProvider);
        StartTelemetry();
        var seed = options.Seed is { } given ? (ulong)given : Chance.FreshSeed();
        _chance = new Chance(seed);
        _health = new HealthTracker(options.CircuitBreaker, new Random((int)_chance.Next()), OnHealthChanged, LetReturnedIn);
        Classifier = new ChainedClassifier([.. _parts.Classifiers]);
        UseAccountLimits(options);
        var members = options.Endpoints.Select(e => NewMember(new PoolEndpoint(e))).ToArray();
        Origin = OriginOf(options.Origin ?? options.Endpoints[0].Address);
        _engine = new FailoverEngine(
            _clock, new PoolSnapshot(members, firstTier: 0), NewSelector(options), Settings(name, options), _health,
            new RetryBudget(options.RetryBudget), new WaitQueue(options.MaxWaitingCalls, _clock.Time), Classifier,
            new FailoverPolicy(_parts.FaultPolicy), _chance, _telemetry);
        var builder = new ResiliencePipelineBuilder { Name = name, TimeProvider = _clock.Time };
        _parts.ConfigurePipeline?.Invoke(builder);
        PollyListener.Listen(builder, _telemetry, _parts.PollyTelemetry, _parts.ConfigurePipeline is not null);
        _pipeline = builder.AddEndpointFailover(this).Build();
        Http = new HttpSide(this, _parts.LoggerFactory is { } loggers ? new SafeLogger(loggers.CreateLogger("HaKit.Http")) : NullLogger.Instance);
        StartHeartbeats();
        WatchLoad();
        WatchObjective();
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>
    /// Gets the base address that SDKs are given; the serving endpoint's address replaces it. It has no query, fragment or user info, even if the first
    /// endpoint's address has: a key or an api-version in there belongs to that endpoint alone.
    /// </summary>
    public Uri Origin { get; private set; }

    /// <summary>The members at this moment.</summary>
    public IReadOnlyList<PoolEndpoint> Endpoints => Array.ConvertAll(_engine.Snapshot.Members, static m => m.Endpoint);

    internal FailoverEngine Engine => _engine;

    internal IFaultClassifier Classifier { get; }

    internal EndpointPoolOptions Options => Volatile.Read(ref _options);

    /// <summary>The clock that it goes by.</summary>
    public TimeProvider Time => _clock.Time;

    /// <summary>The deadline of a call whose profile does not say otherwise, as the options have it at this moment.</summary>
    public TimeSpan Deadline => Options.TotalRequestTimeout.Timeout;

    /// <summary>Calls the pool with the default profile.</summary>
    /// <inheritdoc cref="ExecuteAsync{TState, TResult}(RequestProfile, TState, Func{EndpointAttempt, TState, CancellationToken, ValueTask{TResult}}, CancellationToken)"/>
    public ValueTask<TResult> ExecuteAsync<TState, TResult>(
        TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken = default) =>
        ExecuteAsync(RequestProfile.Default, state, callback, cancellationToken);

    /// <summary>
    /// Runs the callback on one endpoint after another until it succeeds, within the deadline. An attempt's token is cancelled when the attempt times
    /// out or the caller cancels; both reach the callback once it has returned its task. A callback that ignores its token delays nobody.
    /// Success that is synchronous allocates nothing.
    /// </summary>
    /// <typeparam name="TState">Whatever the callback needs.</typeparam>
    /// <typeparam name="TResult">What it returns; results of failed attempts that are <see cref="IDisposable"/> are disposed.</typeparam>
    /// <param name="profile">What is known of the request.</param>
    /// <param name="state">Handed to the callback, so that it need not capture anything.</param>
    /// <param name="callback">One attempt. Throws, or calls <see cref="EndpointAttempt.ReportFault"/>, to say that it failed.</param>
    /// <param name="cancellationToken">The caller's own.</param>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the request in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public ValueTask<TResult> ExecuteAsync<TState, TResult>(
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(callback);
        var call = _engine.Begin(profile, isStream: false, cancellationToken);
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(FailoverCall.Key, call);
        ValueTask<Outcome<TResult>> task;
        try
        {
            task = _pipeline.ExecuteOutcomeAsync(static (context, s) => InvokeAsync(context, s.state, s.callback), context, (state, callback));
        }
        catch (Exception thrown)
        {
            End(context, call, thrown); // a strategy or selector of the user's threw
            throw;
        }
        if (!task.IsCompletedSuccessfully)
        {
            if (call.Span is { } span)
                Spans.StepOut(span);
            return AwaitAsync(task, context, call);
        }
        var outcome = task.Result;
        End(context, call, outcome.Exception);
        return outcome.Exception is { } exception ? ValueTask.FromException<TResult>(exception) : new(outcome.Result!);
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
        return ExecuteAsync(profile, isStream: false, state, callback, cancellationToken);
    }

    internal async ValueTask<Served<TResult>> ExecuteAsync<TState, TResult>(
        RequestProfile profile,
        bool isStream,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(profile);
        var call = _engine.Begin(profile, isStream, cancellationToken);
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(FailoverCall.Key, call);
        Outcome<TResult> outcome;
        try
        {
            outcome = await _pipeline.ExecuteOutcomeAsync(static (context, s) => InvokeAsync(context, s.state, s.callback), context, (state, callback)).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            End(context, call, exception);
            throw;
        }
        var detail = outcome.Exception is null ? call.Detail(_clock.Now) : null;
        End(context, call, outcome.Exception);
        outcome.ThrowIfException();
        return new Served<TResult>(outcome.Result!, detail!);
    }

    /// <summary>Why each endpoint would or would not be chosen for such a request now. Has no side effects.</summary>
    /// <param name="profile">What is known of the request.</param>
    public IReadOnlyList<EndpointExplanation> Explain(RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        return _engine.Selector.Explain(_engine.Snapshot, new SelectionQuery(profile, new AttemptHistory(), _clock.Now));
    }

    /// <summary>Ends heartbeats, timers and events. Calls in flight run to their end. A container that is disposed of synchronously comes here.</summary>
    public void Dispose()
    {
        StopHeartbeats();
        _scaleTimer?.Dispose();
        _burnTimer?.Dispose();
        _telemetry.Dispose();
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

    partial void StartHeartbeats();

    partial void StopHeartbeats();

    private static async ValueTask<Outcome<TResult>> AwaitCallback<TResult>(ValueTask<TResult> task)
    {
        try
        {
            return Outcome.FromResult(await task.ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Every exception is evidence.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromException<TResult>(exception);
        }
    }

    private static ValueTask<Outcome<TResult>> InvokeAsync<TState, TResult>(
        ResilienceContext context, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback)
    {
        try
        {
            var lease = context.Properties.GetValue(EndpointGuardStrategy.LeaseKey, null!);
            lease.Declared = null;
            var task = callback(new EndpointAttempt(lease), state, context.CancellationToken);
            return task.IsCompletedSuccessfully ? Outcome.FromResultAsValueTask(task.Result) : AwaitCallback(task);
        }
#pragma warning disable CA1031 // Every exception is evidence.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }
    }

    private async ValueTask<TResult> AwaitAsync<TResult>(ValueTask<Outcome<TResult>> task, ResilienceContext context, FailoverCall call)
    {
        Outcome<TResult> outcome;
        try
        {
            outcome = await task.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            End(context, call, exception);
            throw;
        }
        End(context, call, outcome.Exception);
        outcome.ThrowIfException();
        return outcome.Result!;
    }

    private void End(ResilienceContext context, FailoverCall call, Exception? failure)
    {
        var (outcome, error) = _engine.Judge(call, failure);
        if (outcome is CallOutcome.Served or CallOutcome.Failed)
            _outcomes.Record(call.IsServed ? call.ServedAt : _clock.Now, outcome == CallOutcome.Served);
        ResilienceContextPool.Shared.Return(context);
        _engine.End(call, outcome, error);
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The guard's options have no annotated members to validate.")]
    private ResiliencePipeline NewEndpointPipeline(PoolEndpoint endpoint)
    {
        var builder = new ResiliencePipelineBuilder { Name = Name, InstanceName = endpoint.Name, TimeProvider = _clock.Time };
        builder.AddStrategy(_ => new EndpointGuardStrategy(Classifier, _clock.Time), new EndpointGuardOptions());
        _parts.ConfigureEndpointPipeline?.Invoke(builder, endpoint);
        PollyListener.Listen(builder, _telemetry, _parts.PollyTelemetry, _parts.ConfigureEndpointPipeline is not null);
        return builder.Build();
    }

    private static void Refuse(string name, EndpointPoolOptions options)
    {
        if (options.Validate(name) is { Count: > 0 } wrong)
            throw new OptionsValidationException(name, typeof(EndpointPoolOptions), wrong);
    }

    private static FailoverSettings Settings(string name, EndpointPoolOptions options) => new()
    {
        Pool = name,
        Deadline = options.TotalRequestTimeout.Timeout,
        AttemptTimeout = options.AttemptTimeout?.Timeout,
        Retry = options.Retry,
        FirstContent = options.FirstContent,
        Streaming = options.Streaming,
        Hedging = options.Hedging,
    };
}
