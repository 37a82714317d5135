using System.Globalization;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Holds the model and the length of a pool's vectors: the declared values, otherwise the values of the first answer. All vectors of the pool must have this
/// model and this length. Thread-safe.
/// </summary>
internal sealed class EmbeddingIdentity(string pool, string? model, int? dimensions)
{
    private readonly string? _declared = model;
    private string? _model = model;
    private object? _dimensions = dimensions; // boxed, for the interlocked exchange

    /// <summary>Throws if the endpoints of the pool declare different models or lengths.</summary>
    public void VerifyDeclarations(IReadOnlyList<PoolEndpoint> endpoints)
    {
        (PoolEndpoint Endpoint, string Name)? first = null;
        (PoolEndpoint Endpoint, int Length)? length = null;
        foreach (var endpoint in endpoints)
        {
            if (_declared is null && NameAt(endpoint) is { } name)
            {
                first ??= (endpoint, name);
                if (!AreSame(first.Value.Name, name))
                    throw new EmbeddingMismatchException(pool, endpoint.Name, $"serves '{name}', and '{first.Value.Endpoint.Name}' serves '{first.Value.Name}' (if both are one model under two names, set Model)");
            }
            if (MetadataOf(endpoint)?.DefaultModelDimensions is { } dimensions)
            {
                length ??= (endpoint, dimensions);
                if (length.Value.Length != dimensions)
                    throw new EmbeddingMismatchException(pool, endpoint.Name, string.Create(CultureInfo.InvariantCulture, $"gives vectors with {dimensions} dimensions, and '{length.Value.Endpoint.Name}' gives vectors with {length.Value.Length} dimensions"));
            }
        }
    }

    /// <summary>
    /// Throws if the model or the length of the vectors differs from earlier vectors, or from other vectors of the same answer. Remembers neither, because the
    /// answer may still be dropped, for example if another attempt of the call is faster.
    /// </summary>
    public void Verify(GeneratedEmbeddings<Embedding<float>> embeddings, PoolEndpoint endpoint, EmbeddingGenerationOptions? options)
    {
        var (named, length) = (_model, options?.Dimensions ?? (int?)_dimensions);
        foreach (var embedding in embeddings)
        {
            if (NamesModel(embedding, endpoint))
                ThrowIfOther(embedding.ModelId!, named ??= embedding.ModelId!, endpoint);
            ThrowIfOther(embedding.Dimensions, length ??= embedding.Dimensions, endpoint);
        }
    }

    /// <summary>Remembers the model and the length of an answer that the caller gets, if they are the first.</summary>
    /// <exception cref="EmbeddingMismatchException">Another answer came first, with another model or length.</exception>
    public void Adopt(GeneratedEmbeddings<Embedding<float>> embeddings, PoolEndpoint endpoint, EmbeddingGenerationOptions? options)
    {
        foreach (var embedding in embeddings)
        {
            if (NamesModel(embedding, endpoint))
                ThrowIfOther(embedding.ModelId!, Interlocked.CompareExchange(ref _model, embedding.ModelId, null) ?? embedding.ModelId!, endpoint);
            if (options?.Dimensions is null)
                ThrowIfOther(embedding.Dimensions, (int)(Interlocked.CompareExchange(ref _dimensions, embedding.Dimensions, null) ?? embedding.Dimensions), endpoint);
        }
    }

    /// <summary>Gets the name that the endpoint uses for the model.</summary>
    public static string? NameAt(PoolEndpoint endpoint) => endpoint.Domains.Model ?? MetadataOf(endpoint)?.DefaultModelId;

    public static EmbeddingGeneratorMetadata? MetadataOf(PoolEndpoint endpoint) =>
        EndpointPoolEmbeddingGenerator.GeneratorOf(endpoint)?.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata;

    // An answer may name no model, or the model by the endpoint's own name for the declared model. Neither says anything about the pool's model.
    private bool NamesModel(Embedding<float> embedding, PoolEndpoint endpoint) =>
        embedding.ModelId is { } told && !(_declared is not null && AreSame(told, NameAt(endpoint)));

    private void ThrowIfOther(string told, string expected, PoolEndpoint endpoint)
    {
        if (!AreSame(told, expected))
            throw new EmbeddingMismatchException(pool, endpoint.Name, $"gave vectors of the model '{told}', and vectors of '{expected}' are expected");
    }

    private void ThrowIfOther(int length, int expected, PoolEndpoint endpoint)
    {
        if (length != expected)
            throw new EmbeddingMismatchException(pool, endpoint.Name, string.Create(CultureInfo.InvariantCulture, $"gave a vector with {length} dimensions, and {expected} are expected"));
    }

    private static bool AreSame(string one, string? other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
