using System.Collections.Immutable;

namespace HaKit.Testing;

/// <summary>
/// What a fake did, counted exactly and consistent in itself:
/// <c>Received = AnsweredWhole + Cut + Failed + Abandoned + InFlight</c>. Probes count apart. An immutable snapshot.
/// </summary>
public sealed record FakeCounts
{
    /// <summary>Requests for work (probes not among them).</summary>
    public long Received { get; init; }

    /// <summary>Answered wholly and well, to the last byte.</summary>
    public long AnsweredWhole { get; init; }

    /// <summary>Broken after some content was delivered, by a fault or because the server was killed.</summary>
    public long Cut { get; init; }

    /// <summary>Ended without any content: error statuses, resets, silences, errors and empty bodies in a 200.</summary>
    public long Failed { get; init; }

    /// <summary>The client went away from an answer that would have been whole.</summary>
    public long Abandoned { get; init; }

    /// <summary>Being answered now.</summary>
    public long InFlight { get; init; }

    /// <summary>Requests to health, metrics and models.</summary>
    public long Probes { get; init; }

    /// <summary>Tokens of the prompts of requests that produced content.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Tokens of content delivered, also in answers that were cut or abandoned.</summary>
    public long CompletionTokens { get; init; }

    /// <summary>The same by model asked for.</summary>
    public ImmutableSortedDictionary<string, FakeModelCounts> ByModel { get; init; } = ImmutableSortedDictionary<string, FakeModelCounts>.Empty;

    /// <summary>Requests for work by the status their answer began with, also where a kill kept it from the client; those that got none count as 0.</summary>
    public ImmutableSortedDictionary<int, long> ByStatus { get; init; } = ImmutableSortedDictionary<int, long>.Empty;
}

/// <summary>What a fake did for one model.</summary>
/// <param name="Received">Requests for work.</param>
/// <param name="AnsweredWhole">Answered wholly and well.</param>
/// <param name="PromptTokens">Tokens of the prompts of requests that produced content.</param>
/// <param name="CompletionTokens">Tokens of content delivered.</param>
public sealed record FakeModelCounts(long Received, long AnsweredWhole, long PromptTokens, long CompletionTokens);
