namespace HaKit;

/// <summary>Says what a request asks for, as far as that decides what its refusal means.</summary>
public enum RequestKind
{
    /// <summary>Not known, as for an exception out of a callback.</summary>
    Unknown,

    /// <summary>A new answer that every endpoint of the pool could make: a POST to a path of a known dialect that names no stored object.</summary>
    CreatesAnswer,

    /// <summary>Anything else: a GET, a DELETE, a path of no known dialect, or an object that one endpoint stores.</summary>
    Other,
}
