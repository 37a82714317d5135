namespace HaKit;

/// <summary>
/// The exception that is thrown when a request was not sent, or not sent again after a failure, because its body had been read and cannot be read again.
/// </summary>
public sealed class RequestNotRepeatableException : HttpRequestException
{
    private const string WayOut = "Give it a seekable stream, or raise Http:MaxReplayBytes.";

    internal RequestNotRepeatableException(string pool, string endpoint, string body, Exception? inner)
        : base($"Pool '{pool}': the {body} was sent once and cannot be read again, so after '{endpoint}' failed it was not sent elsewhere. {WayOut}", inner) =>
        Endpoint = endpoint;

    internal RequestNotRepeatableException(string pool, string body, Exception? inner)
        : base($"Pool '{pool}': the {body} was read before and cannot be read again, so it was not sent. {WayOut}", inner) =>
        Endpoint = "";

    /// <summary>
    /// Gets the endpoint that got the request. Empty if no endpoint got it, because the request message had been sent before, or because its body was too long
    /// to be kept.
    /// </summary>
    public string Endpoint { get; }
}
