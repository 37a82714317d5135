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
/// Measures a chat request of 2 KB that is answered in memory, at once or later. The clients are: the bare client, a client with a handler as applications
/// write it with Polly (one endpoint, no replaced address or header, only the status is classified), clients with the standard resilience and hedging handlers,
/// and a client over a pool.
/// </summary>
[MemoryDiagnoser]
public class HttpBenchmarks : IDisposable
{
    /// <summary>The answer of every server of these benchmarks.</summary>
    internal static readonly byte[] Answer = """{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"""u8.ToArray();

    private readonly byte[] _body = Encoding.UTF8.GetBytes($$"""{"messages":[{"role":"user","content":"{{new string('x', 2000)}}"}],"model":"m"}""");
    private readonly byte[] _buffer = new byte[4096];
    private HttpClient _bare = null!;
    private HttpClient _polly = null!;
    private HttpClient _pooled = null!;
    private HttpClient _standard = null!;
    private HttpClient _hedging = null!;
    private HttpClient _checked = null!;
    private ServiceProvider _services = null!;

    [Params(false, true)]
    public bool Asynchronous { get; set; }

    /// <summary>Gets the address of a real server. Null: the answers come from memory.</summary>
    internal Uri? Server { get; init; }

    private Uri Base => Server ?? new Uri("http://127.0.0.1/v1/");

    [GlobalSetup]
    public void Setup()
    {
        var options = new EndpointPoolOptions
        {
            Heartbeat = { Enabled = false },
            Endpoints = { new EndpointOptions { Name = "a", Address = Base.AbsoluteUri }, new EndpointOptions { Name = "b", Address = "http://127.0.0.1:81/v1" } },
        };
        _bare = new HttpClient(Inner(), true) { BaseAddress = Base }; // with its timeout, because the other clients have their own deadlines
        var services = new ServiceCollection();
        services.AddHttpClient("standard").ConfigurePrimaryHttpMessageHandler(Inner).AddStandardResilienceHandler();
        services.AddHttpClient("hedging").ConfigurePrimaryHttpMessageHandler(Inner).AddStandardHedgingHandler();
        services.AddHttpClient("checked").ConfigurePrimaryHttpMessageHandler(() => new CheckingHandler { InnerHandler = Inner() }).AddStandardResilienceHandler();
        _services = services.BuildServiceProvider();
        var factory = _services.GetRequiredService<IHttpMessageHandlerFactory>();
        _standard = Client(factory.CreateHandler("standard"));
        _hedging = Client(factory.CreateHandler("hedging"));
        _checked = Client(factory.CreateHandler("checked"));
        _polly = Client(new PollyHandler { InnerHandler = Inner() });
        _pooled = Client(new EndpointPoolHandler(new EndpointPool("bench", options)) { InnerHandler = Inner() });
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _pooled.Dispose();
        _standard.Dispose();
        _hedging.Dispose();
        _checked.Dispose();
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

    /// <summary>The standard handler, with code that reads the whole answer within the attempt and checks that it is complete JSON.</summary>
    [Benchmark]
    public Task<int> CheckedHandler() => Call(_checked);

    [Benchmark]
    public Task<int> Pooled() => Call(_pooled);

    private HttpMessageHandler Inner() => Server is null ? new Answers(Asynchronous) : new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };

    private HttpClient Client(HttpMessageHandler handler) => new(handler, true) { BaseAddress = Base, Timeout = Timeout.InfiniteTimeSpan };

    private async Task<int> Call(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = new ByteArrayContent(_body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        var answer = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Answers.Complete();
        using var response = await answer;
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

    private sealed class CheckingHandler : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode)
                return response;
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken); // and it stays in the content, for the caller
            if (IsJson(body))
                return response;
            response.Dispose();
            throw new HttpRequestException("The answer is no JSON, or not all of it.");
        }

        private static bool IsJson(ReadOnlySpan<byte> body)
        {
            var reader = new System.Text.Json.Utf8JsonReader(body);
            try
            {
                while (reader.Read())
                {
                }
                return true;
            }
            catch (System.Text.Json.JsonException)
            {
                return false;
            }
        }
    }

    /// <summary>Answers at once, or later on request of the thread that began the call. So the benchmark measures no change of threads.</summary>
    private sealed class Answers(bool later) : HttpMessageHandler
    {
        [ThreadStatic]
        private static TaskCompletionSource? _pending;

        public static void Complete()
        {
            var pending = _pending;
            _pending = null;
            pending?.SetResult();
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (later)
                await (_pending = new TaskCompletionSource()).Task;
            var content = new ByteArrayContent(Answer);
            content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
        }
    }
}
