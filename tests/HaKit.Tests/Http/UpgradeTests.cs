using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HaKit.Tests.Http;

/// <summary>Answers without a body: a protocol upgrade (101), after which the connection belongs to the caller, and a 304.</summary>
public sealed class UpgradeTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_an_upgrade_the_caller_has_the_connection_and_no_byte_of_it_is_lost(bool serverSpeaksFirst)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        _ = ServeAsync(listener, serverSpeaksFirst, end.Token);
        var options = new EndpointPoolOptions { Endpoints = { new EndpointOptions { Name = "a", Address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/v1" } }, Heartbeat = { Enabled = false } };
        await using var pool = new EndpointPool("p", options);
        using var client = pool.CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "realtime") { Headers = { { "Connection", "Upgrade" }, { "Upgrade", "echo" } } };

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);

        response.StatusCode.Should().Be(HttpStatusCode.SwitchingProtocols);
        await using var connection = await response.Content.ReadAsStreamAsync(Ct);
        if (serverSpeaksFirst)
            (await ReadAsync(connection)).Should().Be("hello");
        await connection.WriteAsync("ask 1"u8.ToArray(), Ct);
        await connection.FlushAsync(Ct);
        (await ReadAsync(connection)).Should().Be("ask 1");
        var endpoint = pool.Explain(RequestProfile.Default)[0];
        endpoint.InFlight.Should().Be(0);
        endpoint.Health.ConsecutiveFailures.Should().Be(0);
        await end.CancelAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_304_goes_to_the_caller_and_is_no_failure()
    {
        await using var http = new HttpPool(2, inner: new NotModified());
        using var response = await http.SendAsync(null, "models");
        response.StatusCode.Should().Be(HttpStatusCode.NotModified);
        http.Sent.Should().ContainSingle();
        http.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.NotAdmittedBy == null && e.Health.ConsecutiveFailures == 0);
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        var five = new byte[5];
        await stream.ReadExactlyAsync(five, Ct);
        return Encoding.ASCII.GetString(five);
    }

    // On a busy machine a connection may be given up before it is used, so the server accepts each one.
    private static async Task ServeAsync(TcpListener listener, bool speaksFirst, CancellationToken token)
    {
        while (true)
            _ = AnswerAsync(await listener.AcceptTcpClientAsync(token), speaksFirst);
    }

    private static async Task AnswerAsync(TcpClient accepted, bool speaksFirst)
    {
        using var client = accepted;
        var stream = client.GetStream();
        var head = "";
        var one = new byte[1];
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, Ct) == 0)
                return;
            head += (char)one[0];
        }
        await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n" + (speaksFirst ? "hello" : "")), Ct);
        var five = new byte[5];
        if (await stream.ReadAtLeastAsync(five, 5, throwOnEndOfStream: false, Ct) == 5)
            await stream.WriteAsync(five, Ct);
    }

    private sealed class NotModified : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotModified));
    }
}
