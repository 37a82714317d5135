using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests, over real sockets, servers whose TLS cannot be trusted or whose handshake fails. The call moves to another endpoint, and the fault names TLS.
/// </summary>
public sealed class HostileTlsTests : IDisposable
{
    private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
    private const string Key = "sk-planted-key-for-tls";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private readonly Authority _trusted = new("CN=trusted");
    private readonly Authority _foreign = new("CN=foreign");

    public void Dispose()
    {
        _trusted.Dispose();
        _foreign.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_with_a_good_certificate_serves()
    {
        using var certificate = _trusted.Issue("localhost");
        using var well = new TlsServer(certificate);
        await using var pool = Pool(null, well.Address);
        using var client = Client(pool);
        for (var i = 0; i < 3; i++)
            (await HostileHttp2Tests.AskAsync(client)).Answer.Should().Be(Whole);
        well.Requests.Should().HaveCount(3).And.OnlyContain(r => r.Contains(Key));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("expired")]
    [InlineData("not yet valid")]
    [InlineData("of another host")]
    [InlineData("of an authority that is not trusted")]
    [InlineData("signed by itself")]
    [InlineData("for clients only")]
    [InlineData("an older version of TLS")]
    [InlineData("cut after the client's greeting")]
    [InlineData("garbage after the client's greeting")]
    [InlineData("an alert after the client's greeting")]
    [InlineData("plain HTTP")]
    public async Task A_server_whose_TLS_fails_costs_no_call_and_learns_no_key(string kind)
    {
        using var certificate = CertificateOf(kind);
#pragma warning disable CA5397 // A server that speaks only a version that the client refuses.
        using var odd = new TlsServer(certificate) { Greeting = GreetingOf(kind), Protocols = kind.StartsWith("an older", StringComparison.Ordinal) ? SslProtocols.Tls12 : SslProtocols.None };
#pragma warning restore CA5397
        using var good = _trusted.Issue("localhost");
        using var well = new TlsServer(good);
        await using var pool = Pool(null, odd.Address, well.Address);
        using var client = Client(pool);
        for (var i = 0; i < 10; i++)
        {
            var (answer, detail) = await HostileHttp2Tests.AskAsync(client);
            answer.Should().Be(Whole);
            detail.Endpoint.Should().Be("e1");
            if (i == 0)
                detail.Attempts[0].Endpoint.Should().Be("e0", "it is the first tier");
            foreach (var attempt in detail.Attempts.Where(a => a.Endpoint == "e0"))
                attempt.Fault.Should().Match<Fault>(f => f.Kind == FaultKind.TlsFailed && f.Applied == FaultApplied.NotSent);
        }
        odd.Requests.Should().BeEmpty("no byte of a request, and so no key, goes to a server that is not trusted");
        odd.Connections.Should().BeInRange(1, 5, "connect-class faults eject it after three");
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_handshake_that_never_ends_is_a_connection_that_never_came_about()
    {
        using var certificate = _trusted.Issue("localhost");
#pragma warning disable CA5397 // A server that speaks only a version that the client refuses.
        using var odd = new TlsServer(certificate) { Greeting = [] };
        using var well = new TlsServer(certificate);
        await using var pool = Pool(null, odd.Address, well.Address);
        using var client = Client(pool, connect: TimeSpan.FromSeconds(0.5));
        var (answer, detail) = await HostileHttp2Tests.AskAsync(client);
        answer.Should().Be(Whole);
        detail.Attempts[0].Should().Match<AttemptRecord>(a => a.Endpoint == "e0" && a.Fault!.Kind == FaultKind.ConnectTimeout && a.Fault.Applied == FaultApplied.NotSent);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_answer_that_is_cut_in_the_middle_of_a_record_is_not_whole()
    {
        using var certificate = _trusted.Issue("localhost");
        using var odd = new TlsServer(certificate) { IsCut = true };
        using var well = new TlsServer(certificate);
        await using var pool = Pool(null, odd.Address, well.Address);
        using var client = Client(pool);
        var (answer, detail) = await HostileHttp2Tests.AskAsync(client);
        answer.Should().Be(Whole);
        detail.Attempts[0].Fault!.Kind.Should().BeOneOf(FaultKind.ConnectionReset, FaultKind.BrokenBody);
    }

    [Fact(Timeout = 60_000)]
    public async Task Where_no_endpoint_can_be_trusted_the_exception_says_TLS_for_each_and_no_secret()
    {
        using var certificate = _foreign.Issue("localhost");
        using var one = new TlsServer(certificate);
        using var two = new TlsServer(certificate);
        await using var pool = Pool(o => o.MaxWait = TimeSpan.Zero, one.Address, two.Address);
        using var client = Client(pool);
        var failed = await FluentActions.Awaiting(() => HostileHttp2Tests.AskAsync(client)).Should().ThrowAsync<Exception>();
        var told = failed.Which as EndpointPoolException ?? failed.Which.InnerException as EndpointPoolException;
        told.Should().NotBeNull();
        told!.Attempts.Select(a => a.Endpoint).Distinct().Should().BeEquivalentTo("e0", "e1");
        told.Attempts.Should().OnlyContain(a => a.Fault!.Kind == FaultKind.TlsFailed);
        failed.Which.ToString().Should().Contain("TlsFailed").And.NotContain(Key);
    }

    private X509Certificate2 CertificateOf(string kind) => kind switch
    {
        "expired" => _trusted.Issue("localhost", from: -20, until: -10),
        "not yet valid" => _trusted.Issue("localhost", from: 10, until: 20),
        "of another host" => _trusted.Issue("other.example"),
        "of an authority that is not trusted" => _foreign.Issue("localhost"),
        "signed by itself" => _trusted.IssueSelfSigned("localhost"),
        "for clients only" => _trusted.Issue("localhost", usage: "1.3.6.1.5.5.7.3.2"),
        _ => _trusted.Issue("localhost"),
    };

    private static byte[]? GreetingOf(string kind) => kind switch
    {
        "cut after the client's greeting" => [0], // one zero byte, then the end of the connection
        "garbage after the client's greeting" => Encoding.ASCII.GetBytes("This is no TLS at all, and it goes on for a while."),
        "an alert after the client's greeting" => [0x15, 3, 3, 0, 2, 2, 40],
        "plain HTTP" => Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        _ => null,
    };

    private static EndpointPool Pool(Action<EndpointPoolOptions>? configure, params Uri[] addresses)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        for (var i = 0; i < addresses.Length; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = addresses[i].AbsoluteUri, Tier = i, Headers = { ["Authorization"] = $"Bearer {Key}" } });
        configure?.Invoke(options);
        return new EndpointPool("p", options);
    }

    // Uses the settings of the pool's own connections, except that they trust the test's authority and allow at most TLS 1.3.
    private HttpClient Client(EndpointPool pool, TimeSpan? connect = null)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_trusted.Root);
        var sockets = new SocketsHttpHandler
        {
            ConnectTimeout = connect ?? TimeSpan.FromSeconds(20),
            SslOptions = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls13, CertificateChainPolicy = policy },
        };
        return new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = sockets }) { BaseAddress = pool.BaseAddress(), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>An authority that signs certificates for servers of this test.</summary>
    private sealed class Authority : IDisposable
    {
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        public Authority(string name)
        {
            var request = new CertificateRequest(name, _key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            Root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
        }

        public X509Certificate2 Root { get; }

        public X509Certificate2 Issue(string host, int from = -1, int until = 5, string usage = "1.3.6.1.5.5.7.3.1")
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var signed = Request(host, key, usage).Create(Root, DateTimeOffset.UtcNow.AddDays(from), DateTimeOffset.UtcNow.AddDays(until), RandomNumberGenerator.GetBytes(8));
            return signed.CopyWithPrivateKey(key);
        }

        public X509Certificate2 IssueSelfSigned(string host)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return Request(host, key, "1.3.6.1.5.5.7.3.1").CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(5));
        }

        public void Dispose()
        {
            Root.Dispose();
            _key.Dispose();
        }

        private static CertificateRequest Request(string host, ECDsa key, string usage)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(host);
            var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: true));
            return request;
        }
    }

    /// <summary>Runs a server that speaks TLS, or sends something else in its place.</summary>
#pragma warning disable CA1001 // A token source without a timer holds nothing that needs disposing.
    private sealed class TlsServer : IDisposable
#pragma warning restore CA1001
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _end = new();
        private readonly X509Certificate2 _certificate;
        private int _connections;

        public TlsServer(X509Certificate2 certificate)
        {
            _certificate = certificate;
            _listener.Start(backlog: 64);
            _ = AcceptAsync();
        }

        /// <summary>Gets the bytes that are sent in place of TLS; the connection then ends. Empty: nothing is sent, for ever.</summary>
        public byte[]? Greeting { get; init; }

        public SslProtocols Protocols { get; init; }

        /// <summary>Gets whether half of the answer is sent, and the connection then ends without the closing message of TLS.</summary>
        public bool IsCut { get; init; }

        public Uri Address => new($"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1");

        public ConcurrentQueue<string> Requests { get; } = new();

        public int Connections => Volatile.Read(ref _connections);

        public void Dispose()
        {
            _end.Cancel();
            _listener.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                    _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            Interlocked.Increment(ref _connections);
            using (client)
            {
                try
                {
                    if (Greeting is { } greeting)
                        await GreetAsync(client.GetStream(), greeting);
                    else
                        await ServeTlsAsync(client);
                }
                catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException or AuthenticationException)
                {
                }
            }
        }

        private async Task GreetAsync(NetworkStream stream, byte[] greeting)
        {
            var hello = new byte[4096];
            _ = await stream.ReadAsync(hello, _end.Token);
            if (greeting.Length == 0)
                await Task.Delay(Timeout.Infinite, _end.Token);
            if (greeting.Length > 1)
                await stream.WriteAsync(greeting, _end.Token);
        }

        private async Task ServeTlsAsync(TcpClient client)
        {
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate, EnabledSslProtocols = Protocols }, _end.Token);
            using var reader = new StreamReader(tls, leaveOpen: true);
            while (await ReadAsync(reader) is { } request)
            {
                Requests.Enqueue(request);
                var answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Whole.Length}\r\n\r\n{Whole}");
                await tls.WriteAsync(IsCut ? answer.AsMemory(0, answer.Length - 10) : answer, _end.Token);
                if (!IsCut)
                    continue;
                client.Client.Close(0);
                return;
            }
        }

        // Reads a head, and a body of the announced length. Both are ASCII.
        private static async Task<string?> ReadAsync(StreamReader reader)
        {
            var text = new StringBuilder();
            var length = 0;
            while (await reader.ReadLineAsync() is { } line)
            {
                text.AppendLine(line);
                if (line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))
                    length = int.Parse(line[16..], System.Globalization.CultureInfo.InvariantCulture);
                if (line.Length > 0)
                    continue;
                var body = new char[length];
                await reader.ReadBlockAsync(body);
                return text.Append(body).ToString();
            }
            return null;
        }
    }
}
