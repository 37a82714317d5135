namespace HaKit;

/// <summary>A kind of stored object or token that only its creator, the provider, can use.</summary>
public enum StateKind
{
    /// <summary>A conversation or response id that the provider stores.</summary>
    Conversation,

    /// <summary>The token of an answer that the provider creates in the background.</summary>
    ContinuationToken,

    /// <summary>An uploaded or generated file.</summary>
    File,

    /// <summary>A vector store.</summary>
    VectorStore,

    /// <summary>Encrypted reasoning.</summary>
    EncryptedReasoning,

    /// <summary>Another object that the provider stores: a thread, an assistant, a batch, a container, or cached content.</summary>
    StoredObject,
}
