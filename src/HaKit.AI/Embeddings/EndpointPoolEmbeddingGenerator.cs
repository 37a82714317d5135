using HaKit.Faults;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Represents an embedding generator over a pool whose endpoints all serve one model. Vectors of different models cannot be compared. So the call ends with
/// <see cref="EmbeddingMismatchException"/> if an answer has another model or length. Large calls are split, and each part is served and retried separately.
/// Thread-safe. Disposing the generator does nothing.
/// </summary>
public sealed class EndpointPoolEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly EndpointPool _pool;
    private readonly EndpointPoolEmbeddingOptions _options;
    private readonly EmbeddingIdentity _identity;

    /// <summary>Creates an embedding generator over a pool.</summary>
    /// <param name="pool">The pool. All its endpoints must have embedding generators.</param>
    /// <param name="options">Sets how the generator uses the pool. Null: the defaults.</param>
    /// <exception cref="ArgumentException">An endpoint has no embedding generator, or an option is out of its range.</exception>
    /// <exception cref="EmbeddingMismatchException">Endpoints declare different models or lengths.</exception>
    public EndpointPoolEmbeddingGenerator(EndpointPool pool, EndpointPoolEmbeddingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _options = options?.Copy() ?? new(); // a later change, which was not validated, must not take effect
        _options.Validate(pool.Name);
        var endpoints = pool.Endpoints;
        if (endpoints.Where(e => GeneratorOf(e) is null).Select(e => e.Name).ToArray() is { Length: > 0 } without)
            throw new ArgumentException($"Pool '{pool.Name}': no embedding generator for {string.Join(", ", without)}: add them with AddEndpoint(name, generator).", nameof(pool));
        _pool = pool;
        _identity = new EmbeddingIdentity(pool.Name, _options.Model, _options.Dimensions);
        _identity.VerifyDeclarations(endpoints);
    }

    /// <summary>Gets the maximum number of texts in one request. A larger call is split.</summary>
    public int MaxBatchSize => _options.MaxBatchSize;

    /// <inheritdoc/>
    /// <exception cref="EmbeddingMismatchException">An endpoint returned vectors of another model or length.</exception>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take a part in time.</exception>
    /// <exception cref="DeadlineExceededException">
    /// The deadline of the whole call passed. If the call was split, <see cref="DeadlineExceededException.Deadline"/> is the time that was left for the request
    /// that failed.
    /// </exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        string[] texts = [.. values]; // the caller may change its list while a later attempt is made
        return texts.Length == 0 ? [] : (await CallAsync(texts, options, cancellationToken).ConfigureAwait(false)).Result;
    }

    /// <summary>
    /// Does the same as <see cref="GenerateAsync"/>, and returns the details of the call with the vectors. For a call that was split, the details contain the
    /// attempts of all parts, and <see cref="CallDetail.Endpoint"/> names all endpoints that served a part.
    /// </summary>
    /// <param name="values">The texts; at least one.</param>
    /// <param name="options">The options. Null: the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentException">There is no text.</exception>
    /// <exception cref="EmbeddingMismatchException">An endpoint returned vectors of another model or length.</exception>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take a part in time.</exception>
    /// <exception cref="DeadlineExceededException">
    /// The deadline of the whole call passed. If the call was split, <see cref="DeadlineExceededException.Deadline"/> is the time that was left for the request
    /// that failed.
    /// </exception>
    public ValueTask<Served<GeneratedEmbeddings<Embedding<float>>>> GenerateWithDetailAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        string[] texts = [.. values]; // the caller may change its list while a later attempt is made
        if (texts.Length == 0)
            throw new ArgumentException("There is no text, so no endpoint is called.", nameof(values));
        return CallAsync(texts, options, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>Returns this generator, its <see cref="EndpointPool"/>, or <see cref="EmbeddingGeneratorMetadata"/> with the values that all endpoints share.
    /// With an endpoint's name as the key: that endpoint's generator, or a service of that generator. For any other type: the service of the first endpoint with
    /// a generator that has this service.</remarks>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        var endpoints = _pool.Endpoints;
        if (serviceKey is string name && _pool.Find(name) is { } endpoint && GeneratorOf(endpoint) is { } generator)
            return serviceType.IsInstanceOfType(generator) ? generator : generator.GetService(serviceType);
        if (serviceKey is null && serviceType.IsInstanceOfType(this))
            return this;
        if (serviceKey is null && serviceType == typeof(EndpointPool))
            return _pool;
        if (serviceKey is null && serviceType == typeof(EmbeddingGeneratorMetadata))
            return InCommon(endpoints);
        foreach (var member in endpoints)
        {
            if (GeneratorOf(member)?.GetService(serviceType, serviceKey) is { } service)
                return service;
        }

        return null;
    }

    /// <summary>Does nothing.</summary>
    public void Dispose()
    {
    }

    internal static IEmbeddingGenerator<string, Embedding<float>>? GeneratorOf(PoolEndpoint endpoint) => endpoint.Client as IEmbeddingGenerator<string, Embedding<float>>;

    private ValueTask<Served<GeneratedEmbeddings<Embedding<float>>>> CallAsync(string[] texts, EmbeddingGenerationOptions? options, CancellationToken cancellationToken)
    {
        var profile = EmbeddingProfiles.ExtractProfile(ref options) ?? _options.Profile;
        return texts.Length <= _options.MaxBatchSize
            ? PartAsync(new Part(this, texts, options, profile), cancellationToken)
            : new Batches(this, texts, options, profile).RunAsync(cancellationToken);
    }

    private async ValueTask<Served<GeneratedEmbeddings<Embedding<float>>>> PartAsync(Part part, CancellationToken cancellationToken)
    {
        var served = await _pool.ExecuteWithDetailAsync(part.FinalProfile(), part, static (attempt, part, token) => part.AskAsync(attempt, token), cancellationToken).ConfigureAwait(false);
        var (embeddings, detail) = served;
        if (_pool.Find(detail.Endpoint) is { } endpoint)
            part.Adopt(embeddings, endpoint);
        var properties = ChatStory.AddProperties(embeddings.AdditionalProperties, detail, ChatParameters.None);
        if (ChatStory.CostOf(embeddings.Usage, _pool.Find(detail.Endpoint), detail) is { } cost)
            properties[ChatStory.CostKey] = cost;
        embeddings.AdditionalProperties = properties;
        return served;
    }

    private static long LengthOf(IReadOnlyList<string> texts) => texts.Sum(static t => (long)t.Length);

    private EmbeddingGeneratorMetadata InCommon(IReadOnlyList<PoolEndpoint> endpoints)
    {
        var all = endpoints.Select(e => (Own: EmbeddingIdentity.MetadataOf(e), Endpoint: e)).ToArray();
        return new(
            CommonOf(e => e.Own?.ProviderName ?? e.Endpoint.Domains.Provider), CommonOf(e => e.Own?.ProviderUri ?? e.Endpoint.Address),
            _options.Model ?? CommonOf(e => EmbeddingIdentity.NameAt(e.Endpoint)), _options.Dimensions ?? (all.Length > 0 ? all[0].Own?.DefaultModelDimensions : null));

        T? CommonOf<T>(Func<(EmbeddingGeneratorMetadata? Own, PoolEndpoint Endpoint), T?> part) where T : class =>
            all.Length > 0 && Array.TrueForAll(all, e => Equals(part(e), part(all[0]))) ? part(all[0]) : null;
    }

    /// <summary>Holds the texts of one request.</summary>
    private sealed class Part(EndpointPoolEmbeddingGenerator generator, IReadOnlyList<string> texts, EmbeddingGenerationOptions? options, RequestProfile profile)
    {
        /// <summary>Gets the profile of the request, with the size of the texts. A size that the caller has given stays.</summary>
        public RequestProfile FinalProfile() => profile with
        {
            InputTokens = profile.InputTokens > 0 ? profile.InputTokens : TokensIn(LengthOf(texts)),
            IsInputEstimated = profile.IsInputEstimated || profile.InputTokens <= 0,
            LongestInputTokens = profile.LongestInputTokens > 0 ? profile.LongestInputTokens : TokensIn(texts.Max(static t => t.Length)),
            // Texts name no object that one endpoint stores, so any other endpoint may serve the request.
            Request = profile.Request == RequestKind.Unknown ? RequestKind.CreatesAnswer : profile.Request,
        };

        private static int TokensIn(long length) => (int)Math.Min(int.MaxValue / 2, (length + 3) / 4);

        public async ValueTask<GeneratedEmbeddings<Embedding<float>>> AskAsync(EndpointAttempt attempt, CancellationToken token)
        {
            var own = GeneratorOf(attempt.Endpoint) ?? throw new InvalidOperationException($"Endpoint '{attempt.Endpoint.Name}' has no embedding generator.");
            attempt.ReportOperation("embeddings");
            ResilienceWatch.WarnIfRepeating(attempt.Endpoint);
            var embeddings = await own.GenerateAsync(texts, OptionsFor(attempt.Endpoint), token).ConfigureAwait(false);
            if (embeddings is null || embeddings.Count != texts.Count || embeddings.Any(static e => e is not { Dimensions: > 0 }))
                throw new EndpointFaultException(attempt.Endpoint.Name, ChatFaults.Broken);
            if (embeddings.Usage is { } usage)
                attempt.ReportUsage(ChatFaults.ToCount(usage.InputTokenCount), ChatFaults.ToCount(usage.OutputTokenCount));
            try
            {
                generator._identity.Verify(embeddings, attempt.Endpoint, options);
            }
            catch (EmbeddingMismatchException)
            {
                attempt.ReportFault(new Fault(FaultKind.InvalidRequest) { Applied = FaultApplied.Ambiguous }); // a fault of the request is not retried, so the caller gets this exception
                throw;
            }
            return embeddings;
        }

        public void Adopt(GeneratedEmbeddings<Embedding<float>> embeddings, PoolEndpoint endpoint) => generator._identity.Adopt(embeddings, endpoint, options);

        private EmbeddingGenerationOptions? OptionsFor(PoolEndpoint endpoint)
        {
            if (endpoint.Domains.Model is not { } model || model == options?.ModelId)
                return options;
            var own = options?.Clone() ?? new EmbeddingGenerationOptions();
            own.ModelId = model;
            return own;
        }
    }

    /// <summary>Handles a call that is split. Its parts run at the same time and share the deadline, and their results are joined in order.</summary>
    private sealed class Batches(EndpointPoolEmbeddingGenerator generator, IReadOnlyList<string> texts, EmbeddingGenerationOptions? options, RequestProfile profile)
    {
        private readonly Served<GeneratedEmbeddings<Embedding<float>>>[] _parts = new Served<GeneratedEmbeddings<Embedding<float>>>[(texts.Count - 1) / generator._options.MaxBatchSize + 1];
        private readonly long _length = LengthOf(texts);
        private readonly long _began = generator._pool.Time.GetTimestamp();
        private Exception? _failure;
        private int _next = -1;

        public async ValueTask<Served<GeneratedEmbeddings<Embedding<float>>>> RunAsync(CancellationToken cancellationToken)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var lanes = new Task[Math.Min(_parts.Length, generator._options.MaxParallelBatches)];
            for (var i = 0; i < lanes.Length; i++)
                lanes[i] = LaneAsync(stop);
            await Task.WhenAll(lanes).ConfigureAwait(false);
            // The exception of a part has the token that stops all parts. A caller that cancels expects an exception with its own token.
            cancellationToken.ThrowIfCancellationRequested();
            if (_failure is { } failure)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
            var detail = JoinedDetail();
            return new(Joined(detail), detail);
        }

        private async Task LaneAsync(CancellationTokenSource stop)
        {
            try
            {
                for (int i; (i = Interlocked.Increment(ref _next)) < _parts.Length && !stop.IsCancellationRequested;)
                    _parts[i] = await generator.PartAsync(PartAt(i), stop.Token).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // The first failure becomes the failure of the call. The other parts fail because of it, so their exceptions are not needed.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref _failure, exception, null);
                stop.Cancel();
            }
        }

        private Part PartAt(int index)
        {
            var size = generator._options.MaxBatchSize;
            var part = new string[Math.Min(size, texts.Count - index * size)];
            for (var i = 0; i < part.Length; i++)
                part[i] = texts[index * size + i];
            var left = (profile.Deadline ?? generator._pool.Deadline) - generator._pool.Time.GetElapsedTime(_began);
            // The caller gives the number of tokens in all texts. Each part counts a share of this number, by the length of its texts.
            var tokens = profile.InputTokens > 0 ? (int)Math.Max(1, profile.InputTokens * ((double)LengthOf(part) / Math.Max(1, _length))) : 0;
            return new Part(generator, part, options, profile with { InputTokens = tokens, Deadline = left > TimeSpan.Zero ? left : TimeSpan.Zero });
        }

        private GeneratedEmbeddings<Embedding<float>> Joined(CallDetail detail)
        {
            var all = new GeneratedEmbeddings<Embedding<float>>(texts.Count);
            foreach (var (part, _) in _parts)
            {
                all.AddRange(part);
                if (part.Usage is { } usage)
                    (all.Usage ??= new()).Add(usage);
            }
            all.AdditionalProperties = new() { [ChatStory.EndpointKey] = detail.Endpoint };
            if (ChatStory.SumOf(_parts.Select(static p => p.Result.AdditionalProperties)) is { } cost)
                all.AdditionalProperties[ChatStory.CostKey] = cost;
            return all;
        }

        private CallDetail JoinedDetail() => new()
        {
            Endpoint = string.Join(", ", _parts.Select(static p => p.Detail.Endpoint).Distinct()),
            Attempts = [.. _parts.SelectMany(static p => p.Detail.Attempts)],
            AttemptCount = _parts.Sum(static p => p.Detail.AttemptCount),
            PerhapsBilled = _parts.Sum(static p => p.Detail.PerhapsBilled),
            WaitRules = [.. _parts.SelectMany(static p => p.Detail.WaitRules).Distinct()],
            Hedged = Array.Exists(_parts, static p => p.Detail.Hedged),
            Waited = _parts.Max(static p => p.Detail.Waited),
            InputTokens = Array.TrueForAll(_parts, static p => p.Detail.InputTokens is not null) ? _parts.Sum(static p => p.Detail.InputTokens) : null,
            OutputTokens = Array.TrueForAll(_parts, static p => p.Detail.OutputTokens is not null) ? _parts.Sum(static p => p.Detail.OutputTokens) : null,
        };
    }
}
