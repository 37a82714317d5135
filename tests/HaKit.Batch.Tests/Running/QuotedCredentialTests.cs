using System.Net;
using System.Text;
using System.Text.Json;
using HaKit.Batch.Formats;
using HaKit.Batch.Running;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Batch.Tests.Running;

/// <summary>The reason of a failed item is stored. It contains the server's error code, unless the server has written the endpoint's credential there.</summary>
public sealed class QuotedCredentialTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("open-sesame", null)]
    [InlineData("bad_field", "bad_field")]
    public void The_reason_of_a_failed_item_does_not_show_the_credential(string sent, string? shown)
    {
        var time = new ManualTimeProvider();
        var options = new EndpointPoolOptions { Seed = 1, Endpoints = { new EndpointOptions { Name = "a", Address = "http://fake.test/v1", Credential = "open-sesame" } }, Heartbeat = { Enabled = false } };
        using var pool = new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = time });
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = new Refusing(sent) }) { Timeout = Timeout.InfiniteTimeSpan };
        using var body = JsonDocument.Parse("""{"model":"m","messages":[]}""");
        var call = new HttpWork(pool, client).Prepare([new OpenAIBatchRequest("r-0", "/v1/chat/completions", body.RootElement)]);

        var failing = () => time.Run(() => call.CallAsync(RequestProfile.Default, CancellationToken.None).AsTask());

        var fault = failing.Should().Throw<EndpointFaultException>().Which.Fault;
        fault.StatusCode.Should().Be(400);
        fault.Code.Should().Be(shown);
    }

    private sealed class Refusing(string code) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.BadRequest)
        {
            Content = new StringContent($$$"""{"error":{"message":"no","type":"invalid_request_error","code":"{{{code}}}"}}""", Encoding.UTF8, "application/json"),
        });
    }
}
