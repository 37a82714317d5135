using System.Net.Http.Headers;
using System.Text;
using HaKit.Selection;
using HaKit.Testing;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Http;

/// <summary>Creates a pool over endpoints in memory, in virtual time, called through an <see cref="HttpClient"/>.</summary>
internal sealed class HttpPool : IAsyncDisposable
{
    private readonly FakeHttpNetwork _network = new();
    private readonly Handler _handler;

    public HttpPool(int endpoints = 2, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null, FakeAiOptions? fake = null, HttpMessageHandler? inner = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, Selection = { Preset = SelectionPreset.RoundRobin } };
        options.Heartbeat.Enabled = false;
        for (var i = 0; i < endpoints; i++)
        {
            var endpoint = new FakeHttpEndpoint(new FakeAiOptions { Name = ((char)('a' + i)).ToString(), Time = Time, Models = fake?.Models ?? [], Observe = Seen.Add });
            Fakes.Add(endpoint);
            var address = new Uri($"http://127.0.0.1:{9000 + i}/v1");
            _network.Add(address, endpoint);
            options.Endpoints.Add(new EndpointOptions { Name = endpoint.Name, Address = address.ToString() });
        }
        configure?.Invoke(options);
        var made = new EndpointPoolParts { TimeProvider = Time };
        parts?.Invoke(made);
        Pool = new EndpointPool("test", options, made);
        _handler = new Handler(inner ?? _network);
        Client = new HttpClient(new EndpointPoolHandler(Pool) { InnerHandler = _handler }) { BaseAddress = Pool.BaseAddress(), Timeout = Timeout.InfiniteTimeSpan };
    }

    public ManualTimeProvider Time { get; } = new();

    public EndpointPool Pool { get; }

    public HttpClient Client { get; }

    public List<FakeHttpEndpoint> Fakes { get; } = [];

    public List<FakeRequest> Seen { get; } = [];

    /// <summary>Gets every request that was sent.</summary>
    public List<HttpRequestMessage> Sent => _handler.Sent;

    /// <summary>Gets the responses whose bodies were not disposed.</summary>
    public int Open => _handler.Open;

    public int InFlight => Pool.Explain(RequestProfile.Default).Sum(e => e.InFlight);

    public static StringContent Chat(string prompt, bool stream = false, string model = "m", string more = "") => new(
        $$"""{"messages":[{"role":"user","content":"{{prompt}}"}],"model":"{{model}}","stream":{{(stream ? "true" : "false")}}{{more}}}""", Encoding.UTF8, "application/json");

    public async Task<HttpResponseMessage> SendAsync(HttpContent? content, string path = "chat/completions", bool stream = false, CancellationToken? ct = null)
    {
        var request = new HttpRequestMessage(content is null ? HttpMethod.Get : HttpMethod.Post, path) { Content = content };
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct ?? TestContext.Current.CancellationToken);
    }

    public async Task<string> ReadAsync(HttpContent content, string path = "chat/completions")
    {
        using var response = await SendAsync(content, path);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Gets the text of all contents of a streamed chat.</summary>
    public static string TextOf(string sse) => string.Concat(sse.Split('\n').Where(l => l.StartsWith("data: {", StringComparison.Ordinal))
        .Select(l => System.Text.Json.JsonDocument.Parse(l[6..]).RootElement.GetProperty("choices"))
        .Where(c => c.GetArrayLength() > 0)
        .Select(c => c[0].GetProperty("delta").TryGetProperty("content", out var text) ? text.GetString() : ""));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Pool.DisposeAsync();
    }

    private sealed class Handler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public List<HttpRequestMessage> Sent { get; } = [];

        public int Open { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Sent.Add(request);
            var response = await base.SendAsync(request, cancellationToken);
            Open++;
            var counted = new Counted(response.Content, () => Open--);
            foreach (var (name, values) in response.Content.Headers.NonValidated)
                counted.Headers.TryAddWithoutValidation(name, values);
            response.Content = counted;
            return response;
        }
    }

    private sealed class Counted(HttpContent content, Action disposed) : HttpContent
    {
        private bool _isDisposed;

        protected override Task<Stream> CreateContentReadStreamAsync() => content.ReadAsStreamAsync();

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => content.CopyToAsync(stream, context);

        protected override bool TryComputeLength(out long length)
        {
            length = content.Headers.ContentLength ?? 0;
            return content.Headers.ContentLength is not null;
        }

        protected override void Dispose(bool disposing)
        {
            if (!_isDisposed && disposing)
            {
                _isDisposed = true;
                disposed();
                content.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}

/// <summary>Keeps log lines.</summary>
internal sealed class Lines : ILoggerFactory, ILogger
{
    public List<string> All { get; } = [];

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Add(formatter(state, exception));
}
