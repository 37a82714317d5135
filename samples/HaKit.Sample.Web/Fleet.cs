using HaKit.Testing;

namespace HaKit.Sample.Web;

/// <summary>Holds the fake servers, which are the endpoints of the sample's pool.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private Fleet(FleetServer[] servers) => Servers = servers;

    public FleetServer[] Servers { get; }

    public FleetServer? this[string name] => Array.Find(Servers, s => s.Name == name);

    public static async Task<Fleet> StartAsync() => new(
    [
        await FleetServer.StartAsync("fra-1", 0, "eu-central", 240, 38),
        await FleetServer.StartAsync("fra-2", 0, "eu-central", 260, 40),
        await FleetServer.StartAsync("ams-1", 0, "eu-west", 310, 34),
        await FleetServer.StartAsync("standby", 1, "us-east", 480, 45),
    ]);

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers)
            await server.DisposeAsync();
    }
}

/// <summary>One fake server with its current fault.</summary>
internal sealed class FleetServer : IAsyncDisposable
{
    private static readonly TimeSpan FlapEvery = TimeSpan.FromSeconds(4);

    private readonly FakeAiServer _server;
    private readonly FakeFault _usual;
    private readonly int _tier;
    private readonly string _zone;
    private Timer? _flap;

    private FleetServer(FakeAiServer server, int tier, string zone, FakeFault usual)
    {
        (_server, _tier, _zone, _usual) = (server, tier, zone, usual);
        server.Faults.Always(usual);
    }

    public string Name => _server.Name;

    public string Address => _server.OpenAIAddress.AbsoluteUri;

    /// <summary>Gets the current fault: <c>well</c> (no fault), <c>killed</c>, <c>slow</c>, <c>throttled</c>, <c>cut</c> or <c>flapping</c>.</summary>
    public string Fault { get; private set; } = "well";

    public static async Task<FleetServer> StartAsync(string name, int tier, string zone, int firstToken, int perToken) => new(
        await FakeAiServer.StartAsync(new FakeAiOptions { Name = name }),
        tier,
        zone,
        FakeFault.Latency(toFirstToken: TimeSpan.FromMilliseconds(firstToken), perToken: TimeSpan.FromMilliseconds(perToken)));

    public EndpointOptions Endpoint(int tier) => new()
    {
        Name = Name,
        Address = Address,
        Tier = tier + _tier,
        Zone = _zone,
        Model = "demo-7b",
        HealthPath = "/health",
        ForwardCallerCredential = false, // The fake servers need no key.
        Limits = new() { MaxConcurrency = 32, RequestsPerMinute = _tier == 0 ? 600 : 1200 },
    };

    /// <summary>Sets the fault of the server, or removes it. Returns false for an unknown fault.</summary>
    public async Task<bool> SufferAsync(string fault)
    {
        if (fault is not ("well" or "killed" or "slow" or "throttled" or "cut" or "flapping"))
            return false;
        if (_flap is not null)
            await _flap.DisposeAsync();
        _flap = null;
        _server.Faults.Clear();
        _server.Faults.Always(fault == "slow" ? FakeFault.Latency(toFirstToken: TimeSpan.FromSeconds(6), perToken: TimeSpan.FromMilliseconds(400)) : _usual);
        if (fault == "throttled")
            _server.Faults.Always(FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(15)));
        else if (fault == "cut")
            _server.Faults.Always(FakeFault.CutAfter(6));
        await (fault == "killed" ? _server.KillAsync() : _server.RestartAsync());
        if (fault == "flapping")
            _flap = new Timer(_ => _ = _server.IsListening ? _server.KillAsync() : _server.RestartAsync(), null, TimeSpan.Zero, FlapEvery);
        Fault = fault;
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_flap is not null)
            await _flap.DisposeAsync();
        await _server.DisposeAsync();
    }
}
