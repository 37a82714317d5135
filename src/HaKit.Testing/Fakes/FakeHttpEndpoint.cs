using System.Net;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// A handler that answers in memory like a <see cref="FakeAiServer"/>, without sockets: with the same dialects,
/// faults and counts, on an injected clock. All work runs on the thread that calls or on the thread that moves the clock.
/// </summary>
/// <remarks>
/// The handler answers requests to every host. To give several hosts different endpoints, add them to a <see cref="FakeHttpNetwork"/>.
/// The handler reads the body of a request as a socket would: content that cannot be read twice can be sent only once.
/// Thread-safe. Synchronous sends are not supported.
/// </remarks>
/// <param name="options">The behaviour without faults. Default: the defaults of <see cref="FakeAiOptions"/>.</param>
public sealed class FakeHttpEndpoint(FakeAiOptions? options = null) : HttpMessageHandler
{
    private readonly Backend _backend = new(options ?? new());

    /// <summary>Gets the fake's name.</summary>
    public string Name => _backend.Options.Name;

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults => _backend.Faults;

    /// <summary>Gets the counts of the requests so far. An answer counts as whole when its last byte was read.</summary>
    public FakeCounts Counts => _backend.Tally.Snapshot();

    /// <summary>Gets the load that <c>/metrics</c> reports.</summary>
    public FakeLoad Load => _backend.Load;

    /// <summary>Creates a client of this endpoint without a timeout, because the timeout of a client does not use the injected clock.</summary>
    /// <param name="baseAddress">The client's base address. Default <c>http://fake.test/v1/</c>.</param>
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
