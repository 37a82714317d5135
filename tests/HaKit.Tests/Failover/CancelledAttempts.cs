using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using HaKit.Testing;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HaKit.Tests.Failover;

/// <summary>The ways to call a pool.</summary>
public enum CallWay
{
    Execute,
    ExecuteWithDetail,
    Response,
    Stream,
    Pipeline,
    PipelineStream,
    OwnPipeline,
    Http,
    HttpBody,
    HttpEvents,
    HttpBytes,
    HttpPipeline,
}

/// <summary>Calls a pool whose endpoints hang. Counts the attempts.</summary>
internal sealed class CancelledAttempts(EndpointPool pool, ManualTimeProvider time, Reaction reaction)
{
    public int Begun { get; private set; }

    /// <summary>Gets or sets the words that a stream delivers before it hangs.</summary>
    public string Before { get; set; } = "";

    /// <summary>Gets or sets whether streams end with an end mark.</summary>
    public bool MarksEnd { get; set; } = true;

    /// <summary>Gets what the caller has read of a stream.</summary>
    public string Read { get; private set; } = "";

    public async Task CallAsync(CallWay way, RequestProfile profile, CancellationToken token)
    {
        switch (way)
        {
            case CallWay.Execute or CallWay.Pipeline:
                await pool.ExecuteAsync(profile, this, static (_, test, token) => test.HangAsync(token), token);
                break;
            case CallWay.ExecuteWithDetail:
                await pool.ExecuteWithDetailAsync(profile, this, static (_, test, token) => test.HangAsync(token), token);
                break;
            case CallWay.Response:
                await pool.ExecuteAsync(profile, this, static async (_, test, token) =>
                {
                    await test.HangAsync(token);
                    return new HttpResponseMessage();
                }, token);
                break;
            case CallWay.Stream or CallWay.PipelineStream:
                await using (var stream = await pool.StreamAsync(profile, this, static (_, test, token) => new(test.PlayAsync(token)), new Words(MarksEnd), token))
                {
                    await foreach (var word in stream)
                        Read += word;
                }
                break;
            case CallWay.OwnPipeline:
                await CallThroughOwnPipelineAsync(profile, token);
                break;
            default:
                await CallOverHttpAsync(way, profile, token);
                break;
        }
    }

    private async ValueTask<int> HangAsync(CancellationToken token)
    {
        Begun++;
        await reaction.HangAsync(time, token);
        return 1;
    }

    private async IAsyncEnumerable<string> PlayAsync([EnumeratorCancellation] CancellationToken token)
    {
        Begun++;
        foreach (var word in Before.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            yield return word;
        await reaction.HangAsync(time, token);
    }

    private async Task CallThroughOwnPipelineAsync(RequestProfile profile, CancellationToken token)
    {
        var pipeline = new ResiliencePipelineBuilder().AddEndpointFailover(pool).Build();
        var context = ResilienceContextPool.Shared.Get(token);
        context.SetRequestProfile(profile);
        await pipeline.ExecuteAsync(static (context, test) => test.HangAsync(context.CancellationToken), context, this);
        ResilienceContextPool.Shared.Return(context);
    }

    private async Task CallOverHttpAsync(CallWay way, RequestProfile profile, CancellationToken token)
    {
        var inner = new Handler(this, way);
        DelegatingHandler handler = way == CallWay.HttpPipeline
            ? new ResilienceHandler(new ResiliencePipelineBuilder<HttpResponseMessage>().AddHaEndpointFailover(pool).Build()) : new EndpointPoolHandler(pool);
        handler.InnerHandler = inner;
        using var client = new HttpClient(handler) { BaseAddress = pool.BaseAddress(), Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Post, way == CallWay.HttpBytes ? "audio/speech" : "chat/completions") { Content = Http.HttpPool.Chat("hi", stream: way == CallWay.HttpEvents) };
        request.Options.Set(EndpointPoolHandler.ProfileKey, profile);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        await using var body = await response.Content.ReadAsStreamAsync(token);
        var buffer = new byte[1000];
        for (int read; (read = await body.ReadAsync(buffer, token)) > 0;)
            Read += TextOf(way, Encoding.UTF8.GetString(buffer, 0, read));
    }

    private sealed class Words(bool marksEnd) : StreamItemReader<string>
    {
        public override bool MarksEnd => marksEnd;

        public override StreamSignal Read(string item) => item == "." ? StreamSignal.End : StreamSignal.Content;
    }

    private sealed class Handler(CancelledAttempts test, CallWay way) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (way is CallWay.Http or CallWay.HttpPipeline)
            {
                await test.HangAsync(cancellationToken);
                throw new IOException("The connection was closed.");
            }
            test.Begun++;
            var content = new StreamContent(new Body(test.BeginningOf(way), test));
            content.Headers.ContentType = new(way switch { CallWay.HttpEvents => "text/event-stream", CallWay.HttpBytes => "audio/mpeg", _ => "application/json" });
            return new(HttpStatusCode.OK) { Content = content, RequestMessage = request };
        }
    }

    /// <summary>The body of an answer: its beginning, and then a silence.</summary>
    private sealed class Body(string beginning, CancelledAttempts test) : MemoryStream
    {
        private bool _hasBegun;

        public override bool CanSeek => false; // the length is not known

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_hasBegun && beginning.Length > 0)
            {
                _hasBegun = true;
                return Encoding.UTF8.GetBytes(beginning, buffer.Span);
            }
            await test.ReactAsync(cancellationToken);
            return 0;
        }
    }

    private static string? TextOf(CallWay way, string body) => way == CallWay.HttpBytes ? body : Http.HttpPool.TextOf(body);

    private Task ReactAsync(CancellationToken token) => reaction.HangAsync(time, token);

    private string BeginningOf(CallWay way) => way switch
    {
        CallWay.HttpEvents => string.Concat(Before.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => $$$"""data: {"choices":[{"index":0,"delta":{"content":"{{{word}}}"}}]}""" + "\n\n")),
        CallWay.HttpBytes => Before,
        _ => "{\"id\":",
    };
}
