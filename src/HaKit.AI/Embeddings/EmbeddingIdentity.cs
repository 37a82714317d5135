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
                    throw new EmbeddingMismatchException(pool, endpoint.Name, string.Create(CultureInfo.InvariantCulture, $"gives vectors of {dimensions}, and '{length.Value.Endpoint.Name}' of {length.Value.Length}"));
            }
        }
    }

    /// <summary>Throws if the model or the length of the vectors differs from earlier vectors.</summary>
    public void Verify(GeneratedEmbeddings<Embedding<float>> embeddings, PoolEndpoint endpoint, EmbeddingGenerationOptions? options)
    {
        foreach (var embedding in embeddings)
        {
            VerifyModel(embedding.ModelId, endpoint);
            var expected = options?.Dimensions ?? (int)(Interlocked.CompareExchange(ref _dimensions, embedding.Dimensions, null) ?? embedding.Dimensions);
            if (embedding.Dimensions != expected)
                throw new EmbeddingMismatchException(pool, endpoint.Name, string.Create(CultureInfo.InvariantCulture, $"gave a vector of {embedding.Dimensions} where {expected} is expected"));
        }
    }

    /// <summary>Gets the name that the endpoint uses for the model.</summary>
    public static string? NameAt(PoolEndpoint endpoint) => endpoint.Domains.Model ?? MetadataOf(endpoint)?.DefaultModelId;

    public static EmbeddingGeneratorMetadata? MetadataOf(PoolEndpoint endpoint) =>
        EndpointPoolEmbeddingGenerator.GeneratorOf(endpoint)?.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata;

    private void VerifyModel(string? told, PoolEndpoint endpoint)
    {
        if (told is null || _declared is not null && AreSame(told, NameAt(endpoint)))
            return;
        var expected = Interlocked.CompareExchange(ref _model, told, null) ?? told;
        if (!AreSame(told, expected))
            throw new EmbeddingMismatchException(pool, endpoint.Name, $"gave vectors of '{told}' where those of '{expected}' are expected");
    }

    private static bool AreSame(string one, string? other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
