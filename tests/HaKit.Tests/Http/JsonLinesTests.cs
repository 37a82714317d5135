using System.Net;
using System.Text;

namespace HaKit.Tests.Http;

/// <summary>
/// JSON lines on paths that create no answer: the progress of a job, a file of results. Each line is the caller's own data, whatever it reports. Real sockets.
/// </summary>
public sealed class JsonLinesTests
{
    private const string Pull = "{\"status\":\"pulling manifest\"}\n{\"error\":\"pull model manifest: file does not exist\"}\n";

    private const string Results = "{\"id\":\"1\",\"custom_id\":\"a\",\"response\":null,\"error\":{\"code\":\"batch_expired\",\"message\":\"expired\"}}\n"
        + "{\"id\":\"2\",\"custom_id\":\"b\",\"response\":{\"body\":{\"object\":\"response\",\"status\":\"completed\"}},\"error\":null}\n"
        + "{\"id\":\"3\",\"custom_id\":\"c\",\"response\":null,\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}\n";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string, string, WireDialect> Jobs() => new()
    {
        { "POST", "api/pull", "application/x-ndjson", Pull, WireDialect.Ollama },
        { "POST", "api/pull", "application/x-ndjson", Pull, WireDialect.OpenAI },
        { "POST", "api/pull", "application/x-ndjson", Pull, WireDialect.Unknown },
        { "POST", "api/create?stream=asked", "application/json", Pull, WireDialect.Ollama },
        { "GET", "files/f/content", "application/jsonl", Results, WireDialect.OpenAI },
        { "GET", "files/f/content", "application/jsonl", Results, WireDialect.Unknown },
        { "GET", "messages/batches/b/results", "application/x-jsonl", Results, WireDialect.Anthropic },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Jobs))]
    public async Task Lines_about_a_job_come_byte_for_byte_and_blame_no_endpoint(string method, string path, string type, string lines, WireDialect dialect)
    {
        using var server = new RawServer(new RawAnswer(200, type, lines));
        await using var pool = Over(server, dialect);
        using var client = pool.CreateHttpClient();
        using var response = await client.SendAsync(Request(method, path), HttpCompletionOption.ResponseHeadersRead, Ct);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(lines);
        server.Seen.Should().ContainSingle();
        pool.Explain(RequestProfile.Default)[0].Health.ConsecutiveFailures.Should().Be(0);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Jobs))]
    public async Task Lines_that_are_cut_never_end_normally(string method, string path, string type, string lines, WireDialect dialect)
    {
        using var server = new RawServer(new RawAnswer(200, type, Encoding.UTF8.GetBytes(lines)) { IsCut = true });
        await using var pool = Over(server, dialect);
        using var client = pool.CreateHttpClient();
        using var response = await client.SendAsync(Request(method, path), HttpCompletionOption.ResponseHeadersRead, Ct);
        await using var body = await response.Content.ReadAsStreamAsync(Ct);
        await body.Awaiting(b => b.CopyToAsync(Stream.Null, Ct)).Should().ThrowAsync<PartialResponseException>();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("{\"status\":\"a\"}\n{\"status\":{\"of\":\"b\"}")]
    [InlineData("{\"status\":\"a\"}\n{\"stat")]
    public async Task A_line_that_the_connections_end_cuts_is_no_normal_end(string lines)
    {
        using var server = new RawServer(new RawAnswer(200, "application/x-ndjson", lines) { EndsWithConnection = true });
        await using var pool = Over(server, WireDialect.Ollama);
        using var client = pool.CreateHttpClient();
        using var response = await client.SendAsync(Request("POST", "api/pull"), HttpCompletionOption.ResponseHeadersRead, Ct);
        await using var body = await response.Content.ReadAsStreamAsync(Ct);
        await body.Awaiting(b => b.CopyToAsync(Stream.Null, Ct)).Should().ThrowAsync<PartialResponseException>();
    }

    [Fact(Timeout = 60_000)]
    public async Task An_error_in_the_first_line_of_a_POST_is_a_failure_as_in_a_whole_answer()
    {
        using var failing = new RawServer(new RawAnswer(200, "application/x-ndjson", "{\"error\":\"out of memory\"}\n"));
        using var well = new RawServer(new RawAnswer(200, "application/x-ndjson", "{\"status\":\"success\"}\n"));
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = failing.Address.AbsoluteUri });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = well.Address.AbsoluteUri, Tier = 1 });
        await using var pool = new EndpointPool("p", options);
        using var client = pool.CreateHttpClient();
        using var response = await client.SendAsync(Request("POST", "api/pull"), HttpCompletionOption.ResponseHeadersRead, Ct);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Contain("success");
    }

    private static EndpointPool Over(RawServer server, WireDialect dialect)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(5) } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = server.Address.AbsoluteUri, Dialect = dialect });
        return new EndpointPool("p", options);
    }

    private static HttpRequestMessage Request(string method, string path)
    {
        var isStream = path.EndsWith("asked", StringComparison.Ordinal);
        var request = new HttpRequestMessage(new HttpMethod(method), path.Split('?')[0]);
        if (method == "POST")
            request.Content = new StringContent(isStream ? """{"model":"m","stream":true}""" : """{"model":"m"}""", Encoding.UTF8, "application/json");
        return request;
    }
}
