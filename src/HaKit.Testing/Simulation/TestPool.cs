namespace HaKit.Testing;

/// <summary>A real pool over scripted endpoints in virtual time, created by <see cref="TestPools"/>. For use on one thread.</summary>
public sealed class TestPool : IDisposable
{
    private readonly Dictionary<string, ScriptedEndpoint> _endpoints = new(StringComparer.Ordinal);

    internal TestPool(EndpointPoolOptions options, Action<EndpointPoolParts>? configure, int seed, ManualTimeProvider? time = null)
    {
        Options = options;
        Time = time ?? new ManualTimeProvider();
        var alarms = new Alarms(Time);
        foreach (var endpoint in options.Endpoints)
            _endpoints[endpoint.Name] = new ScriptedEndpoint(endpoint.Name, Time, alarms, seed * 7919 + _endpoints.Count) { Index = _endpoints.Count };
        var parts = new EndpointPoolParts { TimeProvider = Time };
        if (options.Heartbeat.Enabled)
            parts.Probe = endpoint => _endpoints.TryGetValue(endpoint.Name, out var scripted) ? new ScriptedProbe(scripted.Faults) : null;
        configure?.Invoke(parts);
        Pool = new EndpointPool("test", options, parts);
        Events = new PoolEventRecorder(Pool);
    }

    /// <summary>Gets the clock of the pool and its endpoints.</summary>
    public ManualTimeProvider Time { get; }

    /// <summary>Gets the real pool.</summary>
    public EndpointPool Pool { get; }

    /// <summary>Gets the recorded events of the pool.</summary>
    public PoolEventRecorder Events { get; }

    /// <summary>Gets the endpoints, in the pool's order.</summary>
    public IReadOnlyCollection<ScriptedEndpoint> Endpoints => _endpoints.Values;

    internal EndpointPoolOptions Options { get; }

    /// <summary>Gets an endpoint by name.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <exception cref="ArgumentException">The pool had no endpoint of this name when it was created.</exception>
    public ScriptedEndpoint this[string endpoint] => _endpoints.TryGetValue(endpoint, out var scripted)
        ? scripted
        : throw new ArgumentException($"There is no scripted endpoint '{endpoint}'; there are {string.Join(", ", _endpoints.Keys)}.", nameof(endpoint));

    /// <summary>Makes one call and advances the clock until the call has ended.</summary>
    /// <param name="profile">The profile of the request; null for the default.</param>
    /// <returns>The details of how the call was served.</returns>
    /// <exception cref="NoEndpointAvailableException">No endpoint could serve the call.</exception>
    /// <exception cref="DeadlineExceededException">The call's deadline passed.</exception>
    /// <exception cref="HttpRequestException">The call failed with a failure that the pool does not retry.</exception>
    public CallDetail Call(RequestProfile? profile = null)
    {
        try
        {
            return Time.Run(() => CallAsync(profile));
        }
        finally
        {
            // Publishes the events of the call.
            Time.Advance(TimeSpan.Zero);
        }
    }

    /// <summary>Begins one call. It continues when the clock is moved.</summary>
    /// <inheritdoc cref="Call(RequestProfile?)"/>
    public async Task<CallDetail> CallAsync(RequestProfile? profile = null)
    {
        profile ??= RequestProfile.Default;
        var call = new SimulatedCall();
        call.Begin(profile.InputTokens, profile.MaxOutputTokens, Time.Elapsed);
        var served = await Pool.ExecuteWithDetailAsync(profile, (this, call), static (attempt, s, token) => s.Item1.ServeAsync(attempt, s.call, token)).ConfigureAwait(false);
        return served.Result ? served.Detail : throw new HttpRequestException("The call failed in a way that is not tried elsewhere.");
    }

    /// <summary>Disposes the pool.</summary>
    public void Dispose()
    {
        Events.Dispose();
        // Disposing completes synchronously on this clock.
        Time.Run(() => Pool.DisposeAsync().AsTask());
    }

    internal ValueTask<bool> ServeAsync(EndpointAttempt attempt, SimulatedCall call, CancellationToken cancellationToken) =>
        _endpoints.TryGetValue(attempt.Endpoint.Name, out var endpoint)
            ? endpoint.ServeAsync(attempt, call, cancellationToken)
            : throw new InvalidOperationException($"The endpoint '{attempt.Endpoint.Name}' was added after the pool was made and has no script.");
}
