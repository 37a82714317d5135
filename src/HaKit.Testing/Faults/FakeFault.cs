using System.Collections.Immutable;
using System.Net;

namespace HaKit.Testing;

/// <summary>
/// One way in which an answer fails or is slow. The same faults work on a real server (<see cref="FakeAiServer"/>), on
/// an in-memory handler (<see cref="FakeHttpEndpoint"/>) and on a callback (<see cref="FakeEndpoint{T}"/>).
/// </summary>
/// <remarks>
/// <para>Immutable; faults combine with <see cref="And"/>: <c>FakeFault.Latency(perToken: 20 ms).And(FakeFault.CutAfter(3))</c>.</para>
/// <para>
/// "After n" counts chunks of content (tokens). The role frame that opens a stream is not content. An answer with
/// fewer than n chunks breaks just before its finish marker. An answer that is not streamed breaks in its middle.
/// </para>
/// </remarks>
public sealed class FakeFault
{
    private FakeFault(string name) => Name = name;

    /// <summary>No fault: the answer is whole and immediate. Use it in a sequence of faults.</summary>
    public static FakeFault None { get; } = new("none");

    /// <summary>The fake accepts the request and never answers; the client has to cancel.</summary>
    public static FakeFault Hang { get; } = new("hang") { Ending = new(FakeEndingKind.Hang) };

    /// <summary>The connection is reset before the first byte of the answer.</summary>
    public static FakeFault Reset { get; } = Throw("reset", static () => Wire.ConnectionFailures.ResetBeforeAnswer());

    /// <summary>
    /// The connection is refused. A server that is listening resets the connection instead. To refuse real connections, stop
    /// the server (<see cref="FakeAiServer.StopAsync"/>, <see cref="FakeAiServer.KillAsync"/>, <see cref="FakeAiServer.Outage"/>).
    /// </summary>
    public static FakeFault Refused { get; } = Throw("refused", static () => Wire.ConnectionFailures.Refused());

    /// <summary>The host name cannot be resolved. A server resets the connection instead.</summary>
    public static FakeFault NameNotResolved { get; } = Throw("name not resolved", static () => Wire.ConnectionFailures.NameNotResolved());

    /// <summary>The TLS handshake fails. A server resets the connection instead.</summary>
    public static FakeFault TlsFailed { get; } = Throw("TLS failed", static () => Wire.ConnectionFailures.TlsFailed());

    /// <summary>Status 200 with the headers of a successful answer and an empty body.</summary>
    public static FakeFault EmptyBody { get; } = new("empty body") { Ending = new(FakeEndingKind.Empty) };

    /// <summary>Status 200 with a body that ends in the middle of its JSON, although the transfer is complete.</summary>
    public static FakeFault TruncatedBody { get; } = new("truncated body") { Ending = new(FakeEndingKind.Truncated) };

    /// <summary>Gets the name of the fault for messages and displays. The names of combined faults are joined by " + ".</summary>
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

    /// <summary>Creates a slow answer. The latencies of combined faults add up.</summary>
    /// <param name="toHeaders">The time from the request to the response's headers. Default 0.</param>
    /// <param name="toFirstToken">The time from the headers to the first content. Default 0.</param>
    /// <param name="perToken">The time between two chunks of content. Default 0.</param>
    /// <remarks>
    /// An answer that is not streamed waits for the sum of the latencies before its headers.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A latency is negative or longer than a day.</exception>
    public static FakeFault Latency(TimeSpan toHeaders = default, TimeSpan toFirstToken = default, TimeSpan perToken = default)
    {
        ArgumentRange.Check(toHeaders, TimeSpan.Zero, SettingRange.LongestOfTimer);
        ArgumentRange.Check(toFirstToken, TimeSpan.Zero, SettingRange.LongestOfTimer);
        ArgumentRange.Check(perToken, TimeSpan.Zero, SettingRange.LongestOfTimer);
        return new("latency") { ToHeaders = toHeaders, ToFirstToken = toFirstToken, PerToken = perToken };
    }

    /// <summary>Creates an answer with the given status and body.</summary>
    /// <param name="status">The HTTP status, 200 to 599.</param>
    /// <param name="body">The body; null for the dialect's own error body for this status. The statuses 204, 205 and 304 have no body.</param>
    /// <param name="contentType">The body's content type. Default <c>application/json</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The status is not between 200 and 599.</exception>
    /// <exception cref="ArgumentException">The status is 204, 205 or 304, and a body is given.</exception>
    public static FakeFault Status(int status, string? body = null, string contentType = "application/json")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 200);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 599);
        if (status is 204 or 205 or 304)
        {
            if (!string.IsNullOrEmpty(body))
                throw new ArgumentException($"HTTP answers with status {status} have no body.", nameof(body));
            body = "";
        }
        return new($"status {status}") { Reply = new(status, body, contentType) };
    }

    /// <summary>Creates a fault that throws an exception instead of answering. A server resets the connection instead.</summary>
    /// <param name="exception">Creates a new exception for each request.</param>
    public static FakeFault Throw(Func<Exception> exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return Throw("exception", exception);
    }

    /// <summary>Creates a fault that resets the connection after n chunks of content. With 0, it resets the connection after the role frame.</summary>
    /// <param name="chunks">The number of chunks of content that are delivered before the fault. Not negative.</param>
    public static FakeFault CutAfter(int chunks) => BrokenStream(FakeEndingKind.Cut, chunks, $"cut after {chunks}");

    /// <summary>
    /// Creates a fault that ends the stream normally after n chunks of content, but without its finish marker. The answer is incomplete, although the transfer
    /// is complete.
    /// </summary>
    /// <param name="chunks">The number of chunks of content that are delivered before the fault. Not negative.</param>
    public static FakeFault EndAfter(int chunks) => BrokenStream(FakeEndingKind.End, chunks, $"end after {chunks}");

    /// <summary>
    /// Creates a fault that ends the body in the middle of the event that follows n chunks of content. If that event has a character of several bytes, the body
    /// ends within the character.
    /// </summary>
    /// <param name="chunks">The number of chunks of content that are delivered before the fault. Not negative.</param>
    public static FakeFault TornAfter(int chunks) => BrokenStream(FakeEndingKind.Torn, chunks, $"torn after {chunks}");

    /// <summary>
    /// Creates a fault that sends nothing more after n chunks of content and leaves the connection open. With 0 the answer is only the role frame.
    /// </summary>
    /// <param name="chunks">The number of chunks of content that are delivered before the fault. Not negative.</param>
    public static FakeFault SilentAfter(int chunks) => BrokenStream(FakeEndingKind.Silence, chunks, $"silent after {chunks}");

    /// <summary>
    /// Creates a fault that sends an error event after n chunks of content and then ends the stream. An answer that is not streamed becomes an error with
    /// status 200.
    /// </summary>
    /// <param name="chunks">The number of chunks of content that are delivered before the fault. Not negative.</param>
    /// <param name="json">The event's JSON; null for the dialect's own server error.</param>
    public static FakeFault ErrorEventAfter(int chunks, string? json = null) =>
        BrokenStream(FakeEndingKind.ErrorEvent, chunks, $"error event after {chunks}", json);

    /// <summary>Creates an error with status 200. A stream has the error as its only event.</summary>
    /// <param name="json">The error's JSON; null for the dialect's own server error.</param>
    public static FakeFault ErrorIn200(string? json = null) => new("error in 200") { Ending = new(FakeEndingKind.ErrorIn200, 0, json) };

    /// <summary>Creates a fault that sends only comments, never content. A body that is not a stream sends white space.</summary>
    /// <param name="every">The time between two comments. Positive.</param>
    /// <param name="text">The text of the comment. Default <c>keep-alive</c>.</param>
    public static FakeFault KeepAlivesOnly(TimeSpan every, string text = "keep-alive") =>
        KeepAlives(every, text).WithEnding("keep-alives only", new(FakeEndingKind.KeepAlives));

    /// <summary>Creates an answer that sends comments until its first content, as gateways do. Combine it with <see cref="Latency"/>.</summary>
    /// <param name="every">The time between two comments. Positive.</param>
    /// <param name="text">The text of the comment. Default <c>keep-alive</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="every"/> is not positive, or longer than a day.</exception>
    public static FakeFault KeepAlives(TimeSpan every, string text = "keep-alive")
    {
        ArgumentRange.CheckAboveZero(every, SettingRange.LongestOfTimer);
        return new("keep-alives") { CommentsEvery = every, Comment = text };
    }

    /// <summary>Creates a whole answer with another finish reason, such as <c>content_filter</c>, <c>length</c> or <c>refusal</c>.</summary>
    /// <param name="reason">The finish reason as the dialect writes it.</param>
    public static FakeFault FinishReason(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return new($"finish {reason}") { Finish = reason };
    }

    /// <summary>
    /// Combines two faults. Latencies add up and headers are joined. When both define the answer or its end, <paramref name="other"/> applies.
    /// </summary>
    /// <param name="other">The fault to add.</param>
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

    /// <summary>Returns the same fault with an additional response header, which replaces an earlier header of the same name.</summary>
    /// <param name="name">The header's name.</param>
    /// <param name="value">The header's value.</param>
    public FakeFault WithHeader(string name, string value)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(value);
        return And(new(name) { Headers = [new(name, value)] }).Named(Name);
    }

    /// <summary>Returns the same fault with another name.</summary>
    /// <param name="name">The new <see cref="Name"/>.</param>
    public FakeFault Named(string name) => new(name ?? throw new ArgumentNullException(nameof(name)))
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

    /// <summary>Returns the exception that a caller of a callback gets; null when the caller gets an answer.</summary>
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

/// <summary>How an incomplete answer ends.</summary>
internal sealed record FakeEnding(FakeEndingKind Kind, int After = 0, string? Json = null);

/// <summary>A fixed status and body instead of the answer.</summary>
internal sealed record CannedReply(int Status, string? Body, string ContentType);
