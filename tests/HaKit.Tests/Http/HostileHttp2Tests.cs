using System.Net;
using HaKit.Faults;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests, over real sockets, servers that break or flood HTTP/2. The call moves to another endpoint, the fault is named, and memory stays bounded.
/// The test collection runs alone, because it measures the memory of the whole process.
/// </summary>
[CollectionDefinition(nameof(HostileHttp2Tests), DisableParallelization = true)]
[Collection(nameof(HostileHttp2Tests))]
public sealed class HostileHttp2Tests
{
    private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static readonly Dictionary<string, Func<Http2Peer, Task>> s_servers = new()
    {
        ["refused streams"] = peer => ResetAsync(peer, 0x7),
        ["internal errors"] = peer => ResetAsync(peer, 0x2),
        ["cancelled streams"] = peer => ResetAsync(peer, 0x8),
        ["calm asked for"] = peer => ResetAsync(peer, 0xb),
        ["HTTP/1.1 asked for"] = peer => ResetAsync(peer, 0xd),
        ["reset after the head"] = async peer =>
        {
            while (true)
            {
                var stream = await peer.RequestAsync();
                await peer.HeadAsync(stream);
                await peer.SendAsync(Http2Frame.Reset, 0, stream, 0, 0, 0, 0x2);
            }
        },
        ["going away at once"] = async peer =>
        {
            await peer.RequestAsync();
            await peer.SendAsync(Http2Frame.GoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb);
        },
        ["a connection that ends"] = async peer => await peer.RequestAsync(),
        ["a promise that the client has forbidden"] = async peer =>
        {
            var stream = await peer.RequestAsync();
            await peer.SendAsync(Http2Frame.PushPromise, Http2Frame.EndHeaders, stream, 0, 0, 0, 2, 0x88);
            await peer.RequestAsync();
        },
        ["a frame of 16 MB"] = async peer =>
        {
            await peer.RequestAsync();
            await peer.SendAsync(0xff, 0xff, 0xff, Http2Frame.Data, 0, 0, 0, 0, 1);
            await peer.RequestAsync();
        },
        ["a head without end"] = async peer =>
        {
            var stream = await peer.RequestAsync();
            await peer.SendAsync(Http2Frame.Headers, 0, stream, 0x88);
            // A literal of 1,000 bytes in each: "x: yyy…".
            await peer.FloodAsync(new Http2Frame(Http2Frame.Continuation, 0, stream, [0x00, 1, (byte)'x', 0x7f, 0xe9, 6, .. Enumerable.Repeat((byte)'y', 1000)]).Bytes);
        },
        ["a body beyond the window"] = async peer =>
        {
            var stream = await peer.RequestAsync();
            await peer.HeadAsync(stream);
            await peer.FloodAsync(new Http2Frame(Http2Frame.Data, 0, stream, new byte[16_000]).Bytes);
        },
        ["windows that overflow"] = async peer =>
        {
            await peer.RequestAsync();
            await peer.FloodAsync(new Http2Frame(Http2Frame.WindowUpdate, 0, 0, [0x7f, 0xff, 0xff, 0xff]).Bytes);
        },
    };

    // Frames without content are a silence, for any number of frames.
    private static readonly Dictionary<string, Func<int, byte[]>> s_floods = new()
    {
        ["settings"] = _ => new Http2Frame(Http2Frame.Settings, 0, 0, []).Bytes,
        ["pings"] = _ => new Http2Frame(Http2Frame.Ping, 0, 0, new byte[8]).Bytes,
        ["empty data"] = stream => new Http2Frame(Http2Frame.Data, 0, stream, []).Bytes,
        ["frames of no known type"] = _ => new Http2Frame(0xfe, 0, 0, new byte[100]).Bytes,
        ["a head of empty parts"] = stream => new Http2Frame(Http2Frame.Continuation, 0, stream, []).Bytes,
    };

    public static TheoryData<string> Servers => [.. s_servers.Keys];

    public static TheoryData<string> Floods => [.. s_floods.Keys];

    [Fact(Timeout = 60_000)]
    public async Task A_well_server_of_HTTP_2_serves()
    {
        using var well = new RawHttp2Server(Whole);
        await using var pool = Pool(well.Address);
        using var client = Client(pool);
        for (var i = 0; i < 5; i++)
            (await AskAsync(client)).Answer.Should().Be(Whole);
        well.Connections.Should().Be(1);
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Servers))]
    public async Task A_server_that_breaks_HTTP_2_costs_no_call(string kind)
    {
        using var odd = new RawHttp2Server(s_servers[kind]);
        using var well = new RawHttp2Server(Whole);
        await using var pool = Pool(odd.Address, well.Address);
        using var client = Client(pool);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 20; i++)
        {
            var (answer, detail) = await AskAsync(client);
            answer.Should().Be(Whole);
            detail.Endpoint.Should().Be("e1");
            foreach (var attempt in detail.Attempts.Where(a => a.Endpoint == "e0"))
                attempt.Fault!.Kind.Should().BeOneOf(FaultKind.ConnectionReset, FaultKind.BrokenBody, FaultKind.ConnectFailed);
            if (i == 0)
                detail.Attempts[0].Endpoint.Should().Be("e0", "it is the first tier");
        }
        (GC.GetTotalMemory(forceFullCollection: true) - before).Should().BeLessThan(16 << 20);
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
        pool.GetStatus().Endpoints.Single(e => e.Endpoint.Name == "e0").Health.Status.Should().NotBe(HaKit.Health.EndpointHealthStatus.Healthy, "it fails every call");
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Floods))]
    public async Task A_flood_of_frames_that_say_nothing_is_a_silence_and_takes_no_memory(string kind)
    {
        using var odd = new RawHttp2Server(async peer =>
        {
            var stream = await peer.RequestAsync();
            if (kind == "empty data")
                await peer.HeadAsync(stream);
            if (kind == "a head of empty parts")
                await peer.SendAsync(Http2Frame.Headers, 0, stream, 0x88);
            await peer.FloodAsync(s_floods[kind](stream));
        });
        using var well = new RawHttp2Server(Whole);
        await using var pool = Pool(odd.Address, well.Address);
        using var client = Client(pool);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var faults = new HashSet<string>();
        for (var i = 0; i < 5; i++)
        {
            var (answer, detail) = await AskAsync(client);
            faults.UnionWith(detail.Attempts.Where(a => a.Endpoint == "e0").Select(a => $"{a.Fault?.Kind} after {a.Duration.TotalSeconds:0.0} s"));
            answer.Should().Be(Whole);
            detail.Endpoint.Should().Be("e1");
            detail.Attempts.Should().OnlyContain(a => a.Endpoint == "e1" || a.Fault == null
                || a.Fault.Kind == FaultKind.FirstContentTimeout || a.Fault.Kind == FaultKind.Superseded || a.Fault.Kind == FaultKind.ConnectionReset);
        }
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.TestOutputHelper!.WriteLine($"{kind}: {grown / 1024.0 / 1024:0.0} MB more, {odd.Connections} connections of which {odd.Ended.Count} ended; {string.Join(", ", faults)}");
        grown.Should().BeLessThan(32 << 20);
        for (var i = 0; i < 100 && pool.Explain(RequestProfile.Default).Any(e => e.InFlight > 0); i++)
            await Task.Delay(20, Ct);
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    private static async Task ResetAsync(Http2Peer peer, byte code)
    {
        while (true)
            await peer.SendAsync(Http2Frame.Reset, 0, await peer.RequestAsync(), 0, 0, 0, code);
    }

    private static EndpointPool Pool(params Uri[] addresses)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, FirstContent = { Timeout = TimeSpan.FromSeconds(0.5), Minimum = TimeSpan.FromSeconds(0.5) } };
        for (var i = 0; i < addresses.Length; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = addresses[i].AbsoluteUri, Tier = i });
        return new EndpointPool("p", options);
    }

    private static HttpClient Client(EndpointPool pool)
    {
        var client = pool.CreateHttpClient();
        (client.DefaultRequestVersion, client.DefaultVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        return client;
    }

    internal static async Task<(string Answer, CallDetail Detail)> AskAsync(HttpClient client)
    {
        using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        response.RequestMessage!.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        return (await response.Content.ReadAsStringAsync(Ct), detail!);
    }
}
