using System.Collections.Concurrent;
using HaKit.Testing.Wire;
using Microsoft.Extensions.AI;

namespace HaKit.Testing;

/// <summary>An embedding generator in memory that gives <see cref="FakeAnswers.EmbeddingOf"/>, and goes wrong as <see cref="Faults"/> says, on an injected clock, as a <see cref="FakeChatClient"/> does. Thread-safe.</summary>
/// <param name="name">Its name; the provider in its metadata.</param>
/// <param name="time">The clock of latencies and schedules; default the system's.</param>
/// <param name="seed">Seed of the chance in <see cref="Faults"/>; default 0.</param>
public sealed class FakeEmbeddingGenerator(string name, TimeProvider? time = null, int seed = 0) : IEmbeddingGenerator<string, Embedding<float>>
{
    private static readonly FakeRequest Request = new(FakeOperation.Embeddings);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ConcurrentQueue<IReadOnlyList<string>> _requests = new();
    private readonly Tally _tally = new();

    /// <summary>Its name.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>The model that its vectors are of, and that its answers name. Default <c>fake-embedding</c>.</summary>
    public string Model { get; set; } = "fake-embedding";

    /// <summary>The length of its vectors when a call does not ask for one. Default 16.</summary>
    public int Dimensions { get; set; } = 16;

    /// <summary>What <see cref="GetService"/> says of provider, address, model and length. Default: the provider alone, so that only answers tell.</summary>
    public EmbeddingGeneratorMetadata Metadata { get; set; } = new(name);

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults { get; } = new(time, seed);

    /// <summary>The texts of the calls so far, in order.</summary>
    public IReadOnlyCollection<IReadOnlyList<string>> Requests => _requests;

    /// <summary>What it did so far.</summary>
    public FakeCounts Counts => _tally.Snapshot();

    /// <inheritdoc/>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
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

    /// <summary>Does nothing.</summary>
    public void Dispose()
    {
    }
}
