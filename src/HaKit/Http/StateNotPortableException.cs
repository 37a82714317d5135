namespace HaKit;

/// <summary>A call carries state of a provider and may not, or cannot, be confined to the endpoints that share it. It went to no other endpoint. Never quotes the state.</summary>
public sealed class StateNotPortableException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="pool">The pool's name.</param>
    /// <param name="kind">The kind of state.</param>
    /// <param name="owner">The endpoint that made it; null when that is not known.</param>
    /// <param name="why">Why the call goes nowhere; never the state itself.</param>
    /// <param name="inner">What the pool said, if it was asked.</param>
    public StateNotPortableException(string pool, StateKind kind, string? owner, string why, Exception? inner = null)
        : base($"Pool '{pool}': the call carries state ({kind}) {(owner is null ? "of unknown origin" : $"made by endpoint '{owner}'")}, {why}", "options", inner)
    {
        Pool = pool;
        Kind = kind;
        Endpoint = owner;
    }

    /// <summary>The pool's name.</summary>
    public string Pool { get; }

    /// <summary>The kind of state.</summary>
    public StateKind Kind { get; }

    /// <summary>The endpoint that made it; null when that is not known.</summary>
    public string? Endpoint { get; }
}
