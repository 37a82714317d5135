using System.Text;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Code that throws while it classifies an item of a stream: the stream is cut there, and never goes on as if nothing had happened.</summary>
public sealed class ThrowingReaderTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_whose_reader_throws_after_the_first_content_is_cut(bool isAsynchronous)
    {
        await using var http = new HttpPool(1);
        await using var answer = await http.Pool.StreamAsync(RequestProfile.Default, 0, (_, _, _) => new ValueTask<IAsyncEnumerable<string>>(Items(isAsynchronous)), new Reader(), cancellationToken: Ct);
        await using var items = answer.GetAsyncEnumerator(Ct);
        (await items.MoveNextAsync()).Should().BeTrue();
        var cut = (await items.Awaiting(i => i.MoveNextAsync().AsTask()).Should().ThrowAsync<PartialResponseException>()).Which;
        cut.InnerException.Should().BeOfType<FormatException>();
        await items.Awaiting(i => i.MoveNextAsync().AsTask()).Should().ThrowAsync<PartialResponseException>("no later item may seem to follow");
        http.InFlight.Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_body_over_HTTP_whose_classifier_throws_is_cut_at_each_further_read()
    {
        const string Events = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
        await using var http = new HttpPool(1, parts: p => p.Classifiers.Add(new Throwing()), inner: new Answering(Events + "data: {\"error\":\"boom\"}\n\n" + Events));
        using var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        await using var body = await response.Content.ReadAsStreamAsync(Ct);
        var buffer = new byte[1000];
        (await body.ReadAsync(buffer, Ct)).Should().Be(Events.Length);
        await body.ReadAsync(buffer, Ct).AsTask().Awaiting(r => r).Should().ThrowAsync<PartialResponseException>();
        await body.ReadAsync(buffer, Ct).AsTask().Awaiting(r => r).Should().ThrowAsync<PartialResponseException>();
        http.InFlight.Should().Be(0);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("{\"\\ud800\":1,\"choices\":[{\"index\":0,\"message\":{\"\\udc00\":1,\"content\":\"a\"}}]}")]
    [InlineData("{\"choices\":[{\"finish\":\"\\ud800\",\"messag\\ud800\":1,\"message\":{\"content\":\"a\"}}]}")]
    public async Task A_whole_answer_with_a_name_that_cannot_be_decoded_is_an_answer(string body)
    {
        await using var http = new HttpPool(1, inner: new Answering(body, "application/json"));
        var call = http.SendAsync(HttpPool.Chat("hi"));
        call.IsCompleted.Should().BeTrue();
        using var response = await call;
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(body);
        http.Sent.Should().HaveCount(1);
    }

    private static async IAsyncEnumerable<string> Items(bool isAsynchronous)
    {
        foreach (var item in (string[])["a", "throw", "b"])
        {
            if (isAsynchronous)
                await Task.Yield();
            yield return item;
        }
    }

    private sealed class Reader : StreamItemReader<string>
    {
        public override StreamSignal Read(string item) => item == "throw" ? throw new FormatException("of the application's reader") : StreamSignal.Content;
    }

    private sealed class Throwing : IFaultClassifier
    {
        public Fault? Classify(in FaultEvidence evidence) =>
            evidence.Body.Span.IndexOf("boom"u8) >= 0 ? throw new FormatException("of the application's classifier") : null;
    }

    private sealed class Answering(string body, string type = "text/event-stream") : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            new HttpResponseMessage { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { { "Content-Type", type } } } });
    }
}
