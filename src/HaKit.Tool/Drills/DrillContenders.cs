namespace HaKit.Tool.Drills;

/// <summary>The components that the tool itself contains and can drill.</summary>
internal static class DrillContenders
{
    /// <summary>A HaKit pool with its defaults, over HTTP, in this process.</summary>
    public static DrillContender HaKit { get; } = HaKitIn(DrillDialect.OpenAI);

    /// <summary>Creates a HaKit pool with its defaults for a dialect.</summary>
    public static DrillContender HaKitIn(DrillDialect dialect) => new("HaKit over HTTP, defaults", addresses =>
    {
        var options = new EndpointPoolOptions();
        for (var i = 0; i < addresses.Count; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"upstream-{i + 1}", Address = addresses[i].AbsoluteUri, Dialect = dialect.Wire });
        var pool = new EndpointPool("drill", options);
        return Task.FromResult<IDrillTarget>(new HttpDrillTarget(pool.CreateHttpClient(), pool.Origin, [], pool, dialect));
    }, IsFresh: true);

    /// <summary>A component at an HTTP address. The drill keeps its connections open, as an application does.</summary>
    public static DrillContender At(string name, Uri address, IReadOnlyList<KeyValuePair<string, string>> headers, DrillDialect? dialect = null) => new(name, _ =>
    {
        var client = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = Timeout.InfiniteTimeSpan };
        return Task.FromResult<IDrillTarget>(new HttpDrillTarget(client, address, headers, dialect: dialect));
    }, IsFresh: false);
}
