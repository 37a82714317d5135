using System.Collections.Concurrent;
using HaKit.Testing.Wire;
using Microsoft.Extensions.AI;

namespace HaKit.Testing;

/// <summary>
/// An embedding generator in memory for tests. It returns <see cref="FakeAnswers.EmbeddingOf"/> and injects the faults of <see cref="Faults"/>, on an
/// injected clock, in the same way as <see cref="FakeChatClient"/>. Thread-safe.
/// </summary>
/// <param name="name">The fake's name, which is also the provider in its metadata.</param>
/// <param name="time">The clock that latencies and schedules use. Default: the system clock.</param>
/// <param name="seed">The seed of the random choices in <see cref="Faults"/>. Default 0.</param>
public sealed class FakeEmbeddingGenerator(string name, TimeProvider? time = null, int seed = 0) : IEmbeddingGenerator<string, Embedding<float>>
{
    private static readonly FakeRequest Request = new(FakeOperation.Embeddings);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ConcurrentQueue<IReadOnlyList<string>> _requests = new();
    private readonly Tally _tally = new();

    /// <summary>Gets the fake's name.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>Gets or sets the model of the vectors. The answers contain this model's name. Default <c>fake-embedding</c>.</summary>
    public string Model { get; set; } = "fake-embedding";

    /// <summary>Gets or sets the length of a vector when the call does not ask for a length. Default 16; 1 to 100,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of the range.</exception>
    public int Dimensions
    {
        get;
        set
        {
            ArgumentRange.Check(value, 1, 100_000, nameof(Dimensions));
            field = value;
        }
    } = 16;

    /// <summary>
    /// Gets or sets the provider, address, model and length that <see cref="GetService"/> returns. Default: only the provider, so that a client gets the model
    /// and the length only from the answers.
    /// </summary>
    public EmbeddingGeneratorMetadata Metadata { get; set; } = new(name);

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults { get; } = new(time, seed);

    /// <summary>Gets the texts of each call so far, in order.</summary>
    public IReadOnlyCollection<IReadOnlyList<string>> Requests => _requests;

    /// <summary>Gets the counts of the calls so far.</summary>
    public FakeCounts Counts => _tally.Snapshot();

    /// <inheritdoc/>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        string[] texts = [.. values];
        _requests.Enqueue(texts);
        _tally.BeginRequest(Request);
        var fault = Faults.ChooseFault(Request);
        var outcome = Outcome.Abandoned;
        try
        {
            await Waits.DelayAsync(_time, fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
            outcome = Outcome.Failed;
            Refusal.Throw(Name, fault, _time);
            if (fault.Ending is { } ending)
                await Refusal.EndAsync(ending, fault, cancellationToken).ConfigureAwait(false);
            outcome = Outcome.Whole;
            return new(texts.Select(text => new Embedding<float>(FakeAnswers.EmbeddingOf(text, Model, options?.Dimensions ?? Dimensions)) { ModelId = Model }))
            {
                Usage = new UsageDetails { InputTokenCount = texts.Sum(FakeAnswers.CountTokens) },
            };
        }
        finally
        {
            _tally.RecordOutcome(Request, outcome, 0, 0);
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata))
            return Metadata;
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Does nothing; the fake holds no resources.</summary>
    public void Dispose()
    {
    }
}
