namespace HaKit.AI;

/// <summary>What kind of state only the provider that made it can use.</summary>
public enum StateKind
{
    /// <summary>A conversation or response id that the provider stores.</summary>
    Conversation,

    /// <summary>The token of an answer that the provider makes in the background.</summary>
    ContinuationToken,

    /// <summary>An uploaded or generated file.</summary>
    File,

    /// <summary>A vector store.</summary>
    VectorStore,

    /// <summary>Encrypted reasoning.</summary>
    EncryptedReasoning,
}

/// <summary>A call carries state of a provider and may not, or cannot, be confined to the endpoints that share it. Nothing was sent. Never quotes the state.</summary>
public sealed class StateNotPortableException : ArgumentException
{
    internal StateNotPortableException(string pool, StateKind kind, string? owner, string why)
        : base($"Pool '{pool}': the call carries state ({kind}) {(owner is null ? "of unknown origin" : $"made by endpoint '{owner}'")}, {why}", "options")
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
