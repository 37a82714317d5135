using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using HaKit.Alerts;
using HaKit.Faults;
using HaKit.Http;
using HaKit.Peers;
using HaKit.Recording;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace HaKit.AspNetCore.Tests;

/// <summary>
/// Puts keys and prompts into every place that can hold them, causes every kind of failure, and searches all outputs for these keys and prompts.
/// </summary>
[Collection("OpenTelemetry")]
public sealed class SecretTests
{
    private const string Key = "sk-planted-4f9a81c2d7e6", Header = "hdr-planted-77aa01bc", InAddress = "url-planted-3c5d9e", Affinity = "aff-planted-51d0", Hook = "hook-planted-9b8e";
    private const string Credential = "cred-planted-e41c77", Prompt = "my planted prompt about grandmother's recipe", Answer = "a planted answer about plums", InCode = "sk-proj-plantedCode4f9a81c2d7e6b3";
    private const string WordyHeader = "planted_header_word", InRetryAfter = "planted-retry-after", InQuery = "planted-callers-query", InCookie = "planted-cookie", Idempotency = "idem-planted-6e1f";
    private const string OrderKey = "order-planted-0123456789abcdef0123456789", InHealthPath = "planted-health-path";

    private static readonly string[] Secrets =
    [
        Key, Header, InAddress, Affinity, Hook, Credential, Prompt, "grandmother", Answer, "plums", InCode, WordyHeader, InRetryAfter, InQuery, InCookie, Idempotency, OrderKey, InHealthPath,
    ];

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private readonly List<(string Where, string Text)> _out = [];
    private readonly ConcurrentQueue<(string Where, string Text)> _heard = [];
    private readonly JumpingTime _time = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-secrets-").FullName;

    [Fact]
    public async Task No_output_holds_a_key_or_a_prompt_whatever_goes_wrong()
    {
        await using var server = await FakeAiServer.StartAsync(new FakeAiOptions { Name = "a" }, cancellationToken: Ct);
        await using var standby = await FakeAiServer.StartAsync(new FakeAiOptions { Name = "b" }, cancellationToken: Ct);
        await using var collector = await Collector.StartAsync();
        using var metrics = new MetricRecorder("HaKit");
        var spans = new List<Activity>();
        using var listener = Listen(spans);
        var logs = new LogRecorder();
        var messages = new List<AlertMessage>();
        await using var app = Build(server, standby, logs, messages);
        await app.StartAsync(Ct);
        using var site = app.GetTestClient();
        using var events = await site.GetAsync("/ha/events", HttpCompletionOption.ResponseHeadersRead, Ct);
        using var eventsBody = await events.Content.ReadAsStreamAsync(Ct);

        var pool = app.Services.GetRequiredKeyedService<EndpointPool>("chat");
        using var poolEvents = pool.Events.Subscribe(4096);
        await BreakEverythingAsync(pool, server, standby);
        await AskForTheImpossibleAsync(pool);
        AddWhatThePoolTells(pool);

        collector.Flush();
        metrics.Collect();
        foreach (var path in (string[])["/ha", "/ha/status", "/ha/explain?pool=chat", "/ha/dashboard.js"])
            _out.Add((path, await site.GetStringAsync(path, Ct)));
        var buffer = new byte[1 << 20];
        _out.Add(("/ha/events", Encoding.UTF8.GetString(buffer, 0, await eventsBody.ReadAsync(buffer, Ct))));
        var health = (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Ct)).Entries["chat"];
        _out.Add(("health check", health.Description + string.Join('|', health.Data.Select(d => $"{d.Key}={d.Value}"))));
        await app.StopAsync(Ct);
        await pool.DisposeAsync();
        await foreach (var told in poolEvents.WithCancellation(Ct))
            _out.Add(("event", $"{told} {Json(told)}"));
        AddRecording();
        _out.AddRange(_heard);
        _out.AddRange(logs.Entries.Select(e => ("log", $"{e.Category} {e.Message} {string.Join('|', e.Values)} {e.Exception}")));
        _out.AddRange(metrics.Measurements.Select(m => ("metric", $"{m.Instrument} {string.Join('|', m.Tags)}")));
        lock (spans)
            _out.AddRange(spans.Select(s => ("span", $"{s.OperationName} {s.DisplayName} {s.StatusDescription} {string.Join('|', s.TagObjects)} {string.Join('|', s.Events.Select(e => e.Name + string.Join(',', e.Tags)))} {string.Join('|', s.Baggage)}")));
        _out.AddRange(collector.Received.Select(r => ("OTLP" + r.Path, Encoding.UTF8.GetString(r.Body))));
        lock (messages)
            _out.AddRange(messages.Select(m => ("alert", m.Text + AlertText(m))));

        // The search covers the outputs: each kind of output names the endpoint and its failures.
        foreach (var where in (string[])["/ha/status", "/ha/events", "/ha/explain?pool=chat", "health check", "log", "metric", "span", "OTLP/v1/traces", "OTLP/v1/metrics", "alert", "exception", "event", "GetStatus", "Explain", "CallDetail", "peer fact", "recording"])
            _out.Where(o => o.Where == where).Should().Contain(o => o.Text.Contains("ill-endpoint", StringComparison.Ordinal), $"{where} was searched");
        string[] leaks = [.. _out.SelectMany(static o => Secrets.Where(s => o.Text.Contains(s, StringComparison.OrdinalIgnoreCase)).Select(s => $"{o.Where} tells '{s}': {o.Text[..Math.Min(o.Text.Length, 400)]}"))];
        leaks.DistinctBy(static leak => leak[..leak.IndexOf(':', StringComparison.Ordinal)]).Should().BeEmpty();
    }

    /// <summary>The data of the pool that code can read, as text and as JSON.</summary>
    private void AddWhatThePoolTells(EndpointPool pool)
    {
        var profile = new RequestProfile { AffinityKey = Affinity, IdempotencyKey = Idempotency };
        var (status, explained) = (pool.GetStatus(), pool.Explain(profile));
        _out.Add(("GetStatus", $"{status} {Json(status)} {string.Join('|', status.Endpoints)}"));
        _out.Add(("GetFleetStatus", $"{pool.GetFleetStatus()} {Json(pool.GetFleetStatus())}"));
        _out.Add(("MeasureLoad", $"{pool.MeasureLoad()} {Json(pool.MeasureLoad())}"));
        _out.Add(("Explain", $"{string.Join('|', explained)} {Json(explained)}"));
        _out.Add(("RequestProfile", $"{profile} {Json(profile)}"));
        _out.Add(("Endpoints", $"{string.Join('|', pool.Endpoints)}"));
    }

    private void AddRecording()
    {
        foreach (var file in Directory.GetFiles(_folder))
            _out.Add(("recording's file", Path.GetFileName(file) + Encoding.Latin1.GetString(File.ReadAllBytes(file))));
        foreach (var told in FlightRecording.Read(_folder).Events)
            _out.Add(("recording", $"{told} {Json(told)}"));
        Directory.Delete(_folder, recursive: true);
    }

    private static string Json(object? value)
    {
        try
        {
            return JsonSerializer.Serialize(value);
        }
        catch (NotSupportedException)
        {
            return "not serializable"; // an event with an exception
        }
    }

    private WebApplication Build(FakeAiServer server, FakeAiServer standby, LogRecorder logs, List<AlertMessage> messages)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(logs).AddProvider(new ScopeRecorder(_heard));
        builder.Services.AddHaEndpointPool("chat", o =>
        {
            var address = server.OpenAIAddress;
            o.Endpoints.Add(new EndpointOptions
            {
                Name = "ill-endpoint",
                Address = $"http://{InAddress}:{InAddress}@{address.Authority}/v1?key={InAddress}",
                Model = "m1",
                Headers = { ["Authorization"] = $"Bearer {Key}", ["x-more"] = Header, ["x-wordy"] = WordyHeader },
                HealthPath = $"/health?of={InHealthPath}",
            });
            o.Endpoints.Add(new EndpointOptions { Name = "standby", Address = standby.OpenAIAddress.AbsoluteUri, Tier = 1, Credential = Credential, Headers = { ["x-more"] = Header, ["x-wordy"] = WordyHeader, ["x-of"] = InAddress } });
            o.Heartbeat.Path = "/health";
            o.Heartbeat.Interval = TimeSpan.FromSeconds(0.5);
            o.Heartbeat.Timeout = TimeSpan.FromSeconds(0.4);
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(0.8);
            o.Objective = new ObjectiveOptions();
            o.Sharing.OrderKey = OrderKey;
        }).OnEjected(static (_, _) => throw new InvalidOperationException("recovery failed")).ConfigureParts((_, parts) => parts.PeerLink = _ => new Link(_heard));
        builder.Services.AddHaFlightRecorder("chat", o => o.Folder = _folder);
        builder.Services.AddHealthChecks().AddHaEndpointPoolCheck("chat");
        builder.Services.AddHaAlerts(o =>
        {
            o.Window = TimeSpan.Zero;
            o.AddWebhook(new Uri($"http://127.0.0.1:9/{Hook}"), w =>
            {
                w.MaxAttempts = 1;
                w.Headers["Authorization"] = $"Bearer {Hook}";
            });
            o.Add((message, _) =>
            {
                lock (messages)
                    messages.Add(message);
                return default;
            });
        });
        var app = builder.Build();
        app.MapHaEndpointPools("/ha");
        return app;
    }

    private async Task BreakEverythingAsync(EndpointPool pool, FakeAiServer server, FakeAiServer standby)
    {
        var quoting = $$$"""{"error":{"message":"Incorrect API key provided: {{{Key}}}. You asked: {{{Prompt}}}","type":"server_error","code":null}}""";
        FakeFault[] faults =
        [
            FakeFault.None, FakeFault.Status(500, quoting), FakeFault.Status(400, quoting), FakeFault.Status(401, quoting), FakeFault.Status(402, quoting), FakeFault.Status(429, quoting),
            FakeFault.Status(404, quoting), FakeFault.Status(529, quoting), FakeFault.Status(503, $"<html>{Prompt} {Key}</html>", "text/html"), FakeFault.ErrorIn200(quoting),
            FakeFault.ErrorEventAfter(2, quoting), FakeFault.CutAfter(3), FakeFault.EndAfter(3), FakeFault.Reset, FakeFault.EmptyBody, FakeFault.TruncatedBody, FakeFault.Hang,
            .. Codes(), .. Answers(),
        ];
        using var http = pool.CreateHttpClient();
        foreach (var fault in faults)
        {
            foreach (var both in (bool[])[false, true])
            {
                foreach (var stream in (bool[])[false, true])
                {
                    server.Faults.Clear();
                    standby.Faults.Clear();
                    server.Faults.Always(fault);
                    if (both)
                        standby.Faults.Always(fault);
                    await pool.BringUpAsync("ill-endpoint");
                    await pool.BringUpAsync("standby");
                    _time.Jump(TimeSpan.FromHours(3)); // so that the cooldown of one fault does not hide the next fault
                    var asked = server.Counts.Received;
                    await AskAsync(http, stream);
                    server.Counts.Received.Should().BeGreaterThan(asked, $"each fault is met, also {fault}, of both {both}, streamed {stream}");
                }
            }
        }
        await server.KillAsync();
        await standby.KillAsync();
        for (var i = 0; i < 4; i++)
            await AskAsync(http, stream: false);
    }

    /// <summary>Gets refusals whose code, type or shape is a secret, even a secret that looks like a word, and headers that contain no time.</summary>
    private static IEnumerable<FakeFault> Codes()
    {
        var status = 399;
        foreach (var code in (string[])[InCode, Key, Header, WordyHeader, Credential, InAddress])
        {
            status = status == 399 ? 400 : 399 + (status * 7 % 60); // known and unknown statuses of each kind
            yield return FakeFault.Status(status, $$$"""{"error":{"message":"{{{Prompt}}}","type":"{{{code}}}","code":"{{{code}}}","param":"{{{code}}}","{{{InCode}}}":1}}""");
            yield return FakeFault.Status(500, $$$"""{"{{{code}}}":"{{{Prompt}}}","status":"{{{code}}}"}""");
            yield return FakeFault.ErrorEventAfter(0, $$$"""{"error":{"message":"{{{Prompt}}}","type":"{{{code}}}","code":"{{{code}}}"}}""");
        }
        yield return FakeFault.Status(429).WithHeader("Retry-After", InRetryAfter).WithHeader("x-ratelimit-reset-requests", InRetryAfter).WithHeader("x-should-retry", InRetryAfter);
        yield return FakeFault.Status(307).WithHeader("Location", $"http://other.example/{InAddress}?key={InAddress}");
    }

    /// <summary>Gets answers and streams with texts that no output may repeat, complete and incomplete.</summary>
    private static IEnumerable<FakeFault> Answers()
    {
        const string content = $$$"""{"id":"{{{Answer}}}","choices":[{"index":0,"delta":{"content":"{{{Answer}}}"},"message":{"role":"assistant","content":"{{{Answer}}}"},"finish_reason":"stop"}]}""";
        const string begun = $$$"""{"choices":[{"index":0,"delta":{"content":"{{{Answer}}}"}}]}""";
        yield return FakeFault.Status(200, content);
        yield return FakeFault.Status(200, content[..^9]);
        yield return FakeFault.Status(200, $"event: {InCode}\ndata: {content}\n\ndata: [DONE]\n\n", "text/event-stream");
        yield return FakeFault.Status(200, $"id: {InCode}\ndata: {begun}\n\n", "text/event-stream");
        yield return FakeFault.Status(200, $"data: {begun}\n\ndata: {Answer}\n\n", "text/event-stream");
        yield return FakeFault.Status(200, $"<html>{Answer}</html>", "text/html");
        yield return FakeFault.Status(200, content, $"text/{InCode}");
        yield return FakeFault.FinishReason(InCode);
    }

    /// <summary>A request that no endpoint of the pool can serve.</summary>
    private async Task AskForTheImpossibleAsync(EndpointPool pool)
    {
        var profile = new RequestProfile { AffinityKey = Affinity, IdempotencyKey = Idempotency, Tags = ["tag-of-none"] };
        var refusal = await pool.Awaiting(p => p.ExecuteAsync(profile, 0, static (_, _, _) => new ValueTask<int>(1), Ct).AsTask()).Should().ThrowAsync<NoEndpointAvailableException>();
        _out.Add(("exception", refusal.Which.ToString()));
        _out.Add(("exception", Json(refusal.Which.Endpoints) + Json(refusal.Which.Attempts)));
    }

    private async Task AskAsync(HttpClient http, bool stream)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"chat/completions?key={InQuery}")
        {
            Content = JsonContent.Create(new { model = "m1", stream, messages = (object[])[new { role = "user", content = Prompt }] }),
            Headers = { { "Authorization", $"Bearer {Key}" }, { "Cookie", InCookie } },
        };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { AffinityKey = Affinity, IdempotencyKey = Idempotency, Deadline = TimeSpan.FromSeconds(0.4) });
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            _ = await response.Content.ReadAsStringAsync(Ct); // the provider's text for the caller is not searched
            if (request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail))
                _out.Add(("CallDetail", $"{detail} {string.Join('|', detail.Attempts)} {Json(detail)}"));
        }
        catch (Exception failure) when (!Ct.IsCancellationRequested)
        {
            _out.Add(("exception", $"{failure} {string.Join('|', failure.Data.Values.Cast<object?>())}"));
            if (failure is NoEndpointAvailableException none)
                _out.Add(("exception", string.Join('|', none.Endpoints) + string.Join('|', none.Attempts)));
        }
    }

    /// <summary>The time of the machine, which a test moves ahead. Timers follow the machine.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        private long _ahead;

        public void Jump(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _ahead));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead) * (TimestampFrequency / TimeSpan.TicksPerSecond);
    }

    private static string AlertText(AlertMessage message) => string.Join('|', message.Notices.Select(n => n.ToString()));

    private static ActivityListener Listen(List<Activity> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is "HaKit" or "System.Net.Http",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                    spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    /// <summary>Writes down the scopes of log lines.</summary>
    private sealed class ScopeRecorder(ConcurrentQueue<(string Where, string Text)> heard) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            heard.Enqueue(("scope", state is IEnumerable<KeyValuePair<string, object?>> values ? $"{state} {string.Join('|', values)}" : $"{state}"));
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
        }

        public void Dispose()
        {
        }
    }

    /// <summary>A link to other replicas that records the published facts.</summary>
    private sealed class Link(ConcurrentQueue<(string Where, string Text)> heard) : IPeerLink
    {
        public PeerLinkStatus Status { get; } = new() { IsConnected = true, Age = TimeSpan.Zero };

        public void Start(Action<PeerNews> listener) => listener(new PeerNews([], IsComplete: true));

        public void Publish(IReadOnlyList<PeerFact> facts)
        {
            foreach (var fact in facts)
                heard.Enqueue(("peer fact", $"{fact} {PeerFactFormat.Identity(fact)}"));
        }

        public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) => new(TimeSpan.FromSeconds(30));

        public void Dispose()
        {
        }
    }
}
