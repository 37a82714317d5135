using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Sets how embedding calls use a pool. Not thread-safe; read when the generator is created.</summary>
public sealed class EndpointPoolEmbeddingOptions
{
    /// <summary>
    /// Gets or sets the profile of every call; <see cref="EmbeddingProfiles.UseHaProfile"/> overrides it for one call. Default: <see
    /// cref="RequestProfile.Default"/>.
    /// </summary>
    public RequestProfile Profile { get; set; } = RequestProfile.Default;

    /// <summary>
    /// Gets or sets the model whose vectors the pool returns. Set it if endpoints use other names for this model (deployments); the configured model name of an
    /// endpoint then counts as this model. Default: the model that the first answer names.
    /// </summary>
    public string? Model { get; set; }

    /// <summary>Gets or sets the length of the vectors for calls that request no length. Default: the length of the first answer; at least 1.</summary>
    public int? Dimensions { get; set; }

    /// <summary>
    /// Gets or sets the maximum number of texts in one request. A larger call is split, and each part is served and retried separately. Default 2,048; at
    /// least 1.
    /// </summary>
    public int MaxBatchSize { get; set; } = 2048;

    /// <summary>Gets or sets the maximum number of parts of one call that run at the same time. Default 4; at least 1.</summary>
    public int MaxParallelBatches { get; set; } = 4;

    internal EndpointPoolEmbeddingOptions Copy() => (EndpointPoolEmbeddingOptions)MemberwiseClone();

    internal void Validate(string pool)
    {
        var generator = $"The options of the embedding generator over pool '{pool}' (AddHaEmbeddingGenerator, AsEmbeddingGenerator)";
        ClientOptions.ThrowIfNull(generator, Profile);
        ClientOptions.ThrowIfBelowOne(generator, nameof(Dimensions), Dimensions ?? 1);
        ClientOptions.ThrowIfBelowOne(generator, nameof(MaxBatchSize), MaxBatchSize);
        ClientOptions.ThrowIfBelowOne(generator, nameof(MaxParallelBatches), MaxParallelBatches);
    }
}

/// <summary>Adds profiles to embedding calls.</summary>
public static class EmbeddingProfiles
{
    /// <summary>
    /// Adds a profile to the calls that are made with these options: priority, deadline, repetition, allowed endpoints. It replaces <see
    /// cref="EndpointPoolEmbeddingOptions.Profile"/>. The pool removes the profile before it passes the options to an endpoint's generator.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="profile">The profile.</param>
    /// <returns>The same options.</returns>
    public static EmbeddingGenerationOptions UseHaProfile(this EmbeddingGenerationOptions options, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(profile);
        (options.AdditionalProperties ??= [])[ChatProfiles.Key] = profile;
        return options;
    }

    /// <summary>Removes the profile from a copy of the options, if they have one.</summary>
    internal static RequestProfile? ExtractProfile(ref EmbeddingGenerationOptions? options)
    {
        if (options?.AdditionalProperties is not { } properties || !properties.TryGetValue(ChatProfiles.Key, out var value) || value is not RequestProfile profile)
            return null;
        options = options.Clone();
        options.AdditionalProperties!.Remove(ChatProfiles.Key);
        return profile;
    }
}

/// <summary>
/// The exception that is thrown when an endpoint returned vectors with another model or length than the pool's other vectors. Comparing such vectors would give
/// meaningless results, so they are not returned. The call is not repeated at another endpoint, because an operator must decide which endpoint is wrong.
/// </summary>
public sealed class EmbeddingMismatchException : InvalidOperationException
{
    internal EmbeddingMismatchException(string pool, string endpoint, string what)
        : base($"Pool '{pool}': endpoint '{endpoint}' {what}. Vectors of different models or lengths cannot be compared.")
    {
        Pool = pool;
        Endpoint = endpoint;
    }

    /// <summary>Gets the pool's name.</summary>
    public string Pool { get; }

    /// <summary>Gets the endpoint that differs from the endpoints before it.</summary>
    public string Endpoint { get; }
}
