using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using HaKit.Alerts;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace HaKit.AspNetCore.Tests;

/// <summary>Keys and prompts are planted wherever there can be some, everything goes wrong that can, and all that comes out is searched for them.</summary>
[Collection("OpenTelemetry")]
public sealed class SecretTests
{
    private const string Key = "sk-planted-4f9a81c2d7e6", Header = "hdr-planted-77aa01bc", InAddress = "url-planted-3c5d9e", Affinity = "aff-planted-51d0", Hook = "hook-planted-9b8e", Credential = "cred-planted-e41c77", Prompt = "my planted prompt about grandmother's recipe";

    private static readonly string[] Secrets = [Key, Header, InAddress, Affinity, Hook, Credential, Prompt, "grandmother"];
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private readonly List<(string Where, string Text)> _out = [];

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

        await BreakEverythingAsync(app.Services.GetRequiredKeyedService<EndpointPool>("chat"), server, standby);

        collector.Flush();
        metrics.Collect();
        foreach (var path in (string[])["/ha", "/ha/status", "/ha/explain?pool=chat", "/ha/dashboard.js"])
            _out.Add((path, await site.GetStringAsync(path, Ct)));
        var buffer = new byte[1 << 20];
        _out.Add(("/ha/events", Encoding.UTF8.GetString(buffer, 0, await eventsBody.ReadAsync(buffer, Ct))));
        var health = (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Ct)).Entries["chat"];
        _out.Add(("health check", health.Description + string.Join('|', health.Data.Select(d => $"{d.Key}={d.Value}"))));
        await app.StopAsync(Ct);
        _out.AddRange(logs.Entries.Select(e => ("log", $"{e.Category} {e.Message} {string.Join('|', e.Values)} {e.Exception}")));
        _out.AddRange(metrics.Measurements.Select(m => ("metric", $"{m.Instrument} {string.Join('|', m.Tags)}")));
        lock (spans)
            _out.AddRange(spans.Select(s => ("span", $"{s.OperationName} {s.StatusDescription} {string.Join('|', s.TagObjects)} {string.Join('|', s.Events.SelectMany(e => e.Tags).Select(t => t.ToString()))} {string.Join('|', s.Baggage)}")));
        _out.AddRange(collector.Received.Select(r => ("OTLP" + r.Path, Encoding.UTF8.GetString(r.Body))));
        lock (messages)
            _out.AddRange(messages.Select(m => ("alert", m.Text + AlertText(m))));

        // The search sees what it is meant to see: each kind of output speaks of the endpoint and of what happened to it.
        foreach (var where in (string[])["/ha/status", "/ha/events", "/ha/explain?pool=chat", "health check", "log", "metric", "span", "OTLP/v1/traces", "OTLP/v1/metrics", "alert", "exception"])
            _out.Where(o => o.Where == where).Should().Contain(o => o.Text.Contains("ill-endpoint", StringComparison.Ordinal), $"{where} was searched");
        foreach (var (where, text) in _out)
        {
            foreach (var secret in Secrets)
            {
                if (text.Contains(secret, StringComparison.OrdinalIgnoreCase))
                    Assert.Fail($"{where} tells '{secret}': {text[..Math.Min(text.Length, 400)]}");
            }
        }
    }

    private static WebApplication Build(FakeAiServer server, FakeAiServer standby, LogRecorder logs, List<AlertMessage> messages)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        builder.Services.AddHaEndpointPool("chat", o =>
        {
            var address = server.OpenAIAddress;
            o.Endpoints.Add(new EndpointOptions
            {
                Name = "ill-endpoint",
                Address = $"http://{InAddress}:{InAddress}@{address.Authority}/v1?key={InAddress}",
                Model = "m1",
                Headers = { ["Authorization"] = $"Bearer {Key}", ["x-more"] = Header },
            });
            o.Endpoints.Add(new EndpointOptions { Name = "standby", Address = standby.OpenAIAddress.AbsoluteUri, Tier = 1, Credential = Credential });
            o.Heartbeat.Path = "/health";
            o.Heartbeat.Interval = TimeSpan.FromSeconds(0.5);
            o.Heartbeat.Timeout = TimeSpan.FromSeconds(0.4);
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(0.8);
            o.Objective = new ObjectiveOptions();
        }).OnEjected(static (_, _) => throw new InvalidOperationException("recovery failed"));
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
                    await AskAsync(http, stream);
                }
            }
        }
        await server.KillAsync();
        await standby.KillAsync();
        for (var i = 0; i < 4; i++)
            await AskAsync(http, stream: false);
    }

    private async Task AskAsync(HttpClient http, bool stream)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions")
        {
            Content = JsonContent.Create(new { model = "m1", stream, messages = (object[])[new { role = "user", content = Prompt }] }),
            Headers = { { "Authorization", $"Bearer {Key}" } },
        };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { AffinityKey = Affinity, Deadline = TimeSpan.FromSeconds(0.4) });
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            _ = await response.Content.ReadAsStringAsync(Ct); // what the provider says to its caller is the caller's
        }
        catch (Exception failure) when (!Ct.IsCancellationRequested)
        {
            _out.Add(("exception", $"{failure} {string.Join('|', failure.Data.Values.Cast<object?>())}"));
            if (failure is NoEndpointAvailableException none)
                _out.Add(("exception", string.Join('|', none.Endpoints) + string.Join('|', none.Attempts)));
        }
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
}
