namespace HaKit.AI;

/// <summary>How embedding calls use a pool. Not thread-safe; read when the generator is made.</summary>
public sealed class EndpointPoolEmbeddingOptions
{
    /// <summary>What is known of every call. Default: nothing.</summary>
    public RequestProfile Profile { get; set; } = RequestProfile.Default;

    /// <summary>
    /// The one model whose vectors the pool gives. Default: what the first answer names. Set it when endpoints know the model by other names (deployments): the
    /// name that an endpoint is configured with then stands for this model.
    /// </summary>
    public string? Model { get; set; }

    /// <summary>The length of vectors of calls that do not ask for one. Default: that of the first answer. At least 1 when set.</summary>
    public int? Dimensions { get; set; }

    /// <summary>Most texts in one request; more are split, and each part is served, and tried again, for itself. Default 2,048; at least 1.</summary>
    public int MaxBatchSize { get; set; } = 2048;

    /// <summary>Most parts of one call under way at once. Default 4; at least 1.</summary>
    public int MaxParallelBatches { get; set; } = 4;

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Profile);
        ArgumentOutOfRangeException.ThrowIfLessThan(Dimensions ?? 1, 1, nameof(Dimensions));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxParallelBatches, 1);
    }
}

/// <summary>
/// An endpoint gave vectors that do not belong among those of its pool: of another model, or of another length. Such vectors compare as nonsense, so none of them
/// is handed out, and the call is not tried elsewhere: which endpoint is the wrong one is for an operator to say.
/// </summary>
public sealed class EmbeddingMismatchException : InvalidOperationException
{
    internal EmbeddingMismatchException(string pool, string endpoint, string what)
        : base($"Pool '{pool}': endpoint '{endpoint}' {what}. Vectors of different models do not mix.")
    {
        Pool = pool;
        Endpoint = endpoint;
    }

    /// <summary>The pool's name.</summary>
    public string Pool { get; }

    /// <summary>The endpoint that differs from those that were asked before it.</summary>
    public string Endpoint { get; }
}
