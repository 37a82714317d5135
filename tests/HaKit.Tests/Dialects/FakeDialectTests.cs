using System.Net;
using System.Net.Http.Headers;
using HaKit.Attempts;
using HaKit.Dialects;
using HaKit.Http;
using HaKit.Testing;

namespace HaKit.Tests.Dialects;

/// <summary>
/// The fakes write the wire format themselves, because a fake that used the library could not find what the library reads wrongly. These tests compare both: a
/// fake understands what a dialect sends, and a fake's answer has what the dialect looks for.
/// </summary>
public sealed class FakeDialectTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly WireDialect[] Spoken = [WireDialect.OpenAI, WireDialect.AzureOpenAI, WireDialect.Anthropic, WireDialect.Mistral, WireDialect.Vllm];

    public static TheoryData<WireDialect> Dialects => [.. Spoken];

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_fake_understands_the_cheapest_request_and_its_answer_has_the_shape_and_the_usage_of_the_dialect(WireDialect spoken)
    {
        var dialect = DialectTable.Get(spoken);
        var asked = dialect.Completion("/v1", "m", 5);
        var (response, seen) = await SendAsync(dialect, HttpMethod.Post, asked.Path, new ByteArrayContent(asked.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } });
        var body = await response.Content.ReadAsByteArrayAsync(Ct);

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        (seen.ApiKey, seen.Model, seen.MaxTokens).Should().Be(("k", "m", 5));
        var path = DialectTable.PathOf(spoken, "/v1" + asked.Path);
        path.Should().NotBeNull();
        path!.Value.Shape.IsMetBy(body).Should().BeTrue();
        using var json = System.Text.Json.JsonDocument.Parse(body);
        var usage = json.RootElement.GetProperty(dialect.Usage.Container);
        JsonOutline.TryReadUsage(body.AsSpan(JsonOutline.Read(body).Usage!.Value), out var input, out var output).Should().BeTrue();
        (input, output).Should().Be((usage.GetProperty(dialect.Usage.Input).GetInt64(), usage.GetProperty(dialect.Usage.Output).GetInt64()));
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task A_fake_lists_its_models_where_the_dialect_asks_for_them(WireDialect spoken)
    {
        var dialect = DialectTable.Get(spoken);
        var (response, seen) = await SendAsync(dialect, HttpMethod.Get, dialect.ModelsPath("/v1"), null);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        (seen.ApiKey, seen.Operation).Should().Be(("k", FakeOperation.Models));
    }

    [Theory]
    [InlineData(WireDialect.OpenAI)]
    [InlineData(WireDialect.Anthropic)]
    public async Task Limits_that_a_fake_tells_are_those_that_the_dialect_reads(WireDialect spoken)
    {
        var dialect = DialectTable.Get(spoken);
        var asked = dialect.Completion("/v1", "m", 5);
        var fault = spoken == WireDialect.OpenAI ? FakeFaults.OpenAI.RateLimited() : FakeFaults.Anthropic.RateLimited();
        var (response, _) = await SendAsync(dialect, HttpMethod.Post, asked.Path, new ByteArrayContent(asked.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } }, fault);

        response.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
        response.Headers.GetValues(dialect.RateLimits.Requests.Remaining).Should().Equal("0");
        response.Headers.Contains(dialect.RateLimits.Requests.Limit).Should().BeTrue();
        QuotaHeaders.Read(response.Headers, spoken, DateTimeOffset.UnixEpoch).Should().NotBe(default(HaKit.Limits.QuotaReading), "the library reads them");
    }

    private static async Task<(HttpResponseMessage Response, FakeRequest Seen)> SendAsync(Dialect dialect, HttpMethod method, string path, HttpContent? content, FakeFault? fault = null)
    {
        var seen = new List<FakeRequest>();
        using var fake = new FakeHttpEndpoint(new FakeAiOptions { ApiKey = "k", Time = new ManualTimeProvider(), Observe = seen.Add });
        if (fault is not null)
            fake.Faults.Always(fault);
        using var invoker = new HttpMessageInvoker(fake, disposeHandler: false);
        using var request = new HttpRequestMessage(method, new Uri("http://fake.example/v1" + path)) { Content = content };
        request.Headers.TryAddWithoutValidation(dialect.Credential.Header, dialect.Credential.Prefix + "k").Should().BeTrue();
        if (dialect.RequiredHeader is { } required)
            request.Headers.TryAddWithoutValidation(required.Name, required.Value);
        var response = await invoker.SendAsync(request, Ct);
        return (response, seen.Should().ContainSingle().Subject);
    }
}
