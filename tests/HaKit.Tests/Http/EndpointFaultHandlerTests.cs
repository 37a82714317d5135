using System.Net;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Http;

public sealed class EndpointFaultHandlerTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refusal_becomes_an_exception_with_all_that_the_wire_says()
    {
        using var client = Client(FakeFaults.Anthropic.RateLimited(TimeSpan.FromSeconds(30)), "v1/messages");
        var fault = (await client.PostAsync((Uri?)null, Body(), Ct).Awaiting(c => c).Should().ThrowAsync<EndpointFaultException>()).Which;
        fault.Endpoint.Should().Be("claude");
        fault.Fault.Kind.Should().Be(FaultKind.Throttled);
        fault.Fault.RetryAfter.Should().Be(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task An_answer_that_blames_the_request_is_passed_on_readable()
    {
        using var client = Client(FakeFaults.OpenAI.ContextLengthExceeded(), "v1/chat/completions");
        var response = await client.PostAsync((Uri?)null, Body(), Ct);
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Contain("context_length_exceeded");
    }

    private static StringContent Body() => new("""{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}""");

    private static HttpClient Client(FakeFault fault, string path)
    {
        var fake = new FakeHttpEndpoint();
        fake.Faults.Always(fault);
        return new HttpClient(new EndpointFaultHandler("claude") { InnerHandler = fake }) { BaseAddress = new Uri($"http://fake/{path}") };
    }
}
