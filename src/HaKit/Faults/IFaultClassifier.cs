namespace HaKit.Faults;

/// <summary>
/// Classifies an answer or an exception. For codes that only your gateway sends, add your own classifier before the built-in classifier. An implementation must
/// be thread-safe.
/// </summary>
public interface IFaultClassifier
{
    /// <summary>
    /// Gets the fault, or null to leave the decision to the next classifier. An implementation must not throw, must not block, and must not keep any part of
    /// the evidence. The pool calls it from many threads at the same time.
    /// </summary>
    /// <param name="evidence">The response or the exception.</param>
    Fault? Classify(in FaultEvidence evidence);
}

/// <summary>Holds the result of an attempt: a response (status, headers, the beginning of its body) or an exception.</summary>
public readonly struct FaultEvidence
{
    /// <summary>Gets the declared dialect of the endpoint. <see cref="WireDialect.Unknown"/>: recognise it from the answer.</summary>
    public WireDialect Dialect { get; init; }

    /// <summary>
    /// Gets the HTTP status. 0: there was no response. 200: the data of an event in a stream. An adapter that knows the status of an SDK's exception sets it
    /// beside the exception.
    /// </summary>
    public int StatusCode { get; init; }

    /// <summary>
    /// Gets the response's headers, or null. If an SDK has its own collection of headers, copy it without validation into the headers of a new <see
    /// cref="HttpResponseMessage"/>. Content headers are not needed.
    /// </summary>
    public System.Net.Http.Headers.HttpResponseHeaders? Headers { get; init; }

    /// <summary>Gets the response's body, or the data of one event of a stream. It may be empty or truncated; only its first 64 KiB are read.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Gets the exception, if there was no response.</summary>
    public Exception? Exception { get; init; }

    /// <summary>Gets the kind of the request. Default <see cref="RequestKind.Unknown"/>.</summary>
    public RequestKind Request { get; init; }

    /// <summary>Gets whether the request had been sent before the exception. Null: not known.</summary>
    public bool? Sent { get; init; }

    /// <summary>
    /// Gets the wall-clock time of the answer, to convert dates in headers to durations. The response's own <c>Date</c> header takes precedence.
    /// </summary>
    public DateTimeOffset Now { get; init; }
}
