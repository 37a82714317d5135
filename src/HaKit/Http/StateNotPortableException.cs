namespace HaKit;

/// <summary>
/// The exception that is thrown when a call contains state of a provider (such as a conversation id) and cannot be sent to an endpoint that has this state. The
/// call was not sent to other endpoints. The message never quotes the state.
/// </summary>
public sealed class StateNotPortableException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="pool">The pool's name.</param>
    /// <param name="kind">The kind of state.</param>
    /// <param name="owner">The endpoint that created the state. Null: not known.</param>
    /// <param name="why">Why the call goes to no endpoint; never the state itself.</param>
    /// <param name="inner">The pool's exception. Null if the call was not sent to the pool.</param>
    public StateNotPortableException(string pool, StateKind kind, string? owner, string why, Exception? inner = null)
        : base($"Pool '{pool}': the call carries state ({kind}) {(owner is null ? "of unknown origin" : $"made by endpoint '{owner}'")}, {why}", "options", inner)
    {
        Pool = pool;
        Kind = kind;
        Endpoint = owner;
    }

    /// <summary>Gets the pool's name.</summary>
    public string Pool { get; }

    /// <summary>Gets the kind of state.</summary>
    public StateKind Kind { get; }

    /// <summary>Gets the endpoint that created the state. Null: not known.</summary>
    public string? Endpoint { get; }
}
