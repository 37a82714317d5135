using System.Net;
using System.Text;

namespace HaKit.Tests.Http;

/// <summary>Event streams that create no answer: the state of a job, and answers without a body. Virtual time.</summary>
public sealed class JobStreamTests
{
    private const string Delta = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n";

    private const string Failed = "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"resp_1\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}\n\n";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(Failed)]
    [InlineData(Delta + Failed)]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"m\"}\n\n")]
    [InlineData("event: thread.run.failed\ndata: {\"id\":\"run_1\",\"status\":\"failed\",\"last_error\":{\"code\":\"server_error\",\"message\":\"m\"}}\n\n")]
    [InlineData("event: error\n\n")]
    [InlineData("data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\"}}\n\n")]
    [InlineData("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\"}]}\n\n")]
    public async Task The_stream_of_a_job_that_has_failed_is_delivered_and_no_fault(string events)
    {
        await using var http = new HttpPool(1, inner: new Answering(200, "text/event-stream", events));
        var call = http.SendAsync(null, "responses/resp_1?stream=true&starting_after=42");
        call.IsCompleted.Should().BeTrue();
        using (var response = await call)
            (await response.Content.ReadAsStringAsync(Ct)).Should().Be(events);
        http.Sent.Should().HaveCount(1);
        var shown = http.Pool.Explain(RequestProfile.Default)[0];
        shown.NotAdmittedBy.Should().BeNull();
        shown.Health.ConsecutiveFailures.Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_stream_of_a_job_that_is_cut_does_not_end_normally()
    {
        await using var http = new HttpPool(1, inner: new Answering(200, "text/event-stream", Delta));
        using var response = await http.SendAsync(null, "responses/resp_1?stream=true");
        await using var body = await response.Content.ReadAsStreamAsync(Ct);
        await body.Awaiting(b => b.CopyToAsync(Stream.Null, Ct)).Should().ThrowAsync<PartialResponseException>();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("HEAD", 200)]
    [InlineData("GET", 204)]
    [InlineData("GET", 205)]
    [InlineData("POST", 204)]
    [InlineData("POST", 201)]
    [InlineData("POST", 202)]
    [InlineData("DELETE", 200)]
    [InlineData("PUT", 200)]
    public async Task An_answer_without_a_body_is_a_success_even_if_it_is_labelled_as_events(string method, int status)
    {
        await using var http = new HttpPool(1, inner: new Answering(status, "text/event-stream", ""));
        using var request = new HttpRequestMessage(new HttpMethod(method), "events");
        var call = http.Client.SendAsync(request, Ct);
        call.IsCompleted.Should().BeTrue();
        using (var response = await call)
        {
            response.StatusCode.Should().Be((HttpStatusCode)status);
            (await response.Content.ReadAsStringAsync(Ct)).Should().BeEmpty();
        }
        http.Sent.Should().HaveCount(1);
        http.InFlight.Should().Be(0);
        http.Pool.Explain(RequestProfile.Default)[0].Health.ConsecutiveFailures.Should().Be(0);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(202)]
    [InlineData(204)]
    public async Task Events_without_an_event_are_no_answer_where_an_answer_was_asked_for(int status)
    {
        var handler = new Answering(status, "text/event-stream", "");
        await using var http = new HttpPool(2, inner: handler);
        using var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        response.StatusCode.Should().Be((HttpStatusCode)status, "both endpoints were asked, and the first response goes back");
        http.Sent.Should().HaveCount(2);
    }

    private sealed class Answering(int status, string type, string body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { { "Content-Type", type } } } });
    }
}
