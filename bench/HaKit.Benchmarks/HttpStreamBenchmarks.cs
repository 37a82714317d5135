using System.Text;
using System.Threading.Tasks.Sources;
using BenchmarkDotNet.Attributes;

namespace HaKit.Benchmarks;

/// <summary>
/// Measures the cost of reading one token's event (190 bytes) of a stream, with the bare client and over a pool, if the event has arrived already and if it
/// arrives a moment later.
/// </summary>
[MemoryDiagnoser]
public class HttpStreamBenchmarks : IDisposable
{
    private readonly byte[] _buffer = new byte[4096];
    private readonly Tokens _bareTokens = new();
    private readonly Tokens _pooledTokens = new();
    private HttpClient _client = null!;
    private Stream _pooled = null!;

    [GlobalSetup]
    public async Task Setup()
    {
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false }, Endpoints = { new EndpointOptions { Name = "a", Address = "http://127.0.0.1/v1" } } };
        _client = new HttpClient(new EndpointPoolHandler(new EndpointPool("bench", options)) { InnerHandler = new Streams(_pooledTokens) })
        {
            BaseAddress = new Uri("http://127.0.0.1/v1/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var response = await _client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "stream"), HttpCompletionOption.ResponseHeadersRead);
        _pooled = await response.Content.ReadAsStreamAsync();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _pooled.Dispose();
        _bareTokens.Dispose();
        _client.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public ValueTask<int> Bare() => _bareTokens.ReadAsync(_buffer);

    [Benchmark]
    public ValueTask<int> Pooled() => _pooled.ReadAsync(_buffer);

    [Benchmark]
    public ValueTask<int> BareLater() => Later(_bareTokens, _bareTokens);

    [Benchmark]
    public ValueTask<int> PooledLater() => Later(_pooled, _pooledTokens);

    private ValueTask<int> Later(Stream stream, Tokens tokens)
    {
        tokens.ComeLater = true;
        var read = stream.ReadAsync(_buffer);
        tokens.Come();
        return read;
    }

    private sealed class Streams(Stream body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { Content = new StreamContent(body) { Headers = { { "Content-Type", "text/event-stream" } } } });
    }

    /// <summary>Repeats the same event without end: at once, or, after <see cref="ComeLater"/>, when <see cref="Come"/> is called.</summary>
    private sealed class Tokens : Stream, IValueTaskSource<int>
    {
        private static readonly byte[] s_event = Encoding.UTF8.GetBytes(
            """data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}""" + "\n\n");

        private ManualResetValueTaskSourceCore<int> _source;
        private Memory<byte> _waiting;

        public bool ComeLater { get; set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Come()
        {
            ComeLater = false;
            _source.SetResult(Give(_waiting.Span));
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!ComeLater)
                return new(Give(buffer.Span));
            _source.Reset();
            _waiting = buffer;
            return new(this, _source.Version);
        }

        public int GetResult(short token) => _source.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private static int Give(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, s_event.Length);
            s_event.AsSpan(0, count).CopyTo(buffer);
            return count;
        }
    }
}
