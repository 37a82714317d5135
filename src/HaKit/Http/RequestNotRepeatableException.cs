namespace HaKit;

/// <summary>A request failed on one endpoint and was not sent to another, because its body had been read and cannot be read again.</summary>
public sealed class RequestNotRepeatableException : HttpRequestException
{
    internal RequestNotRepeatableException(string pool, string endpoint, string body, Exception? inner)
        : base($"Pool '{pool}': the {body} was sent once and cannot be read again, so after '{endpoint}' failed it was not sent elsewhere. Give it a seekable stream, or raise Http:MaxReplayBytes.", inner) =>
        Endpoint = endpoint;

    /// <summary>The endpoint that it was sent to.</summary>
    public string Endpoint { get; }
}
