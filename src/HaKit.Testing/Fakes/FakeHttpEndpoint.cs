using System.Net;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// A <see cref="FakeAiServer"/> without sockets: a handler that answers in memory, in the same dialects, with the same
/// faults and counts, on an injected clock. It never leaves the thread that calls or the one that moves the clock.
/// </summary>
/// <remarks>
/// Whatever the host, it answers; to give several hosts their own, put them into a <see cref="FakeHttpNetwork"/>.
/// The body of a request is consumed as a socket would consume it: content that cannot be read twice can be sent once.
/// Thread-safe. Synchronous sends are not supported.
/// </remarks>
/// <param name="options">How it is when nothing goes wrong; default as <see cref="FakeAiOptions"/> says.</param>
public sealed class FakeHttpEndpoint(FakeAiOptions? options = null) : HttpMessageHandler
{
    private readonly Backend _backend = new(options ?? new());

    /// <summary>Its name.</summary>
    public string Name => _backend.Options.Name;

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults => _backend.Faults;

    /// <summary>What it did so far. An answer counts as whole when its last byte was read.</summary>
    public FakeCounts Counts => _backend.Tally.Snapshot();

    /// <summary>The load that <c>/metrics</c> claims.</summary>
    public FakeLoad Load => _backend.Load;

    /// <summary>A client of this endpoint, without a timeout of its own (the system's would not be on the injected clock).</summary>
    /// <param name="baseAddress">Its base address; default <c>http://fake.test/v1/</c>.</param>
    public HttpClient CreateClient(Uri? baseAddress = null) => new(this, disposeHandler: false)
    {
        BaseAddress = baseAddress ?? new("http://fake.test/v1/"),
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <inheritdoc/>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        AnswerAsync(request, cancellationToken);

    internal async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        var reply = _backend.Answer(await ReadAsync(request, cancellationToken).ConfigureAwait(false));
        try
        {
            await Waits.DelayAsync(_backend.Options.Time, reply.Remaining(reply.HeadersDue), cancellationToken).ConfigureAwait(false);
            if (reply.IsSilent)
                await Waits.ForEver(cancellationToken).ConfigureAwait(false);

            return reply.ToException() is { } exception ? throw exception : ToMessage(reply, request);
        }
        catch
        {
            reply.RecordOutcome(clientLeft: cancellationToken.IsCancellationRequested);
            reply.Dispose();
            throw;
        }
    }

    private static HttpResponseMessage ToMessage(Reply reply, HttpRequestMessage request)
    {
        reply.Start();
        var response = new HttpResponseMessage((HttpStatusCode)reply.Status)
        {
            RequestMessage = request,
            Version = HttpVersion.Version11,
            Content = new StreamContent(new ReplyStream(reply)),
        };
        response.Content.Headers.TryAddWithoutValidation("Content-Type", reply.ContentType);
        response.Content.Headers.ContentLength = reply.Length;
        foreach (var header in reply.Headers)
            response.Headers.TryAddWithoutValidation(header.Key, header.Value);
        return response;
    }

    private static async ValueTask<FakeRequest> ReadAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var header in request.Headers.NonValidated)
            headers[header.Key] = header.Value.ToString();
        var body = new MemoryStream();
        if (request.Content is { } content)
        {
            await content.CopyToAsync(body, cancellationToken).ConfigureAwait(false);
            foreach (var header in content.Headers.NonValidated)
                headers[header.Key] = header.Value.ToString();
        }

        var uri = request.RequestUri ?? throw new InvalidOperationException("The request has no address.");
        return await RequestReader.ReadAsync(request.Method.Method, uri.AbsolutePath, uri.Query, headers, body.GetBuffer().AsMemory(0, (int)body.Length)).ConfigureAwait(false);
    }
}
