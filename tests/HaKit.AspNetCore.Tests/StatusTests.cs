using System.Net;
using System.Text;
using System.Text.Json;
using HaKit.AspNetCore.Status;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.AspNetCore.Tests;

public sealed class StatusTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static async Task<JsonElement> StatusAsync(Site site) => JsonDocument.Parse(await site.Http.GetStringAsync("/ha/status", Ct)).RootElement;

    private static IEnumerable<string> Paths(JsonElement element, string path) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Paths(p.Value, $"{path}.{p.Name}")).Append(path),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(e => Paths(e, path + "[]")).Append(path),
        _ => [path],
    };

    [Fact]
    public async Task Status_says_who_is_ill_since_when_and_why()
    {
        await using var site = await Site.StartAsync();
        site.Call(3, a => a.Endpoint.Name == "a" ? new HttpRequestException(HttpRequestError.ConnectionError) : null);
        var pool = (await StatusAsync(site)).GetProperty("pools")[0];
        pool.GetProperty("state").GetString().Should().Be("degraded");
        pool.GetProperty("servingTier").GetInt32().Should().Be(1);
        var a = pool.GetProperty("endpoints")[0];
        a.GetProperty("state").GetString().Should().Be("Ejected");
        a.GetProperty("cause").GetString().Should().Be("ConnectFailed");
        a.GetProperty("since").GetDateTimeOffset().Should().BeBefore(site.Time.GetUtcNow());
        a.GetProperty("until").GetDateTimeOffset().Should().BeAfter(site.Time.GetUtcNow());
        a.GetProperty("address").GetString().Should().Be("https://a.test:8443", "what else an address holds is nobody's business");
        (await StatusAsync(site)).GetProperty("events")[0].GetProperty("text").GetString().Should().Match("ejected for * s: ConnectFailed, seen by a call");
    }

    [Fact]
    public async Task A_seam_of_an_answer_is_an_event_on_the_dashboard()
    {
        await using var site = await Site.StartAsync(pool: static o =>
        {
            o.Heartbeat.Enabled = false;
            o.Streaming.Continuation = StreamContinuation.On;
            foreach (var (name, tier) in new[] { ("a", 0), ("b", 1) })
                o.Endpoints.Add(new EndpointOptions { Name = name, Address = $"https://{name}.test/v1", Tier = tier, Continuation = Continuation.AssistantPrefix });
        });
        var pool = site.Pool();
        var stream = await pool.StreamAsync(RequestProfile.Default, 0, Open, new Words(), async (cut, token) =>
            await pool.ContinueAsync(RequestProfile.Default, cut, new AnswerSoFar(5, null), 0, Open, new Words(), token), Ct);
        await foreach (var word in stream)
            GC.KeepAlive(word);
        site.Time.Advance(TimeSpan.FromSeconds(1)); // a timer wakes the reader of events
        (await StatusAsync(site)).GetProperty("events").EnumerateArray().Select(e => e.GetProperty("text").GetString()!).Should().ContainMatch("an answer was cut (PartialResponse), and b continued it after *s");

        static ValueTask<IAsyncEnumerable<string>> Open(EndpointAttempt attempt, int state, CancellationToken token) =>
            new((attempt.Endpoint.Name == "a" ? "Hello" : "world .").Split(' ').ToAsyncEnumerable());
    }

    private sealed class Words : StreamItemReader<string>
    {
        public override StreamSignal Read(string item) => item == "." ? StreamSignal.End : StreamSignal.Content;
    }

    [Fact]
    public async Task History_counts_calls_latency_and_faults_of_each_step()
    {
        await using var site = await Site.StartAsync();
        site.Call(5);
        site.Time.Advance(TimeSpan.FromSeconds(5));
        site.Time.Advance(TimeSpan.FromSeconds(5));
        var history = (await StatusAsync(site)).GetProperty("pools")[0].GetProperty("endpoints")[0].GetProperty("history");
        history.GetProperty("calls").EnumerateArray().Select(p => p.GetInt32()).Should().Equal(5, 0);
        history.GetProperty("milliseconds").EnumerateArray().Select(p => p.GetInt32()).Should().Equal(200, -1);
        history.GetProperty("faults").EnumerateArray().Select(p => p.GetInt32()).Should().Equal(0, 0);
        for (var i = 0; i < 80; i++)
            site.Time.Advance(TimeSpan.FromSeconds(5));
        (await StatusAsync(site)).GetProperty("pools")[0].GetProperty("endpoints")[0].GetProperty("history").GetProperty("calls").GetArrayLength().Should().Be(60);
    }

    [Fact]
    public async Task What_the_application_has_beside_its_pools_is_shown()
    {
        await using var site = await Site.StartAsync(services => services.AddSingleton<IStatusPanel>(new Backups()));
        var panel = (await StatusAsync(site)).GetProperty("panels")[0];
        panel.GetProperty("name").GetString().Should().Be("backups");
        panel.GetProperty("state").GetString().Should().Be("degraded");
        panel.GetProperty("rows")[0].GetProperty("text").GetString().Should().Be("5 min old");
        panel.GetProperty("rows")[1].GetProperty("state").GetString().Should().Be("outage");
    }

    private sealed class Backups : IStatusPanel
    {
        public StatusPanel Read() => new("backups", HealthStatus.Degraded, "One is missing.", [new("disk", HealthStatus.Healthy, "5 min old"), new("share", HealthStatus.Unhealthy, "none")]);
    }

    [Fact]
    public async Task The_schema_is_stable()
    {
        await using var site = await Site.StartAsync();
        site.Call(3, a => a.Endpoint.Name == "a" ? new HttpRequestException(HttpRequestError.ConnectionError) : null);
        site.Time.Advance(TimeSpan.FromSeconds(5));
        var status = await StatusAsync(site);
        status.GetProperty("schema").GetString().Should().Be("hakit.status/1");
        // A field that goes away or changes its name needs another number in the schema's name.
        Paths(status, "").Distinct().Should().Contain(
        [
            ".at", ".step", ".point", ".pools[].name", ".pools[].state", ".pools[].serving", ".pools[].firstTier", ".pools[].servingTier", ".pools[].inFlight", ".pools[].waiting", ".pools[].retryBudget",
            ".pools[].availability.delivered", ".pools[].availability.observed", ".pools[].availability.predicted", ".pools[].availability.target", ".pools[].availability.budgetLeft",
            ".pools[].availability.burn[].alert", ".pools[].availability.burn[].firing", ".pools[].availability.burn[].threshold", ".pools[].availability.burn[].long", ".pools[].availability.burn[].short",
            ".pools[].endpoints[].name", ".pools[].endpoints[].address", ".pools[].endpoints[].tier", ".pools[].endpoints[].weight", ".pools[].endpoints[].state", ".pools[].endpoints[].serves",
            ".pools[].endpoints[].since", ".pools[].endpoints[].cause", ".pools[].endpoints[].until", ".pools[].endpoints[].slowStartShare", ".pools[].endpoints[].ejections", ".pools[].endpoints[].inFlight",
            ".pools[].endpoints[].attempts", ".pools[].endpoints[].faults", ".pools[].endpoints[].failureEstimate", ".pools[].endpoints[].availability",
            ".pools[].endpoints[].limits[].name", ".pools[].endpoints[].limits[].used", ".pools[].endpoints[].limits[].limit",
            ".pools[].endpoints[].history.calls[]", ".pools[].endpoints[].history.milliseconds[]", ".pools[].endpoints[].history.faults[]",
            ".events[].number", ".events[].at", ".events[].pool", ".events[].kind", ".events[].endpoint", ".events[].severity", ".events[].text",
        ]);
    }

    [Fact]
    public async Task What_the_application_changes_after_the_pages_were_mapped_takes_no_effect()
    {
        await using var site = await Site.StartAsync(map: static a =>
        {
            EndpointPoolPagesOptions given = null!;
            a.MapHaEndpointPools("/ha", o => given = o);
            (given.Step, given.Refresh) = (TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(9));
        });
        using var answer = await site.SendAsync(HttpMethod.Get, "/ha/status");
        var status = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        (status.GetProperty("step").GetDouble(), status.GetProperty("refresh").GetDouble()).Should().Be((5, 1));
    }

    [Fact]
    public async Task What_happens_is_sent_at_once_and_all_else_at_every_refresh()
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync(HttpMethod.Get, "/ha/events");
        response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Ct));
        (await NextAsync(reader)).Name.Should().Be("status");
        await site.Pool().ForceDownAsync("a");
        site.Time.Advance(TimeSpan.Zero);
        var (first, second) = (await NextAsync(reader), await NextAsync(reader));
        (first.Name, second.Name).Should().Be(("event", "event"));
        first.Data.GetProperty("text").GetString().Should().Be("ordered: force down");
        second.Data.GetProperty("text").GetString().Should().Be("Healthy → ForcedDown");
        site.Time.Advance(TimeSpan.FromMilliseconds(50));
        var tick = await NextAsync(reader);
        tick.Name.Should().Be("tick", "50 ms later, without waiting for the next refresh");
        tick.Data.GetProperty("pools")[0].GetProperty("endpoints")[0].GetProperty("state").GetString().Should().Be("ForcedDown");
        site.Time.Advance(TimeSpan.FromSeconds(1));
        (await NextAsync(reader)).Name.Should().Be("tick");
    }

    [Fact]
    public async Task One_viewer_more_than_allowed_closes_the_oldest_and_is_served()
    {
        await using var site = await Site.StartAsync(map: static a => a.MapHaEndpointPools("/ha", o => o.MaxViewers = 1));
        using var first = await site.SendAsync(HttpMethod.Get, "/ha/events");
        first.StatusCode.Should().Be(HttpStatusCode.OK);
        using var second = await site.SendAsync(HttpMethod.Get, "/ha/events");
        second.StatusCode.Should().Be(HttpStatusCode.OK);
        var read = async () =>
        {
            using var reader = new StreamReader(await first.Content.ReadAsStreamAsync(Ct));
            await reader.ReadToEndAsync(Ct);
        };
        await Record.ExceptionAsync(read); // the read ends; the server decides whether the answer then looks cut or whole
    }

    [Fact]
    public void Idle_viewers_of_one_address_take_no_place_from_another_address()
    {
        var feed = new StatusFeed(static () => [], [], new ManualTimeProvider(), new EndpointPoolPagesOptions { MaxViewers = 10 });
        feed.Start();
        var operators = Enumerable.Range(0, 3).Select(i => feed.Join($"operator {i}")!).ToArray();
        for (var i = 0; i < 100; i++)
            feed.Join("crowd").Should().NotBeNull();
        operators.Should().OnlyContain(o => !o.Closed.IsCancellationRequested);
        feed.Join("operator 4").Should().NotBeNull();
        operators.Should().OnlyContain(o => !o.Closed.IsCancellationRequested);
        feed.Stop();
    }

    [Fact]
    public void A_viewer_before_the_start_is_turned_away_and_takes_no_place()
    {
        var feed = new StatusFeed(static () => [], [], new ManualTimeProvider(), new EndpointPoolPagesOptions { MaxViewers = 1 });
        feed.Join("a").Should().BeNull();
        feed.Start();
        feed.Join("a")!.Messages.TryRead(out var first).Should().BeTrue();
        Encoding.UTF8.GetString(first!).Should().StartWith("event: status\n");
        feed.Stop();
    }

    [Fact]
    public async Task What_somebody_must_put_right_is_an_event_of_an_endpoint_that_cools_down_already()
    {
        await using var site = await Site.StartAsync(pool: static o => { o.Heartbeat.Enabled = false; o.Endpoints.Add(new EndpointOptions { Name = "a" }); });
        Fault[] faults = [new(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(20) }, new(FaultKind.QuotaExhausted), new(FaultKind.QuotaExhausted)];
        var gates = Array.ConvertAll(faults, static _ => new TaskCompletionSource());
        var calls = faults.Zip(gates, (fault, gate) => site.Pool().ExecuteAsync(new RequestProfile { MayRepeat = false }, (fault, gate), static async (attempt, s, _) =>
        {
            await s.gate.Task;
            attempt.ReportFault(s.fault);
            return 0;
        }, Ct).AsTask()).ToArray();
        foreach (var gate in gates)
            gate.SetResult();
        await Task.WhenAll(calls).ContinueWith(static _ => { }, Ct, TaskContinuationOptions.None, TaskScheduler.Default);
        site.Time.Advance(TimeSpan.Zero);
        (await StatusAsync(site)).GetProperty("events").EnumerateArray().Select(e => e.GetProperty("text").GetString())
            .Where(t => t!.StartsWith("cooling down", StringComparison.Ordinal)).Should().Equal("cooling down: Throttled", "cooling down: QuotaExhausted");
    }

    [Fact]
    public async Task Explain_answers_for_the_request_that_is_asked_about()
    {
        await using var site = await Site.StartAsync();
        var answer = JsonDocument.Parse(await site.Http.GetStringAsync("/ha/explain?pool=chat&model=other&inputTokens=5000", Ct)).RootElement;
        answer.GetProperty("schema").GetString().Should().Be("hakit.explain/1");
        answer.GetProperty("endpoints").EnumerateArray().Select(e => e.GetProperty("endpoint").GetString()).Should().Equal("a", "b");
        (await site.SendAsync(HttpMethod.Get, "/ha/explain?pool=none")).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_hundred_endpoints_with_a_whole_history_are_less_than_100_KB()
    {
        await using var site = await Site.StartAsync(pool: Crowd.Describe);
        Crowd.Live(site);
        var whole = await site.Http.GetByteArrayAsync("/ha/status", Ct);
        whole.Length.Should().BeLessThan(100 * 1024);
        JsonDocument.Parse(whole).RootElement.GetProperty("pools")[0].GetProperty("endpoints").EnumerateArray()
            .Should().OnlyContain(e => e.GetProperty("history").GetProperty("calls").GetArrayLength() == 30 && e.GetProperty("attempts").GetInt64() > 0);
        TestContext.Current.SendDiagnosticMessage($"100 endpoints: {whole.Length} bytes.");
    }

    [Fact]
    public async Task Several_pools_are_shown_each_and_pools_that_end_harm_nothing()
    {
        await using var site = await Site.StartAsync(s => s.AddHaEndpointPool("other", o => { o.Endpoints.Add(new EndpointOptions { Name = "x" }); }));
        (await StatusAsync(site)).GetProperty("pools").EnumerateArray().Select(p => p.GetProperty("name").GetString()).Should().BeEquivalentTo("chat", "other");
        await site.Pool("other").DisposeAsync();
        site.Time.Advance(TimeSpan.FromSeconds(10));
        (await StatusAsync(site)).GetProperty("pools").GetArrayLength().Should().Be(2);
    }

    [Fact]
    public async Task A_pool_without_endpoints_is_shown_and_its_page_and_events_go_on()
    {
        await using var site = await Site.StartAsync(s => s.AddHealthChecks().AddHaEndpointPoolCheck("chat"), a => { a.MapHaEndpointPools("/ha"); a.MapHealthChecks("/health"); },
            o => (o.AllowEmpty, o.Heartbeat.Enabled) = (true, false), users: false);
        var pool = (await StatusAsync(site)).GetProperty("pools")[0];
        pool.GetProperty("endpoints").GetArrayLength().Should().Be(0);
        pool.GetProperty("state").GetString().Should().Be("outage");
        JsonDocument.Parse(await site.Http.GetStringAsync("/ha/explain?pool=chat", Ct)).RootElement.GetProperty("endpoints").GetArrayLength().Should().Be(0);
        site.Time.Advance(TimeSpan.FromMinutes(2));
        (await site.SendAsync(HttpMethod.Get, "/health")).StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        site.Pool().AddEndpoint(new EndpointOptions { Name = "a", Address = "https://a.test/v1" });
        site.Pool().RemoveEndpoint("a").Should().BeTrue();
        site.Time.Advance(TimeSpan.FromMinutes(2));
        (await StatusAsync(site)).GetProperty("pools")[0].GetProperty("endpoints").GetArrayLength().Should().Be(0);
        site.Logs.Entries.Where(static e => e.Exception is not null).Should().BeEmpty();
    }

    private static async Task<(string Name, JsonElement Data)> NextAsync(StreamReader reader)
    {
        var name = "";
        var data = new StringBuilder();
        while (await reader.ReadLineAsync(Ct) is { } line)
        {
            if (line.Length == 0 && data.Length > 0)
                return (name, JsonDocument.Parse(data.ToString()).RootElement);
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data.Append(line[6..]);
        }

        throw new EndOfStreamException();
    }
}
