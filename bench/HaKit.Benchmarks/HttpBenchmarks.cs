using System.Net;
using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace HaKit.Benchmarks;

/// <summary>
/// A chat request of 2 KB answered in memory, at once or later: by the bare client, by one with the handler that people write with Polly (one endpoint,
/// nothing replaced, nothing judged but the status), by those with the standard resilience and hedging handlers, and by one over a pool.
/// </summary>
[MemoryDiagnoser]
public class HttpBenchmarks : IDisposable
{
    private static readonly Uri s_base = new("http://127.0.0.1/v1/");

    private readonly byte[] _body = Encoding.UTF8.GetBytes($$"""{"messages":[{"role":"user","content":"{{new string('x', 2000)}}"}],"model":"m"}""");
    private readonly byte[] _buffer = new byte[4096];
    private HttpClient _bare = null!;
    private HttpClient _polly = null!;
    private HttpClient _pooled = null!;
    private HttpClient _standard = null!;
    private HttpClient _hedging = null!;
    private ServiceProvider _services = null!;

    [Params(false, true)]
    public bool Asynchronous { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var options = new EndpointPoolOptions
        {
            Heartbeat = { Enabled = false },
            Endpoints = { new EndpointOptions { Name = "a", Address = "http://127.0.0.1/v1" }, new EndpointOptions { Name = "b", Address = "http://127.0.0.1:81/v1" } },
        };
        _bare = new HttpClient(new Answers(Asynchronous), true) { BaseAddress = s_base }; // with its timeout: the others have deadlines of their own
        var services = new ServiceCollection();
        services.AddHttpClient("standard").ConfigurePrimaryHttpMessageHandler(() => new Answers(Asynchronous)).AddStandardResilienceHandler();
        services.AddHttpClient("hedging").ConfigurePrimaryHttpMessageHandler(() => new Answers(Asynchronous)).AddStandardHedgingHandler();
        _services = services.BuildServiceProvider();
        var factory = _services.GetRequiredService<IHttpMessageHandlerFactory>();
        _standard = Client(factory.CreateHandler("standard"));
        _hedging = Client(factory.CreateHandler("hedging"));
        _polly = Client(new PollyHandler { InnerHandler = new Answers(Asynchronous) });
        _pooled = Client(new EndpointPoolHandler(new EndpointPool("bench", options)) { InnerHandler = new Answers(Asynchronous) });
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _pooled.Dispose();
        _standard.Dispose();
        _hedging.Dispose();
        _services.Dispose();
        _polly.Dispose();
        _bare.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true)]
    public Task<int> Bare() => Call(_bare);

    [Benchmark]
    public Task<int> PollyByHand() => Call(_polly);

    [Benchmark]
    public Task<int> StandardHandler() => Call(_standard);

    [Benchmark]
    public Task<int> HedgingHandler() => Call(_hedging);

    [Benchmark]
    public Task<int> Pooled() => Call(_pooled);

    private static HttpClient Client(HttpMessageHandler handler) => new(handler, true) { BaseAddress = s_base, Timeout = Timeout.InfiniteTimeSpan };

    private async Task<int> Call(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = new ByteArrayContent(_body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var body = await response.Content.ReadAsStreamAsync();
        return await body.ReadAsync(_buffer);
    }

    private sealed class PollyHandler : DelegatingHandler
    {
        private readonly ResiliencePipeline<HttpResponseMessage> _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddTimeout(TimeSpan.FromSeconds(100))
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage> { ShouldHandle = static a => new(Failed(a.Outcome)) })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage> { ShouldHandle = static a => new(Failed(a.Outcome)) })
            .AddTimeout(new TimeoutStrategyOptions { Timeout = TimeSpan.FromSeconds(30) })
            .Build();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            await _pipeline.ExecuteAsync(static async (s, token) => await s.self.SendInsideAsync(s.request, token), (self: this, request), cancellationToken);

        private static bool Failed(Outcome<HttpResponseMessage> outcome) => outcome.Exception is not null || (int)outcome.Result!.StatusCode >= 500;

        private Task<HttpResponseMessage> SendInsideAsync(HttpRequestMessage request, CancellationToken token) => base.SendAsync(request, token);
    }

    private sealed class Answers(bool later) : HttpMessageHandler
    {
        private static readonly byte[] s_answer = """{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"""u8.ToArray();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (later)
                await Task.Yield();
            var content = new ByteArrayContent(s_answer);
            content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
        }
    }
}
