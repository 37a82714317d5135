using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>
/// Tests refusals because of a key, an account, a limit or a prompt: over real sockets, with plain HTTP and with the OpenAI SDK. The test controls the pool's
/// time.
/// </summary>
public sealed class AccountTests(TwoServers world) : IClassFixture<TwoServers>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Failure_49_one_401_of_a_key_that_has_served_is_tried_again_after_5_s(bool sdk)
    {
        await using var pool = Start(1);
        await AskAsync(pool, sdk);
        world.Servers[0].Faults.Next(1, FakeFaults.OpenAI.BadKey());
        var call = AskAsync(pool, sdk);
        (await pool.PassTimeAsync(call, () => true)).Should().Contain(SdkWorld.Answer, "the call waits for the trial");
        await AskAsync(pool, sdk);
    }

    [Fact(Timeout = 60_000)]
    public async Task Failure_49_one_401_of_a_key_does_not_take_both_of_its_endpoints_for_an_hour()
    {
        await using var pool = Start(2, o => o.Endpoints[0].KeyName = o.Endpoints[1].KeyName = "k");
        await AskAsync(pool, sdk: true);
        world.Servers[0].Faults.Next(1, FakeFaults.OpenAI.BadKey());
        (await pool.PassTimeAsync(AskAsync(pool, sdk: true), () => true)).Should().Contain(SdkWorld.Answer);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_key_that_never_served_ends_the_call_at_once()
    {
        await using var pool = Start(1);
        using var bad = world.Servers[0].Faults.Always(FakeFaults.OpenAI.BadKey());
        var asked = await Asked(0, () => AskAsync(pool, sdk: false).Awaiting(c => c).Should().ThrowAsync<NoEndpointAvailableException>());
        asked.Should().Be(1);
    }

    public static TheoryData<string, string> RefusedPrompts() => new()
    {
        { "403", """{"code":"permission-denied","error":"Content violates usage guidelines. Team: x, API key ID: y"}""" },
        { "403", """{"error":{"message":"The request was rejected by our safety system","type":"invalid_request_error","code":null}}""" },
        { "400", """{"error":{"message":"<400> InternalError.Algo.DataInspectionFailed: Input data may contain inappropriate content.","type":"data_inspection_failed","code":"data_inspection_failed"}}""" },
        { "400", """{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}""" },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(RefusedPrompts))]
    public async Task Failure_50_a_refused_prompt_comes_back_at_once_and_ejects_nothing(string status, string body)
    {
        await using var pool = Start(2, o => o.Endpoints[0].KeyName = o.Endpoints[1].KeyName = "k");
        foreach (var server in world.Servers)
            server.Faults.Next(20, FakeFault.Status(int.Parse(status, System.Globalization.CultureInfo.InvariantCulture), body));
        var before = world.Servers.Sum(s => s.Counts.Received);
        for (var i = 0; i < 10; i++)
            (await RawAsync(pool)).Should().Be(((HttpStatusCode)int.Parse(status, System.Globalization.CultureInfo.InvariantCulture), body));
        (world.Servers.Sum(s => s.Counts.Received) - before).Should().Be(10);
        pool.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.Status == HaKit.Health.EndpointHealthStatus.Healthy && e.Health.CooldownUntil == null);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("<html><body>Request blocked. Support ID: 123</body></html>", "text/html")]
    [InlineData("""{"message":"Forbidden"}""", "application/json")]
    public async Task Failure_50_any_other_403_goes_once_to_each_endpoint_and_counts_for_nothing_if_all_refuse(string body, string type)
    {
        await using var pool = Start(2, o => o.Endpoints[0].KeyName = o.Endpoints[1].KeyName = "k");
        foreach (var server in world.Servers)
            server.Faults.Always(FakeFault.Status(403, body, type));
        var before = world.Servers.Sum(s => s.Counts.Received);
        for (var i = 0; i < 8; i++)
            (await RawAsync(pool)).Should().Be((HttpStatusCode.Forbidden, body));
        (world.Servers.Sum(s => s.Counts.Received) - before).Should().Be(16);
        pool.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.Status == HaKit.Health.EndpointHealthStatus.Healthy && e.Health.CooldownUntil == null);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(429, """{"error":{"message":"Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 342389.","type":"tokens","code":"rate_limit_exceeded"}}""")]
    [InlineData(413, """{"error":{"message":"Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 10000, please reduce your message size and try again.","type":"tokens","code":"rate_limit_exceeded"}}""")]
    [InlineData(429, """{"error":{"message":"Tokens per minute exceeded. Limit: 40,000 / min. Requested: 61,000.","type":"rate_limit_error"}}""")]
    public async Task Failure_52_a_request_larger_than_the_limit_throttles_nobody(int status, string body)
    {
        await using var pool = Start(2);
        foreach (var server in world.Servers)
            server.Faults.Next(1, FakeFault.Status(status, body));
        (await RawAsync(pool)).Should().Be(((HttpStatusCode)status, body));
        var before = world.Servers[0].Counts.Received;
        await AskAsync(pool, sdk: true);
        (world.Servers[0].Counts.Received - before).Should().Be(1, "an innocent call is served at once by the same endpoint");
        pool.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.CooldownUntil == null);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(429, """{"error":{"message":"Your account is suspended, please check your plan","type":"exceeded_current_quota_error"}}""")]
    [InlineData(403, """{"error":{"message":"x","type":"new_api_error","code":"insufficient_user_quota"}}""")]
    [InlineData(402, """{"error":{"message":"Insufficient Balance","code":"invalid_request_error"}}""")]
    [InlineData(429, """{"error":{"code":"1113","message":"x","type":"InsufficientBalance"}}""")]
    public async Task A_quota_in_words_of_its_own_is_a_quota(int status, string body)
    {
        await using var pool = Start(2);
        using var spent = world.Servers[0].Faults.Always(FakeFault.Status(status, body));
        await AskAsync(pool, sdk: true);
        var health = pool.Pool.Explain(RequestProfile.Default)[0].Health;
        health.CooldownCause!.Kind.Should().Be(FaultKind.QuotaExhausted);
        health.CooldownUntil.Should().Be(TimeSpan.MaxValue);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("Retry-After", "20, 20")]
    [InlineData("Retry-After", "20 seconds")]
    [InlineData("RateLimit-Reset", "20")]
    [InlineData("x-ratelimit-reset", "20")]
    public async Task The_time_to_come_back_is_read_in_every_form(string header, string value)
    {
        await using var pool = Start(2);
        world.Servers[0].Faults.Next(1, FakeFault.Status(429, """{"error":{"message":"slow down","code":"rate_limit_exceeded"}}""").WithHeader(header, value));
        await AskAsync(pool, sdk: true);
        var health = pool.Pool.Explain(RequestProfile.Default)[0].Health;
        health.CooldownUntil!.Value.Should().BeCloseTo(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), "the pool's clock stands at its beginning");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_endpoint_that_says_not_to_retry_is_not_asked_again_in_the_call()
    {
        await using var pool = Start(2);
        foreach (var server in world.Servers)
            server.Faults.Always(FakeFault.Status(503, """{"error":{"message":"x"}}""").WithHeader("x-should-retry", "false"));
        var before = world.Servers.Select(s => s.Counts.Received).ToArray();
        await AskAsync(pool, sdk: false).Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>();
        for (var i = 0; i < 2; i++)
            (world.Servers[i].Counts.Received - before[i]).Should().Be(1);
    }

    private SdkWorld Start(int endpoints, Action<EndpointPoolOptions>? configure = null)
    {
        foreach (var server in world.Servers)
            server.Faults.Clear();
        return SdkWorld.Over(world.Servers[..endpoints], o =>
        {
            o.TotalRequestTimeout.Timeout = TimeSpan.FromHours(1); // time passes faster than a busy machine answers
            configure?.Invoke(o);
        });
    }

    private async Task<long> Asked(int server, Func<Task> work)
    {
        var before = world.Servers[server].Counts.Received;
        await work();
        return world.Servers[server].Counts.Received - before;
    }

    private static async Task<(HttpStatusCode, string)> RawAsync(SdkWorld pool)
    {
        using var client = pool.Pool.CreateHttpClient();
        using var response = await client.PostAsync(new Uri(pool.Pool.Origin, "v1/chat/completions"), Body(), Ct);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Ct));
    }

    private static async Task<string> AskAsync(SdkWorld pool, bool sdk)
    {
        if (sdk)
            return await pool.AskAsync(Sdk.OpenAI, streamed: false);
        using var client = pool.Pool.CreateHttpClient();
        using var response = await client.PostAsync(new Uri(pool.Pool.Origin, "v1/chat/completions"), Body(), Ct);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync(Ct);
    }

    private static StringContent Body() => new("""{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":20}""", Encoding.UTF8, "application/json");
}
