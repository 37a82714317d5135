using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>Tests each promise once over real sockets. The assertions are about counts, never about times.</summary>
public sealed class PromisesOverSocketsTests : IAsyncLifetime
{
    private const string Key = "sk-planted-key-7f3a";
    private const string Prompt = "a planted prompt about tulips";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly List<FakeAiServer> _servers = [];

    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < 3; i++)
            _servers.Add(await FakeAiServer.StartAsync(new FakeAiOptions { Name = $"server{i}", Seed = i }, cancellationToken: Ct));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    private EndpointPool Pool(int servers, Action<EndpointPoolOptions>? configure = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        foreach (var server in _servers.Take(servers))
            options.Endpoints.Add(new EndpointOptions { Name = server.Name, Address = server.OpenAIAddress.AbsoluteUri, Headers = { ["Authorization"] = $"Bearer {Key}" } });
        configure?.Invoke(options);
        return new EndpointPool("promises", options);
    }

    private static async Task<string> AskAsync(EndpointPool pool, HttpClient client, bool stream = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, pool.Origin.AbsoluteUri.TrimEnd('/') + "/chat/completions")
        {
            Content = new StringContent(
                $$"""{"model":"gpt-4o-mini","stream":{{(stream ? "true" : "false")}},"max_tokens":20,"messages":[{"role":"user","content":"{{Prompt}}"}]}""",
                Encoding.UTF8, "application/json"),
        };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        return await response.Content.ReadAsStringAsync(Ct);
    }

    [Fact]
    public async Task Promise_1_while_one_endpoint_is_up_every_request_succeeds()
    {
        await using var pool = Pool(3);
        using var client = pool.CreateHttpClient();
        for (var i = 0; i < 60; i++)
        {
            if (i == 10)
                await _servers[0].KillAsync();
            if (i == 25)
                _servers[1].Faults.Always(FakeFault.Status(503));
            (await AskAsync(pool, client, stream: i % 2 == 0)).Should().Contain("choices");
        }
        _servers.Sum(s => s.Counts.AnsweredWhole).Should().Be(60);
    }

    [Fact]
    public async Task Promise_1_a_silent_endpoint_costs_no_call_and_then_gets_trials_only()
    {
        await using var pool = Pool(3, o => o.AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(0.3) });
        using var client = pool.CreateHttpClient();
        _servers[0].Faults.Always(FakeFault.Hang);
        for (var i = 0; i < 120; i++)
            await AskAsync(pool, client);
        _servers[0].Counts.Received.Should().BeLessThanOrEqualTo(12, "five silences eject it");
        (_servers[1].Counts.AnsweredWhole + _servers[2].Counts.AnsweredWhole).Should().Be(120);
    }

    [Fact]
    public async Task Promise_1_a_far_slower_endpoint_is_asked_seldom_and_costs_no_call()
    {
        await using var pool = Pool(3);
        using var client = pool.CreateHttpClient();
        _servers[0].Faults.Always(FakeFault.Latency(TimeSpan.FromSeconds(0.4)));
        for (var i = 0; i < 150; i++)
            await AskAsync(pool, client, stream: i % 2 == 0);
        _servers.Sum(s => s.Counts.AnsweredWhole).Should().Be(150);
        _servers[0].Counts.Received.Should().BeLessThanOrEqualTo(15, "its fair share would be fifty");
    }

    [Fact]
    public async Task Promise_1_all_answer_503_and_are_then_well_and_the_waiting_are_served()
    {
        await using var pool = Pool(3);
        using var client = pool.CreateHttpClient();
        foreach (var server in _servers)
            server.Faults.Always(FakeFault.Status(503));
        var calls = Enumerable.Range(0, 40).Select(_ => AskAsync(pool, client)).ToArray();
        await Task.WhenAny(Task.WhenAll(calls), Task.Delay(TimeSpan.FromSeconds(1), Ct)); // the outage has to last for some time, but no assertion depends on its length
        calls.Should().OnlyContain(c => !c.IsCompleted);
        foreach (var server in _servers)
            server.Faults.Clear();
        await Task.WhenAll(calls);
        _servers.Sum(s => s.Counts.AnsweredWhole).Should().Be(40);
    }

    [Fact]
    public async Task Promise_2_a_caller_never_waits_past_its_deadline()
    {
        await using var pool = Pool(2, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(0.5));
        using var client = pool.CreateHttpClient();
        foreach (var server in _servers)
            server.Faults.Always(FakeFault.Hang);
        await AskAsync(pool, client).Awaiting(c => c).Should().ThrowAsync<DeadlineExceededException>();
    }

    [Fact]
    public async Task Promises_2_and_4_half_an_answer_never_looks_whole_and_is_not_replayed()
    {
        await using var pool = Pool(2);
        using var client = pool.CreateHttpClient();
        foreach (var server in _servers)
            server.Faults.Always(FakeFault.EndAfter(4));
        var failure = await AskAsync(pool, client, stream: true).Awaiting(c => c).Should().ThrowAsync<Exception>();
        (failure.Which as PartialResponseException ?? failure.Which.InnerException as PartialResponseException).Should().NotBeNull();
        _servers.Sum(s => s.Counts.Received).Should().Be(1);
    }

    [Fact]
    public async Task Promise_3_nothing_is_sent_before_a_retry_after_has_passed()
    {
        await using var pool = Pool(1);
        using var client = pool.CreateHttpClient();
        _servers[0].Faults.Next(1, FakeFaults.OpenAI.RateLimited(TimeSpan.FromMinutes(30)));
        for (var i = 0; i < 20; i++)
            (await AskAsync(pool, client).Awaiting(c => c).Should().ThrowAsync<NoEndpointAvailableException>()).Which.RetryAfter.Should().BeGreaterThan(TimeSpan.FromMinutes(29));
        _servers[0].Counts.Received.Should().Be(1);
    }

    [Fact]
    public async Task Promises_5_and_6_a_refusal_says_what_was_tried_and_shows_no_key_and_no_prompt()
    {
        await using var pool = Pool(2);
        using var client = pool.CreateHttpClient();
        foreach (var server in _servers)
            server.Faults.Always(FakeFaults.OpenAI.QuotaExhausted());
        var refusal = (await AskAsync(pool, client).Awaiting(c => c).Should().ThrowAsync<NoEndpointAvailableException>()).Which;
        refusal.Attempts.Select(a => a.Fault!.Kind).Should().OnlyContain(k => k == FaultKind.QuotaExhausted).And.HaveCount(2);
        refusal.Endpoints.Should().HaveCount(2);
        (refusal + string.Join(' ', refusal.Endpoints)).Should().NotContain(Key).And.NotContain("tulips");
    }
}
