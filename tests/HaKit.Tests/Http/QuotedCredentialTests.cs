using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Heartbeats;

namespace HaKit.Tests.Http;

/// <summary>
/// A server writes the credential that it got in the place of its error code. No record, event or exception of the pool contains the credential, even if it
/// does not look like a key.
/// </summary>
public sealed class QuotedCredentialTests
{
    private const string Secret = "open-sesame";
    private const string Half = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"},\"finish_reason\":null}]}\n\n";
    private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static string Error(string code) => $$$"""{"error":{"message":"no","type":"server_error","code":"{{{code}}}"}}""";

    private static HttpPool Pool(bool fromCode, Func<HttpRequestMessage, HttpResponseMessage> answer, int endpoints = 2, Func<string>? key = null) => new(
        endpoints,
        options => { if (!fromCode) options.Endpoints[0].Credential = Secret; },
        parts => { if (fromCode) parts.Credential = (endpoint, _) => new(endpoint.Name == "a" ? key?.Invoke() ?? Secret : "another"); },
        inner: new Answering(answer));

    private static HttpResponseMessage Json(int status, string json) => new((HttpStatusCode)status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };

    private static bool IsOfA(HttpRequestMessage request) => request.RequestUri!.Port == 9000;

    [Theory(Timeout = 60_000)]
    [InlineData(false, 500)]
    [InlineData(true, 500)]
    [InlineData(false, 400)]
    [InlineData(true, 400)]
    [InlineData(false, 200)]
    [InlineData(true, 200)]
    public async Task Before_the_answer_its_fault_has_no_code(bool fromCode, int status)
    {
        await using var http = Pool(fromCode, request => IsOfA(request) ? Json(status, Error(Secret)) : Json(200, Whole));
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        var exception = await Record.ExceptionAsync(async () => (await http.Client.SendAsync(request, Ct)).Dispose());
        if (exception is EndpointFaultException failed)
        {
            failed.Fault.Code.Should().BeNull();
        }
        else
        {
            request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
            detail!.Attempts[0].Endpoint.Should().Be("a");
            detail.Attempts.Should().OnlyContain(attempt => attempt.Fault == null || attempt.Fault.Code == null);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_code_of_a_server_stays_if_it_is_no_credential()
    {
        await using var http = Pool(fromCode: true, request => IsOfA(request) ? Json(500, Error("worker_lost")) : Json(200, Whole));
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        (await http.Client.SendAsync(request, Ct)).Dispose();
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        detail!.Attempts[0].Fault!.Code.Should().Be("worker_lost");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("Authorization", "Bearer " + Secret)]
    [InlineData("X-Tenant-Key", Secret)]
    [InlineData(null, Secret)]
    public async Task The_credential_of_the_caller_is_removed_too_if_the_endpoint_gets_it(string? header, string value)
    {
        await using var http = new HttpPool(2, options => options.Http.ForwardCallerCredential = true, inner: new Answering(request => IsOfA(request) ? Json(500, Error(Secret)) : Json(200, Whole)));
        var request = new HttpRequestMessage(HttpMethod.Post, header is null ? $"chat/completions?api_key={value}" : "chat/completions") { Content = HttpPool.Chat("hi") };
        if (header is not null)
            request.Headers.TryAddWithoutValidation(header, value);
        (await http.Client.SendAsync(request, Ct)).Dispose();
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        detail!.Attempts[0].Fault!.StatusCode.Should().Be(500);
        detail.Attempts[0].Fault!.Code.Should().BeNull();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_the_middle_of_an_answer_its_fault_has_no_code(bool fromCode)
    {
        await using var http = Pool(fromCode, _ => new HttpResponseMessage { Content = new StringContent(Half + "data: " + Error(Secret) + "\n\n", Encoding.UTF8, "text/event-stream") }, endpoints: 1);
        using var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        var cut = (await FluentActions.Awaiting(async () => await (await response.Content.ReadAsStreamAsync(Ct)).CopyToAsync(Stream.Null, Ct)).Should().ThrowAsync<PartialResponseException>()).Which;
        cut.Fault.Code.Should().BeNull();
        cut.ToString().Should().NotContain(Secret);
        http.Pool.Explain(RequestProfile.Default)[0].Health.Cause?.Code.Should().BeNull();
    }

    [Fact(Timeout = 60_000)]
    public async Task An_attempt_that_began_before_a_rotation_does_not_show_the_old_key()
    {
        var key = Secret;
        var held = new TaskCompletionSource<HttpResponseMessage>();
        await using var http = new HttpPool(2, configure: null, parts => parts.Credential = (_, _) => new(key), inner: new Held(request =>
            IsOfA(request) && request.Headers.Authorization!.Parameter == Secret ? held.Task : Task.FromResult(Json(200, Whole))));
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        var call = http.Client.SendAsync(request, Ct);
        key = "brass-lamp";
        for (var i = 0; i < 2; i++)
            (await http.SendAsync(HttpPool.Chat("hi"))).Dispose();
        held.SetResult(Json(500, Error(Secret)));
        (await call).Dispose();
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        detail!.Attempts[0].Fault!.Code.Should().BeNull();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_fault_of_a_heartbeat_has_no_code(bool fromCode)
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        var options = new EndpointPoolOptions { Seed = 1, Endpoints = { new EndpointOptions { Name = "a", Address = "http://fake.test/v1", Credential = fromCode ? null : Secret } } };
        using var invoker = new HttpMessageInvoker(new Answering(_ => Json(500, Error(Secret))));
        var parts = new EndpointPoolParts { TimeProvider = time, Probe = _ => new ModelsProbe(), ProbeHttp = invoker };
        if (fromCode)
            parts.Credential = (_, _) => new(Secret);
        await using var pool = new EndpointPool("p", options, parts);
        time.Advance(TimeSpan.FromSeconds(60));
        var fault = pool.Engine.Snapshot.Members[0].Heartbeat!.Fault!;
        fault.StatusCode.Should().Be(500);
        fault.Code.Should().BeNull();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_outline_of_an_unknown_answer_does_not_show_it(bool fromCode)
    {
        var lines = new Lines();
        await using var http = new HttpPool(1, options => { if (!fromCode) options.Endpoints[0].Credential = Secret; }, parts =>
        {
            parts.LoggerFactory = lines;
            if (fromCode)
                parts.Credential = (_, _) => new(Secret);
        }, inner: new Answering(_ => Json(200, $$$"""{"{{{Secret}}}":1,"odd":{"shape":true}}""")));
        var call = http.SendAsync(HttpPool.Chat("hi"));
        http.Time.Advance(TimeSpan.FromMinutes(3));
        await Record.ExceptionAsync(async () => (await call).Dispose());
        lines.All.Should().Contain(line => line.Contains("in a shape that no dialect knows", StringComparison.Ordinal));
        lines.All.Should().OnlyContain(line => !line.Contains(Secret, StringComparison.Ordinal));
    }

    private sealed class Answering(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }

    private sealed class Held(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request);
    }
}
