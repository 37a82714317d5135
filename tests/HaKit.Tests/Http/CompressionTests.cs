using System.IO.Compression;
using System.Net;
using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Http;

public sealed class CompressionTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/event-stream")]
    public async Task A_compressed_answer_that_comes_unasked_is_passed_on_and_nobody_is_blamed(string type)
    {
        byte[] bytes = [.. Zipped(Whole), (byte)'{']; // compressed bytes may look like JSON
        await using var http = new HttpPool(1, inner: new Answering(bytes, type, "gzip"));
        var call = http.SendAsync(HttpPool.Chat("hi"));
        call.IsCompleted.Should().BeTrue();
        using (var response = await call)
        {
            response.Content.Headers.ContentEncoding.Should().Equal("gzip");
            (await response.Content.ReadAsByteArrayAsync(Ct)).Should().Equal(bytes);
        }
        http.Sent.Should().HaveCount(1);
        http.InFlight.Should().Be(0);
        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();
    }

    [Fact]
    public async Task An_encoding_that_changes_nothing_does_not_hide_a_cut()
    {
        await using var http = new HttpPool(1, inner: new Answering("{\"id\":"u8.ToArray(), "application/json", "identity"));
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { MayRepeat = false });
        (await http.Client.SendAsync(request, Ct).Awaiting(r => r).Should().ThrowAsync<EndpointFaultException>()).Which.Fault.Kind.Should().Be(FaultKind.BrokenBody);
    }

    [Fact]
    public async Task What_encodings_the_caller_accepts_is_not_passed_on()
    {
        await using var http = new HttpPool(1, inner: new Echo());
        http.Client.DefaultRequestHeaders.TryAddWithoutValidation("Accept-Encoding", "gzip, br");
        (await http.SendAsync(HttpPool.Chat("hi"))).Dispose();
        http.Sent[0].Headers.Contains("Accept-Encoding").Should().BeFalse();
    }

    private const string Whole = """{"id":"1","choices":[{"message":{"content":"hi"}}]}""";

    [Fact]
    public async Task Over_the_pools_own_connections_a_compressed_answer_is_read_and_a_broken_one_fails_over()
    {
        using var broken = new Server(Zipped("{\"id\":"));
        using var well = new Server(Zipped(Whole));
        var options = new EndpointPoolOptions
        {
            Endpoints =
            {
                new EndpointOptions { Name = "a", Address = broken.Address },
                new EndpointOptions { Name = "b", Address = well.Address, Tier = 1 },
            },
        };
        options.Heartbeat.Enabled = false;
        options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(20);
        await using var pool = new EndpointPool("test", options);
        using var client = pool.CreateHttpClient();
        using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(Whole);
        broken.Requests.Should().Be(1);
        well.Requests.Should().Be(1);
    }

    // About 60 KB on the wire, which decompress to 64 MB.
    [Theory(Timeout = 60_000)]
    [InlineData("text/event-stream", 200, "data: {\"choices\":[{\"delta\":{\"content\":\"")]
    [InlineData("application/json", 429, "{\"error\":{\"message\":\"")]
    [InlineData("application/json", 503, "{\"error\":{\"message\":\"")]
    [InlineData("application/json", 404, "{\"error\":{\"message\":\"")]
    public async Task A_compressed_body_that_expands_without_end_is_left_at_the_limit_and_another_endpoint_serves(string type, int status, string begin)
    {
        const int Limit = 1024 * 1024;
        const string Ended = """{"id":"1","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}""";
        using var bomb = new RawServer(new RawAnswer(status, type, Bomb(begin)) { Headers = [("Content-Encoding", "gzip")] });
        using var well = new RawServer(new RawAnswer(200, "application/json", Ended));
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, Http = { MaxAnswerBytes = Limit } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = bomb.Address.AbsoluteUri });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = well.Address.AbsoluteUri, Tier = 1 });
        await using var pool = new EndpointPool("test", options);
        using var client = pool.CreateHttpClient();
        using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi", stream: status == 200), Ct);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(Ended);
        bomb.Seen.Should().HaveCount(1);
    }

    // The events before the first content are held, up to Streaming:HoldBytes. Here they decompress to 96 MB.
    [Theory(Timeout = 60_000)]
    [InlineData("gzip", "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n")]
    [InlineData("br", "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n")]
    [InlineData("gzip", ": keep-alive\n\n")]
    [InlineData("br", ": keep-alive\n\n")]
    [InlineData("deflate", "data: {}\n\n")]
    [InlineData("GZIP", "event: x.progress\ndata: {\"type\":\"x.progress\"}\n\n")]
    [InlineData("identity, gzip", "{\"message\":{\"content\":\"\"},\"done\":false}\n")]
    public async Task Compressed_events_without_content_are_held_up_to_the_limit_and_another_endpoint_serves(string encoding, string item)
    {
        const string Ended = """{"id":"1","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}""";
        using var bomb = new RawServer(new RawAnswer(200, item[0] == '{' ? "application/x-ndjson" : "text/event-stream", Compressed(encoding, item)) { Headers = [("Content-Encoding", encoding)] });
        using var well = new RawServer(new RawAnswer(200, "application/json", Ended));
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, Http = { MaxAnswerBytes = 1024 * 1024 }, Streaming = { HoldBytes = 512 * 1024 } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = bomb.Address.AbsoluteUri });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = well.Address.AbsoluteUri, Tier = 1 });
        await using var pool = new EndpointPool("test", options);
        using var client = pool.CreateHttpClient();
        using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi", stream: true), Ct);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(Ended);
        bomb.Seen.Should().ContainSingle();
    }

    private static byte[] Compressed(string encoding, string item)
    {
        var target = new MemoryStream();
        using (Stream zip = encoding switch
        {
            "br" => new BrotliStream(target, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true),
            _ => new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true),
        })
        {
            var piece = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(item, 1000)));
            for (var i = 0; i < 96 * 1024 * 1024; i += piece.Length)
                zip.Write(piece);
        }
        return target.ToArray();
    }

    // An answer may have any length: the part above the limit is passed on as it arrives, and is not kept.
    [Fact(Timeout = 60_000)]
    public async Task A_compressed_answer_above_the_limit_is_passed_on_piece_by_piece()
    {
        using var bomb = new RawServer(new RawAnswer(200, "application/json", Bomb("{\"choices\":[{\"message\":{\"content\":\"")) { Headers = [("Content-Encoding", "gzip")] });
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, Http = { MaxAnswerBytes = 1024 * 1024 } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = bomb.Address.AbsoluteUri });
        await using var pool = new EndpointPool("test", options);
        using var client = pool.CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        using (var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct))
        {
            var stream = await response.Content.ReadAsStreamAsync(Ct);
            stream.CanSeek.Should().BeFalse("nothing of it is kept");
            await stream.ReadExactlyAsync(new byte[2 * 1024 * 1024], Ct);
        }
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
    }

    // Some proxies replace the body of a refusal and keep the header that names the encoding of the old body.
    [Theory(Timeout = 60_000)]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task A_refusal_whose_body_does_not_have_the_named_encoding_keeps_its_status_and_its_time(string encoding)
    {
        const string Ended = """{"id":"1","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}""";
        using var refusing = new RawServer(new RawAnswer(429, "application/json", """{"error":{"message":"slow down"}}""") { Headers = [("Content-Encoding", encoding), ("Retry-After", "41")] });
        using var well = new RawServer(new RawAnswer(200, "application/json", Ended));
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = refusing.Address.AbsoluteUri });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = well.Address.AbsoluteUri, Tier = 1 });
        await using var pool = new EndpointPool("test", options);
        using var client = pool.CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        using var response = await client.SendAsync(request, Ct);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(Ended);
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        var fault = detail!.Attempts[0].Fault!;
        fault.StatusCode.Should().Be(429);
        fault.RetryAfter.Should().Be(TimeSpan.FromSeconds(41));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_400_whose_body_cannot_be_decompressed_goes_back_to_the_caller()
    {
        using var refusing = new RawServer(new RawAnswer(400, "application/json", """{"error":{"message":"no"}}""") { Headers = [("Content-Encoding", "gzip")] });
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(5) } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = refusing.Address.AbsoluteUri });
        await using var pool = new EndpointPool("test", options);
        using var client = pool.CreateHttpClient();
        using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        refusing.Seen.Should().ContainSingle();
    }

    private static byte[] Bomb(string begin)
    {
        var target = new MemoryStream();
        using (var zip = new GZipStream(target, CompressionLevel.Fastest))
        {
            zip.Write(Encoding.UTF8.GetBytes(begin));
            var piece = new byte[64 * 1024];
            piece.AsSpan().Fill((byte)'x');
            for (var i = 0; i < 1024; i++)
            {
                zip.Write(piece);
            }
        }
        return target.ToArray();
    }

    private static byte[] Zipped(string text)
    {
        var target = new MemoryStream();
        using (var zip = new GZipStream(target, CompressionLevel.Fastest))
            zip.Write(Encoding.UTF8.GetBytes(text));
        return target.ToArray();
    }

    private sealed class Answering(byte[] bytes, string type, string encoding) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            new HttpResponseMessage { Content = new ByteArrayContent(bytes) { Headers = { { "Content-Type", type }, { "Content-Encoding", encoding } } } });
    }

    /// <summary>Answers every request on a socket with the same compressed bytes.</summary>
    private sealed class Server : IDisposable
    {
        private readonly System.Net.Sockets.TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly byte[] _answer;
        private int _requests;

        public Server(byte[] body)
        {
            _answer = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"), .. body];
            _listener.Start();
            _ = ServeAsync();
        }

        public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1";

        public int Requests => Volatile.Read(ref _requests);

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync(Ct);
                    var stream = client.GetStream();
                    // The request's body ends with the last brace of its JSON.
                    var buffer = new byte[64 * 1024];
                    var count = 0;
                    while (count == 0 || buffer[count - 1] != '}')
                        count += await stream.ReadAsync(buffer.AsMemory(count), Ct) is > 0 and var read ? read : throw new IOException("The request was cut.");
                    Interlocked.Increment(ref _requests);
                    await stream.WriteAsync(_answer, Ct);
                }
            }
            catch (Exception exception) when (exception is System.Net.Sockets.SocketException or ObjectDisposedException or IOException or OperationCanceledException)
            {
                // If the test is not over, its assertions find the failure.
            }
        }
    }
}
