namespace HaKit.Testing;

/// <summary>A real pool over scripted endpoints in virtual time. Made by <see cref="TestPools"/>. For one thread.</summary>
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

    /// <summary>The clock of everything.</summary>
    public ManualTimeProvider Time { get; }

    /// <summary>The real pool.</summary>
    public EndpointPool Pool { get; }

    /// <summary>What happened to it so far.</summary>
    public PoolEventRecorder Events { get; }

    /// <summary>The endpoints, in the pool's order.</summary>
    public IReadOnlyCollection<ScriptedEndpoint> Endpoints => _endpoints.Values;

    internal EndpointPoolOptions Options { get; }

    /// <summary>The endpoint of a name.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <exception cref="ArgumentException">The pool had none of this name when it was made.</exception>
    public ScriptedEndpoint this[string endpoint] => _endpoints.TryGetValue(endpoint, out var scripted)
        ? scripted
        : throw new ArgumentException($"There is no scripted endpoint '{endpoint}'; there are {string.Join(", ", _endpoints.Keys)}.", nameof(endpoint));

    /// <summary>Makes one call and lets as much time pass as it takes.</summary>
    /// <param name="profile">What is known of the request; null for the default.</param>
    /// <returns>How it was served, or the pool's exception.</returns>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take it.</exception>
    /// <exception cref="DeadlineExceededException">Its deadline passed.</exception>
    /// <exception cref="HttpRequestException">It failed in a way that is not tried elsewhere.</exception>
    public CallDetail Call(RequestProfile? profile = null)
    {
        try
        {
            return Time.Run(() => CallAsync(profile));
        }
        finally
        {
            // So that what it made happen is among the events.
            Time.Advance(TimeSpan.Zero);
        }
    }

    /// <summary>Begins one call; it goes on as the clock is moved.</summary>
    /// <inheritdoc cref="Call(RequestProfile?)"/>
    public async Task<CallDetail> CallAsync(RequestProfile? profile = null)
    {
        profile ??= RequestProfile.Default;
        var call = new SimulatedCall();
        call.Begin(profile.InputTokens, profile.MaxOutputTokens, Time.Elapsed);
        var served = await Pool.ExecuteWithDetailAsync(profile, (this, call), static (attempt, s, token) => s.Item1.ServeAsync(attempt, s.call, token)).ConfigureAwait(false);
        return served.Result ? served.Detail : throw new HttpRequestException("The call failed in a way that is not tried elsewhere.");
    }

    /// <summary>Ends the pool.</summary>
    public void Dispose()
    {
        Events.Dispose();
        // Synchronous in truth.
        Time.Run(() => Pool.DisposeAsync().AsTask());
    }

    internal ValueTask<bool> ServeAsync(EndpointAttempt attempt, SimulatedCall call, CancellationToken cancellationToken) =>
        _endpoints.TryGetValue(attempt.Endpoint.Name, out var endpoint)
            ? endpoint.ServeAsync(attempt, call, cancellationToken)
            : throw new InvalidOperationException($"The endpoint '{attempt.Endpoint.Name}' was added after the pool was made and has no script.");
}
