namespace HaKit;

/// <summary>A request was not sent, or after a failure not sent to another endpoint, because its body had been read and cannot be read again.</summary>
public sealed class RequestNotRepeatableException : HttpRequestException
{
    private const string WayOut = "Give it a seekable stream, or raise Http:MaxReplayBytes.";

    internal RequestNotRepeatableException(string pool, string endpoint, string body, Exception? inner)
        : base($"Pool '{pool}': the {body} was sent once and cannot be read again, so after '{endpoint}' failed it was not sent elsewhere. {WayOut}", inner) =>
        Endpoint = endpoint;

    internal RequestNotRepeatableException(string pool, string body, Exception? inner)
        : base($"Pool '{pool}': the {body} was read before and cannot be read again, so it was not sent. {WayOut}", inner) =>
        Endpoint = "";

    /// <summary>The endpoint that it was sent to; empty when it was sent to none: its message had been sent before, or it was too long to be kept.</summary>
    public string Endpoint { get; }
}
