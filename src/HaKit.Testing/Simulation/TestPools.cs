namespace HaKit.Testing;

/// <summary>Real pools over scripted endpoints in virtual time, for unit tests of a policy.</summary>
public static class TestPools
{
    /// <summary>
    /// A pool of endpoints named a, b, c…, each answering after 100 ms until its script says otherwise. Heartbeats are off unless
    /// <paramref name="configure"/> turns them on (<c>options.Heartbeat.Enabled = true</c>); they then find what the endpoints' scripts say of probes: a fault
    /// strikes them only by its <c>where</c>, such as <c>Faults.Always(FakeFault.Refused, where: _ => true)</c> for calls and probes alike.
    /// </summary>
    /// <param name="endpoints">How many; at least 1 and at most 26.</param>
    /// <param name="configure">Changes the pool's options: your policy.</param>
    /// <param name="parts">Changes what else the pool is made of.</param>
    /// <param name="seed">The seed of all random numbers. Default 1.</param>
    public static TestPool Create(
        int endpoints = 3, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null, int seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(endpoints, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(endpoints, 26);
        return Create([.. Enumerable.Range(0, endpoints).Select(static i => ((char)('a' + i)).ToString())], configure, parts, seed);
    }

    /// <summary>The same with names of your own. Endpoints that <paramref name="configure"/> adds are scripted as well.</summary>
    /// <inheritdoc cref="Create(int, Action{EndpointPoolOptions}?, Action{EndpointPoolParts}?, int)"/>
    public static TestPool Create(
        IEnumerable<string> endpoints, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null, int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var options = new EndpointPoolOptions { Seed = seed };
        options.Heartbeat.Enabled = false;
        foreach (var name in endpoints)
            options.Endpoints.Add(new EndpointOptions { Name = name });
        configure?.Invoke(options);
        return new TestPool(options, parts, seed);
    }
}
