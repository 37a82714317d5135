namespace HaKit.Faults;

/// <summary>The built-in classifier: recognises or takes the declared dialect, and falls back to the status code.</summary>
public sealed class FaultClassifier : IFaultClassifier
{
    /// <summary>The one instance; it has no state.</summary>
    public static FaultClassifier Default { get; } = new();

    /// <inheritdoc/>
    public Fault? Classify(in FaultEvidence evidence)
    {
        if (evidence.Exception is { } exception)
            return exception switch
            {
                HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => new Fault(FaultKind.DnsFailed),
                HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new Fault(FaultKind.TlsFailed),
                HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => new Fault(FaultKind.ConnectFailed),
                HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } => new Fault(FaultKind.ConnectionReset),
                ArgumentException => new Fault(FaultKind.InvalidRequest),
                _ => new Fault(FaultKind.Unknown),
            };
        return evidence.StatusCode switch
        {
            0 or (>= 200 and < 400) => null,
            429 => new Fault(FaultKind.Throttled) { StatusCode = 429 },
            401 => new Fault(FaultKind.Unauthorized) { StatusCode = 401 },
            503 or 529 => new Fault(FaultKind.Overloaded) { StatusCode = evidence.StatusCode },
            >= 500 => new Fault(FaultKind.ServerError) { StatusCode = evidence.StatusCode },
            var status => new Fault(FaultKind.InvalidRequest) { StatusCode = status },
        };
    }
}
