namespace HaKit.Testing.Tests.Fakes;

/// <summary>Runs a fake behind one of two transports, so that one set of tests covers both.</summary>
public sealed class Transport : IAsyncDisposable
{
    private readonly FakeAiServer? _server;
    private readonly FakeHttpEndpoint? _endpoint;

    private Transport(FakeAiServer? server, FakeHttpEndpoint? endpoint)
    {
        _server = server;
        _endpoint = endpoint;
        Root = server?.Address ?? new Uri("http://fake.test/");
        Client = server is null
            ? endpoint!.CreateClient(Root)
            : new HttpClient(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero }) { BaseAddress = Root, Timeout = Timeout.InfiniteTimeSpan };
    }

    public HttpClient Client { get; }

    public Uri Root { get; }

    public FaultScript Faults => _server?.Faults ?? _endpoint!.Faults;

    public FakeCounts Counts => _server?.Counts ?? _endpoint!.Counts;

    public FakeLoad Load => _server?.Load ?? _endpoint!.Load;

    public static async Task<Transport> StartAsync(bool sockets, FakeAiOptions? options = null) => sockets
        ? new(await FakeAiServer.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken), null)
        : new(null, new FakeHttpEndpoint(options));

    /// <summary>Waits for work that a server does after its client has closed the connection.</summary>
    public async Task<FakeCounts> CountsWhenSettledAsync()
    {
        while (Counts.InFlight > 0)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        return Counts;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _endpoint?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
