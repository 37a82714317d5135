using System.Collections.Immutable;
using System.Net;

namespace HaKit.Testing;

/// <summary>
/// One way for an answer to go wrong (or slow). The same faults work on a real server (<see cref="FakeAiServer"/>), on
/// an in-memory handler (<see cref="FakeHttpEndpoint"/>) and on a callback (<see cref="FakeEndpoint{T}"/>).
/// </summary>
/// <remarks>
/// <para>Immutable; faults combine with <see cref="And"/>: <c>FakeFault.Latency(perToken: 20 ms).And(FakeFault.CutAfter(3))</c>.</para>
/// <para>
/// "After n" counts chunks of content (tokens): the role frame that opens a stream is not one, and an answer that is
/// shorter than n is broken just before its finish marker. An answer that is not streamed breaks in its middle instead.
/// </para>
/// </remarks>
public sealed class FakeFault
{
    private FakeFault(string name) => Name = name;

    /// <summary>No fault: the answer comes whole and at once. Useful as a place in a sequence.</summary>
    public static FakeFault None { get; } = new("none");

    /// <summary>The request is accepted and nothing is ever answered, until the client gives up.</summary>
    public static FakeFault Hang { get; } = new("hang") { Ending = new(FakeEndingKind.Hang) };

    /// <summary>The connection is reset before the first byte of the answer.</summary>
    public static FakeFault Reset { get; } = Throw("reset", static () => Wire.ConnectionFailures.ResetBeforeAnswer());

    /// <summary>
    /// The connection is refused. A server that is listening can only reset it instead: to refuse real connections stop
    /// it (<see cref="FakeAiServer.StopAsync"/>, <see cref="FakeAiServer.KillAsync"/>, <see cref="FakeAiServer.Outage"/>).
    /// </summary>
    public static FakeFault Refused { get; } = Throw("refused", static () => Wire.ConnectionFailures.Refused());

    /// <summary>The host name cannot be resolved. A server resets the connection instead.</summary>
    public static FakeFault NameNotResolved { get; } = Throw("name not resolved", static () => Wire.ConnectionFailures.NameNotResolved());

    /// <summary>The TLS handshake fails. A server resets the connection instead.</summary>
    public static FakeFault TlsFailed { get; } = Throw("TLS failed", static () => Wire.ConnectionFailures.TlsFailed());

    /// <summary>Status 200, the headers of a good answer, and no body at all.</summary>
    public static FakeFault EmptyBody { get; } = new("empty body") { Ending = new(FakeEndingKind.Empty) };

    /// <summary>Status 200 and a body that ends in the middle of its JSON, as if that were its end.</summary>
    public static FakeFault TruncatedBody { get; } = new("truncated body") { Ending = new(FakeEndingKind.Truncated) };

    /// <summary>What this fault does, for messages and displays; parts are joined by " + ".</summary>
    public string Name { get; private init; }

    internal TimeSpan ToHeaders { get; private init; }

    internal TimeSpan ToFirstToken { get; private init; }

    internal TimeSpan PerToken { get; private init; }

    internal TimeSpan? CommentsEvery { get; private init; }

    internal string Comment { get; private init; } = "";

    internal CannedReply? Reply { get; private init; }

    internal ImmutableArray<KeyValuePair<string, string>> Headers { get; private init; } = [];

    internal FakeEnding? Ending { get; private init; }

    internal Func<Exception>? Exception { get; private init; }

    internal string? Finish { get; private init; }

    /// <summary>An answer that takes its time. Latencies of combined faults add up.</summary>
    /// <param name="toHeaders">From the request to the response's headers; default 0.</param>
    /// <param name="toFirstToken">From the headers to the first content; default 0.</param>
    /// <param name="perToken">From each content to the next; default 0.</param>
    /// <remarks>An answer that is not streamed takes the sum, before its headers.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A latency is negative.</exception>
    public static FakeFault Latency(TimeSpan toHeaders = default, TimeSpan toFirstToken = default, TimeSpan perToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(toHeaders, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(toFirstToken, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(perToken, TimeSpan.Zero);
        return new("latency") { ToHeaders = toHeaders, ToFirstToken = toFirstToken, PerToken = perToken };
    }

    /// <summary>Any status with any body instead of the answer.</summary>
    /// <param name="status">The HTTP status, 200 to 599.</param>
    /// <param name="body">The body; null for the dialect's own error body for this status.</param>
    /// <param name="contentType">The body's content type; default <c>application/json</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The status is not between 200 and 599.</exception>
    public static FakeFault Status(int status, string? body = null, string contentType = "application/json")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 200);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 599);
        return new($"status {status}") { Reply = new(status, body, contentType) };
    }

    /// <summary>An exception instead of an answer. A server resets the connection instead.</summary>
    /// <param name="exception">Makes the exception, anew for each request.</param>
    public static FakeFault Throw(Func<Exception> exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return Throw("exception", exception);
    }

    /// <summary>The connection is reset after n contents; 0 after the role frame alone.</summary>
    /// <param name="chunks">How many contents are delivered before the fault. Not negative.</param>
    public static FakeFault CutAfter(int chunks) => BrokenStream(FakeEndingKind.Cut, chunks, $"cut after {chunks}");

    /// <summary>The stream ends cleanly after n contents, without its finish marker: half an answer that looks whole.</summary>
    /// <param name="chunks">How many contents are delivered before the fault. Not negative.</param>
    public static FakeFault EndAfter(int chunks) => BrokenStream(FakeEndingKind.End, chunks, $"end after {chunks}");

    /// <summary>
    /// The body ends within the event of the next content, after n: within a character of more than one byte where the content has one.
    /// </summary>
    /// <param name="chunks">How many contents are delivered before the fault. Not negative.</param>
    public static FakeFault TornAfter(int chunks) => BrokenStream(FakeEndingKind.Torn, chunks, $"torn after {chunks}");

    /// <summary>Silence after n contents, with the connection left open; 0 is the role frame alone and then silence.</summary>
    /// <param name="chunks">How many contents are delivered before the fault. Not negative.</param>
    public static FakeFault SilentAfter(int chunks) => BrokenStream(FakeEndingKind.Silence, chunks, $"silent after {chunks}");

    /// <summary>An error event within the stream after n contents, which then ends. Not streamed: an error in a 200.</summary>
    /// <param name="chunks">How many contents are delivered before the fault. Not negative.</param>
    /// <param name="json">The event's JSON; null for the dialect's own server error.</param>
    public static FakeFault ErrorEventAfter(int chunks, string? json = null) =>
        BrokenStream(FakeEndingKind.ErrorEvent, chunks, $"error event after {chunks}", json);

    /// <summary>Status 200 with an error as its body (of a stream: as its only event).</summary>
    /// <param name="json">The error; null for the dialect's own server error.</param>
    public static FakeFault ErrorIn200(string? json = null) => new("error in 200") { Ending = new(FakeEndingKind.ErrorIn200, 0, json) };

    /// <summary>Comments (of a body that is not a stream: white space) and never any content.</summary>
    /// <param name="every">The time between two comments. Positive.</param>
    /// <param name="text">The text of the comment. Default <c>keep-alive</c>.</param>
    public static FakeFault KeepAlivesOnly(TimeSpan every, string text = "keep-alive") =>
        KeepAlives(every, text).WithEnding("keep-alives only", new(FakeEndingKind.KeepAlives));

    /// <summary>Comments while the first content takes its time (<see cref="Latency"/>), as gateways send.</summary>
    /// <param name="every">The time between two comments. Positive.</param>
    /// <param name="text">The text of the comment. Default <c>keep-alive</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="every"/> is not positive.</exception>
    public static FakeFault KeepAlives(TimeSpan every, string text = "keep-alive")
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(every, TimeSpan.Zero);
        return new("keep-alives") { CommentsEvery = every, Comment = text };
    }

    /// <summary>A whole answer with another reason for its end, such as <c>content_filter</c>, <c>length</c> or <c>refusal</c>.</summary>
    /// <param name="reason">The finish reason, in the words of the dialect.</param>
    public static FakeFault FinishReason(string reason) => new($"finish {reason}") { Finish = reason };

    /// <summary>Both at once: latencies add up, headers join; where both say how the answer is or ends, <paramref name="other"/> does.</summary>
    /// <param name="other">The fault on top.</param>
    public FakeFault And(FakeFault other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (ReferenceEquals(other, None))
            return this;
        if (ReferenceEquals(this, None))
            return other;
        return new($"{Name} + {other.Name}")
        {
            ToHeaders = ToHeaders + other.ToHeaders,
            ToFirstToken = ToFirstToken + other.ToFirstToken,
            PerToken = PerToken + other.PerToken,
            CommentsEvery = other.CommentsEvery ?? CommentsEvery,
            Comment = other.CommentsEvery is null ? Comment : other.Comment,
            Reply = other.Reply ?? Reply,
            Headers = Headers.AddRange(other.Headers),
            Ending = other.Ending ?? Ending,
            Exception = other.Exception ?? Exception,
            Finish = other.Finish ?? Finish,
        };
    }

    /// <summary>The same with a response header more; one of the same name replaces the earlier.</summary>
    /// <param name="name">The header's name.</param>
    /// <param name="value">The header's value.</param>
    public FakeFault WithHeader(string name, string value) =>
        And(new(name) { Headers = [new(name, value)] }).Named(Name);

    /// <summary>The same under another name.</summary>
    /// <param name="name">What <see cref="Name"/> is to say.</param>
    public FakeFault Named(string name) => new(name)
    {
        ToHeaders = ToHeaders,
        ToFirstToken = ToFirstToken,
        PerToken = PerToken,
        CommentsEvery = CommentsEvery,
        Comment = Comment,
        Reply = Reply,
        Headers = Headers,
        Ending = Ending,
        Exception = Exception,
        Finish = Finish,
    };

    /// <summary>Returns <see cref="Name"/>.</summary>
    public override string ToString() => Name;

    /// <summary>What a caller of a callback gets instead of an answer; null when it gets one.</summary>
    internal Exception? ToException() =>
        Exception?.Invoke() ?? (Reply is { Status: >= 400 } reply
            ? new HttpRequestException($"Response status code does not indicate success: {reply.Status}.", null, (HttpStatusCode)reply.Status)
            : null);

    private static FakeFault Throw(string name, Func<Exception> exception) => new(name) { Exception = exception };

    private static FakeFault BrokenStream(FakeEndingKind kind, int chunks, string name, string? json = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chunks);
        return new(name) { Ending = new(kind, chunks, json) };
    }

    private FakeFault WithEnding(string name, FakeEnding ending) => And(new(name) { Ending = ending }).Named(name);
}

internal enum FakeEndingKind
{
    Hang,
    Cut,
    End,
    Silence,
    ErrorEvent,
    KeepAlives,
    Empty,
    Truncated,
    ErrorIn200,
    Torn,
}

/// <summary>How an answer that is not whole ends.</summary>
internal sealed record FakeEnding(FakeEndingKind Kind, int After = 0, string? Json = null);

/// <summary>A fixed status and body in the place of an answer.</summary>
internal sealed record CannedReply(int Status, string? Body, string ContentType);
