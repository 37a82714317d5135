namespace HaKit.Faults;

/// <summary>Says what an answer or an exception means. Add your own in front of the built-in ones for codes that only your gateway sends.</summary>
public interface IFaultClassifier
{
    /// <summary>
    /// The fault, or <see langword="null"/> to leave the question to the next classifier. Must not throw, must not block, and must not keep
    /// anything of the evidence. Called from many threads at once.
    /// </summary>
    /// <param name="evidence">What came back.</param>
    Fault? Classify(in FaultEvidence evidence);
}

/// <summary>What an attempt came back with: a response (status, headers, the beginning of its body) or an exception.</summary>
public readonly struct FaultEvidence
{
    /// <summary>The dialect the endpoint declares, or <see cref="WireDialect.Unknown"/> to recognise it from the answer.</summary>
    public WireDialect Dialect { get; init; }

    /// <summary>
    /// The HTTP status, or 0 when there was no response; 200 for the data of an event within a stream. An adapter that knows the status of
    /// an SDK's exception sets it beside the exception.
    /// </summary>
    public int StatusCode { get; init; }

    /// <summary>
    /// The response's headers, or <see langword="null"/>. An SDK's own collection is copied, without validation, into the headers of a new
    /// <see cref="HttpResponseMessage"/>; of content headers none is asked for.
    /// </summary>
    public System.Net.Http.Headers.HttpResponseHeaders? Headers { get; init; }

    /// <summary>The response's body, or the data of one event; may be empty or cut. No more than its first 64 KiB are looked at.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The exception, when there was no response.</summary>
    public Exception? Exception { get; init; }

    /// <summary>What the request asked for. Default <see cref="RequestKind.Unknown"/>.</summary>
    public RequestKind Request { get; init; }

    /// <summary>Had the request been sent when the exception came, as far as the caller of the classifier knows?</summary>
    public bool? Sent { get; init; }

    /// <summary>The wall-clock time at which the answer came, for dates in headers; the response's own <c>Date</c> header goes first.</summary>
    public DateTimeOffset Now { get; init; }
}
