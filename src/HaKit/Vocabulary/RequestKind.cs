namespace HaKit;

/// <summary>The kind of a request. The meaning of a refusal depends on this kind.</summary>
public enum RequestKind
{
    /// <summary>Not known, as for an exception that a callback threw.</summary>
    Unknown,

    /// <summary>
    /// A new answer that every endpoint of the pool could create: a POST to a path of a known dialect, without a reference to a stored object.
    /// </summary>
    CreatesAnswer,

    /// <summary>Any other request: a GET, a DELETE, a path of no known dialect, or a reference to an object that one endpoint stores.</summary>
    Other,
}
