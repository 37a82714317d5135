namespace HaKit;

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

    /// <summary>Another object that the provider stores: a thread, an assistant, a batch, a container, a cached content.</summary>
    StoredObject,
}
