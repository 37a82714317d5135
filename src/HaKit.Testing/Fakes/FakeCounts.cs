using System.Collections.Immutable;

namespace HaKit.Testing;

/// <summary>
/// The exact counts of a fake's requests. They always add up:
/// <c>Received = AnsweredWhole + Cut + Failed + Abandoned + InFlight</c>. Probes are counted separately. An immutable snapshot.
/// </summary>
public sealed record FakeCounts
{
    /// <summary>Gets the number of requests for work. Probes are not included.</summary>
    public long Received { get; init; }

    /// <summary>Gets the number of requests that were answered successfully to the last byte.</summary>
    public long AnsweredWhole { get; init; }

    /// <summary>Gets the number of answers that broke off after some content was delivered, because of a fault or because the server was killed.</summary>
    public long Cut { get; init; }

    /// <summary>
    /// Gets the number of requests that ended without any content: error statuses, resets, silences, and errors or empty bodies with status 200.
    /// </summary>
    public long Failed { get; init; }

    /// <summary>Gets the number of requests that the client cancelled although the answer would have been whole.</summary>
    public long Abandoned { get; init; }

    /// <summary>Gets the number of requests that are being answered now.</summary>
    public long InFlight { get; init; }

    /// <summary>Gets the number of requests for health, metrics and models.</summary>
    public long Probes { get; init; }

    /// <summary>Gets the number of prompt tokens of the requests that produced content.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Gets the number of delivered content tokens. Tokens of answers that were cut or abandoned are included.</summary>
    public long CompletionTokens { get; init; }

    /// <summary>Gets the same counts by requested model.</summary>
    public ImmutableSortedDictionary<string, FakeModelCounts> ByModel { get; init; } = ImmutableSortedDictionary<string, FakeModelCounts>.Empty;

    /// <summary>
    /// Gets the number of requests for work by the status of their answer, even if the server was killed before the client received it. Requests without an
    /// answer count as status 0.
    /// </summary>
    public ImmutableSortedDictionary<int, long> ByStatus { get; init; } = ImmutableSortedDictionary<int, long>.Empty;
}

/// <summary>The counts of one model's requests.</summary>
/// <param name="Received">The number of requests for work.</param>
/// <param name="AnsweredWhole">The number of requests that were answered successfully to the last byte.</param>
/// <param name="PromptTokens">The number of prompt tokens of the requests that produced content.</param>
/// <param name="CompletionTokens">The number of delivered content tokens.</param>
public sealed record FakeModelCounts(long Received, long AnsweredWhole, long PromptTokens, long CompletionTokens);
