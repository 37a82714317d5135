using System.Net;
using System.Text;
using BenchmarkDotNet.Attributes;

namespace HaKit.Benchmarks;

/// <summary>A 2 KB chat request answered in memory, bare and over a pool; and what reading a token of a stream costs.</summary>
[MemoryDiagnoser]
public class HttpBenchmarks : IDisposable
{
    private static readonly byte[] s_chunk = Encoding.UTF8.GetBytes(
        """data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}""" + "\n\n");

    private readonly byte[] _body = Encoding.UTF8.GetBytes($$"""{"messages":[{"role":"user","content":"{{new string('x', 2000)}}"}],"model":"m"}""");
    private readonly byte[] _buffer = new byte[4096];
    private HttpClient _bare = null!;
    private HttpClient _pooled = null!;
    private Stream _stream = null!;

    [GlobalSetup]
    public async Task Setup()
    {
        _bare = new HttpClient(new Answers(), true) { BaseAddress = new Uri("http://127.0.0.1/v1/") };
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false }, Endpoints = { new EndpointOptions { Name = "a", Address = "http://127.0.0.1/v1" }, new EndpointOptions { Name = "b", Address = "http://127.0.0.1:81/v1" } } };
        _pooled = new HttpClient(new EndpointPoolHandler(new EndpointPool("bench", options)) { InnerHandler = new Answers() }) { BaseAddress = new Uri("http://127.0.0.1/v1/"), Timeout = Timeout.InfiniteTimeSpan };
        var response = await _pooled.SendAsync(new HttpRequestMessage(HttpMethod.Get, "stream"), HttpCompletionOption.ResponseHeadersRead);
        _stream = await response.Content.ReadAsStreamAsync();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _stream.Dispose();
        _pooled.Dispose();
        _bare.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true)]
    public Task<int> Bare() => Call(_bare);

    [Benchmark]
    public Task<int> Pooled() => Call(_pooled);

    [Benchmark]
    public ValueTask<int> Token() => _stream.ReadAsync(_buffer);

    private async Task<int> Call(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = new ByteArrayContent(_body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var body = await response.Content.ReadAsStreamAsync();
        return await body.ReadAsync(_buffer);
    }

    private sealed class Answers : HttpMessageHandler
    {
        private static readonly byte[] s_answer = """{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"""u8.ToArray();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var isStream = request.RequestUri!.AbsolutePath.EndsWith("stream", StringComparison.Ordinal);
            HttpContent content = isStream ? new StreamContent(new Endless()) : new ByteArrayContent(s_answer);
            content.Headers.TryAddWithoutValidation("Content-Type", isStream ? "text/event-stream" : "application/json");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = content });
        }
    }

    private sealed class Endless : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(buffer.Length, s_chunk.Length);
            s_chunk.AsSpan(0, count).CopyTo(buffer.Span);
            return new(count);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
