namespace HaKit.Testing;

/// <summary>Creates real pools over scripted endpoints in virtual time, for unit tests of a policy.</summary>
public static class TestPools
{
    /// <summary>
    /// Creates a pool whose endpoints are named a, b, c… and answer after 100 ms until their script says otherwise. Heartbeats are off unless
    /// <paramref name="configure"/> turns them on (<c>options.Heartbeat.Enabled = true</c>). Probes then follow the endpoints' scripts: a fault
    /// affects probes only if its <c>where</c> includes them, as in <c>Faults.Always(FakeFault.Refused, where: _ => true)</c>.
    /// </summary>
    /// <param name="endpoints">The number of endpoints, 1 to 26.</param>
    /// <param name="configure">Changes the pool's options.</param>
    /// <param name="parts">Changes the parts of the pool, such as its selector.</param>
    /// <param name="seed">The seed of all random numbers. Default 1.</param>
    public static TestPool Create(
        int endpoints = 3, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null, int seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(endpoints, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(endpoints, 26);
        return Create([.. Enumerable.Range(0, endpoints).Select(static i => ((char)('a' + i)).ToString())], configure, parts, seed);
    }

    /// <summary>Creates a pool whose endpoints have the given names. Endpoints that <paramref name="configure"/> adds are scripted as well.</summary>
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
