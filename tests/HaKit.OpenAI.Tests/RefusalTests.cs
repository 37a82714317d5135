using System.ClientModel;
using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>
/// Tests what servers, and gateways in front of them, send in place of an answer: over real sockets, with plain HTTP and with the OpenAI SDK, streamed and not.
/// The first of two endpoints is preferred, and the second endpoint is healthy.
/// </summary>
public sealed class RefusalTests(TwoServers world) : IClassFixture<TwoServers>
{
    private const int Calls = 60;
    private const int MostAttempts = 10;

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // The text that one caller sent, quoted by the server.
    private static readonly string[] s_quoted =
    [
        "1 validation error: 'input': 'why do I get: You exceeded your current quota'",
        "1 validation error: 'input': 'why do I get: Incorrect API key provided'",
        """Cannot parse "Your credit balance is too low to access the Anthropic API": unexpected token""",
        "Invalid input: \u201CThe model is overloaded. limit: 0. Please try again in 3600s\u201D",
        "body `insufficient_quota: API key not valid` is no prompt",
        """Failed to parse b'{"x":"You exceeded your current quota, please check your plan and billing details"}'""",
        "value='Quota exceeded for metric requests, limit: 0' (quoted 'again: api key not valid' here)",
    ];

    public static TheoryData<WireDialect, int, bool> Quotes()
    {
        var data = new TheoryData<WireDialect, int, bool>();
        foreach (var dialect in Enum.GetValues<WireDialect>())
        {
            foreach (var status in new[] { 400, 404, 422, 500 })
            {
                foreach (var sdk in new[] { false, true })
                    data.Add(dialect, status, sdk);
            }
        }

        return data;
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Quotes))]
    public async Task Failure_44_words_that_a_server_quotes_decide_nothing(WireDialect dialect, int status, bool sdk)
    {
        foreach (var quoted in s_quoted)
        {
            await using var pair = Start(o => o.Endpoints[0].Dialect = o.Endpoints[1].Dialect = dialect);
            foreach (var server in status < 500 ? world.Servers : world.Servers[..1])
                server.Faults.Next(1, FakeFault.Status(status, $$$"""{"error":{"message":{{{System.Text.Json.JsonSerializer.Serialize(quoted)}}},"type":"Bad Request","code":{{{status}}}}}"""));
            try
            {
                await AskAsync(pair, sdk, stream: false);
            }
            catch (Exception exception) when (exception is ClientResultException or HttpRequestException)
            {
                // This is the refusal of the server, with any status.
            }
            foreach (var server in world.Servers)
                server.Faults.Clear();
            var before = world.Servers[0].Counts.Received;
            for (var i = 0; i < 3; i++)
                await AskAsync(pair, sdk, stream: false);
            (world.Servers[0].Counts.Received - before).Should().Be(3, "{0}: the next calls are served by the same endpoint", quoted);
            foreach (var member in pair.Pool.Explain(RequestProfile.Default))
            {
                member.Health.CooldownUntil.Should().BeNull("{0}", quoted);
                member.Health.Status.Should().BeOneOf([EndpointHealthStatus.Healthy, EndpointHealthStatus.Suspect], "{0}", quoted);
            }
        }
    }

    private static readonly Dictionary<string, FakeFault> s_none = new()
    {
        ["404 nginx"] = FakeFault.Status(404, "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center><hr><center>nginx</center></body></html>", "text/html"),
        ["404 Azure"] = FakeFault.Status(404, """{"error":{"code":"404","message":"Resource not found"}}"""),
        ["404 detail"] = FakeFault.Status(404, """{"detail":"Not Found"}"""),
        ["404 model"] = FakeFault.Status(404, """{"error":{"message":"The model `m` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"""),
        ["405 bare"] = FakeFault.Status(405, ""),
        ["407 bare"] = FakeFault.Status(407, ""),
        ["409"] = FakeFault.Status(409, """{"message":"conflict"}"""),
        ["410"] = FakeFault.Status(410, ""),
        ["421 bare"] = FakeFault.Status(421, ""),
        ["425"] = FakeFault.Status(425, "too early", "text/plain"),
        ["451"] = FakeFault.Status(451, ""),
        ["499 Gemini"] = FakeFault.Status(499, """{"error":{"code":499,"message":"The operation was cancelled.","status":"CANCELLED"}}"""),
        ["400 nginx"] = FakeFault.Status(400, "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>", "text/html"),
        ["400 location"] = FakeFault.Status(400, """{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"""),
        ["400 organization"] = FakeFault.Status(400, """{"type":"error","error":{"type":"invalid_request_error","message":"This organization has been disabled."}}"""),
        ["403 page"] = FakeFault.Status(403, "<html><body>Access denied by security policy</body></html>", "text/html"),
        ["200 no choices"] = FakeFault.Status(200, """{"choices":[]}"""),
        ["200 null"] = FakeFault.Status(200, "null"),
        ["200 base_resp"] = FakeFault.Status(200, """{"choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}}"""),
        ["200 words"] = FakeFault.Status(200, "upstream said no"),
        ["200 text"] = FakeFault.Status(200, "OK", "text/plain"),
        ["200 object"] = FakeFault.Status(200, """{"ok":true}"""),
        ["200 bytes, empty"] = FakeFault.Status(200, "", "application/octet-stream"),
        ["200 null choice"] = FakeFault.Status(200, """{"choices":[null]}"""),
    };

    private static readonly Dictionary<string, FakeFault> s_noneStreamed = new()
    {
        ["only DONE"] = FakeFault.Status(200, "data: [DONE]\n\n", "text/event-stream"),
        ["an unknown error"] = FakeFault.Status(200, "data: {\"code\":500,\"message\":\"x\"}\n\n", "text/event-stream"),
        ["no choices, DONE"] = FakeFault.Status(200, "data: {\"choices\":[]}\n\ndata: [DONE]\n\n", "text/event-stream"),
        ["a role, DONE"] = FakeFault.Status(200, "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\ndata: [DONE]\n\n", "text/event-stream"),
        ["an unknown status, DONE"] = FakeFault.Status(200, "data: {\"status\":\"busy\"}\n\ndata: [DONE]\n\n", "text/event-stream"),
    };

    public static TheoryData<string, bool, bool> NoAnswers()
    {
        var data = new TheoryData<string, bool, bool>();
        foreach (var sdk in new[] { false, true })
        {
            foreach (var name in s_none.Keys)
            {
                data.Add(name, sdk, false);
                if (!name.StartsWith("200", StringComparison.Ordinal))
                    data.Add(name, sdk, true);
            }
            foreach (var name in s_noneStreamed.Keys)
                data.Add(name, sdk, true);
        }
        return data;
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(NoAnswers))]
    public async Task Failures_45_and_46_an_endpoint_that_gives_no_answer_takes_no_calls_from_a_well_sibling(string what, bool sdk, bool stream)
    {
        var fault = s_none.GetValueOrDefault(what) ?? s_noneStreamed[what];
        await using var pair = Start();
        using var bad = world.Servers[0].Faults.Always(fault);
        var before = world.Servers[0].Counts.Received;
        for (var i = 0; i < Calls; i++)
            (await AskAsync(pair, sdk, stream)).Should().Contain(SdkWorld.Answer);
        (world.Servers[0].Counts.Received - before).Should().BeInRange(1, MostAttempts);
        var state = pair.Pool.Explain(RequestProfile.Default)[0].Health;
        state.Status.Should().Be(EndpointHealthStatus.Ejected);
        if (s_none.ContainsKey(what))
            state.Cause!.StatusCode.Should().Be(StatusOf(what));
        (state.Until - state.Since).Should().BeLessThanOrEqualTo(TimeSpan.FromSeconds(30));
        pair.Pool.Explain(RequestProfile.Default)[1].Health.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    public static TheoryData<string> Refused() => [.. s_none.Keys];

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Refused))]
    public async Task What_every_endpoint_refuses_comes_back_at_once_with_the_first_answer_and_counts_for_nothing(string what)
    {
        await using var pair = Start();
        using var bad = world.Servers[0].Faults.Always(s_none[what]);
        using var other = world.Servers[1].Faults.Always(FakeFault.Status(404, "<html>the other's</html>", "text/html"));
        var before = world.Servers.Select(s => s.Counts.Received).ToArray();
        using var client = pair.Pool.CreateHttpClient();
        for (var i = 0; i < 12; i++)
        {
            using var response = await client.PostAsync(new Uri(pair.Pool.Origin, "v1/chat/completions"), Body(stream: false), Ct);
            response.StatusCode.Should().Be((HttpStatusCode)StatusOf(what));
            (await response.Content.ReadAsStringAsync(Ct)).Should().NotContain("the other's");
        }
        (world.Servers[0].Counts.Received - before[0]).Should().Be(12);
        (world.Servers[1].Counts.Received - before[1]).Should().BeInRange(10, 12, "the retry budget pays for ten opinions that serve nothing");
        pair.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy);
    }

    public static TheoryData<string, string, int> Empties() => new()
    {
        { "DELETE", "v1/files/file-1", 200 }, { "DELETE", "v1/responses/resp_1", 204 }, { "PUT", "v1/things/1", 200 }, { "PATCH", "v1/things/1", 200 }, { "POST", "v1/batches", 202 }, { "POST", "v1/jobs", 201 },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Empties))]
    public async Task Failure_78_an_empty_2xx_to_what_needs_no_answer_is_a_success(string method, string path, int status)
    {
        await using var pair = Start();
        using var empty = world.Servers[0].Faults.Always(FakeFault.Status(status, ""));
        var before = world.Servers.Sum(s => s.Counts.Received);
        (await SendAsync(pair, new HttpMethod(method), path, method == "DELETE" ? null : new StringContent("{}", Encoding.UTF8, "application/json"))).Should().Be((HttpStatusCode)status);
        (world.Servers.Sum(s => s.Counts.Received) - before).Should().Be(1);
        pair.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("GET", "v1/responses/resp_1", 404)]
    [InlineData("GET", "v1/files/file-1/content", 404)]
    [InlineData("DELETE", "v1/files/file-1", 404)]
    [InlineData("GET", "v1/batches/batch_1", 400)]
    [InlineData("POST", "custom/search", 422)]
    [InlineData("POST", "custom/search", 405)]
    public async Task A_refusal_of_any_other_request_goes_back_at_once_and_counts_for_nothing(string method, string path, int status)
    {
        await using var pair = Start();
        using var refused = world.Servers[0].Faults.Always(FakeFault.Status(status, """{"error":{"message":"No such object","type":"invalid_request_error","code":null}}"""));
        var before = world.Servers.Sum(s => s.Counts.Received);
        for (var i = 0; i < 12; i++)
            (await SendAsync(pair, new HttpMethod(method), path, method != "POST" ? null : new StringContent("{}", Encoding.UTF8, "application/json"))).Should().Be((HttpStatusCode)status);
        // If it is not known which endpoint created a stored object, the pool asks one other endpoint for it.
        (world.Servers.Sum(s => s.Counts.Received) - before).Should().BeLessThanOrEqualTo(path.StartsWith("v1/", StringComparison.Ordinal) ? 24 : 12);
        pair.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(400, """{"object":"error","message":"At most 0 image(s) may be provided in one request.","type":"BadRequestError","param":null,"code":400}""")]
    [InlineData(404, """{"error":{"message":"No endpoints found that support image input","code":404}}""")]
    public async Task Image_requests_that_one_endpoint_refuses_and_the_other_serves_take_nothing_from_text_callers(int status, string body)
    {
        await using var pair = Start();
        using var refused = world.Servers[0].Faults.Always(FakeFault.Status(status, body), r => r.Prompt.Contains("picture", StringComparison.Ordinal));
        var before = world.Servers[0].Counts.Received;
        for (var i = 0; i < 60; i++)
        {
            (await AskAsync(pair, sdk: false, stream: false, "picture")).Should().NotBeEmpty();
            (await AskAsync(pair, sdk: false, stream: false)).Should().Contain(SdkWorld.Answer);
        }
        (world.Servers[0].Counts.Received - before).Should().Be(120, "text goes to the preferred endpoint all the time");
        pair.Pool.Explain(RequestProfile.Default)[0].Health.Status.Should().NotBe(EndpointHealthStatus.Ejected);
    }

    private static async Task<HttpStatusCode> SendAsync(SdkWorld pair, HttpMethod method, string path, HttpContent? content)
    {
        using var client = pair.Pool.CreateHttpClient();
        using var request = new HttpRequestMessage(method, new Uri(pair.Pool.Origin, path)) { Content = content };
        using var response = await client.SendAsync(request, Ct);
        return response.StatusCode;
    }

    private static int StatusOf(string what) => int.Parse(what[..3], System.Globalization.CultureInfo.InvariantCulture);

    private SdkWorld Start(Action<EndpointPoolOptions>? configure = null)
    {
        foreach (var server in world.Servers)
            server.Faults.Clear();
        return SdkWorld.Over(world.Servers, configure);
    }

    private static async Task<string> AskAsync(SdkWorld pair, bool sdk, bool stream, string prompt = "hi")
    {
        if (sdk)
            return await pair.AskAsync(Sdk.OpenAI, stream);
        using var client = pair.Pool.CreateHttpClient();
        using var response = await client.PostAsync(new Uri(pair.Pool.Origin, "v1/chat/completions"), Body(stream, prompt), Ct);
        response.EnsureSuccessStatusCode();
        var text = await response.Content.ReadAsStringAsync(Ct);
        return stream ? TextOf(text) : text;
    }

    private static StringContent Body(bool stream, string prompt = "hi") => new(
        $$"""{"model":"m","messages":[{"role":"user","content":"{{prompt}}"}],"max_tokens":20,"stream":{{(stream ? "true" : "false")}}}""", Encoding.UTF8, "application/json");

    private static string TextOf(string sse) => string.Concat(sse.Split('\n').Where(l => l.StartsWith("data: {", StringComparison.Ordinal))
        .Select(l => System.Text.Json.JsonDocument.Parse(l[6..]).RootElement.GetProperty("choices"))
        .Where(c => c.GetArrayLength() > 0)
        .Select(c => c[0].GetProperty("delta").TryGetProperty("content", out var text) ? text.GetString() : ""));
}
