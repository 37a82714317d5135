using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace HaKit.Testing.Wire;

/// <summary>The counters of <see cref="FakeCounts"/>. Thread-safe: one lock guards all of them, so that the counts of a snapshot add up.</summary>
internal sealed class Tally
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ModelTally> _byModel = new(StringComparer.Ordinal);
    private readonly Dictionary<int, long> _byStatus = [];
    private readonly long[] _outcomes = new long[4];
    private long _received;
    private long _probes;
    private long _promptTokens;
    private long _completionTokens;

    /// <returns>The request's number, from 1.</returns>
    public long BeginRequest(FakeRequest request)
    {
        lock (_lock)
        {
            if (request.IsProbe)
                return ++_probes;
            GetTally(request).Received++;
            return ++_received;
        }
    }

    public void RecordOutcome(FakeRequest request, Outcome outcome, int status, int tokens)
    {
        if (request.IsProbe)
            return;
        var promptTokens = tokens > 0 || outcome == Outcome.Whole ? request.PromptTokens : 0;
        lock (_lock)
        {
            _outcomes[(int)outcome]++;
            _byStatus[status] = _byStatus.GetValueOrDefault(status) + 1;
            _promptTokens += promptTokens;
            _completionTokens += tokens;
            var model = GetTally(request);
            if (outcome == Outcome.Whole)
                model.Whole++;
            model.PromptTokens += promptTokens;
            model.CompletionTokens += tokens;
        }
    }

    public FakeCounts Snapshot()
    {
        lock (_lock)
        {
            return new FakeCounts
            {
                Received = _received,
                AnsweredWhole = _outcomes[(int)Outcome.Whole],
                Cut = _outcomes[(int)Outcome.Cut],
                Failed = _outcomes[(int)Outcome.Failed],
                Abandoned = _outcomes[(int)Outcome.Abandoned],
                InFlight = _received - _outcomes.Sum(),
                Probes = _probes,
                PromptTokens = _promptTokens,
                CompletionTokens = _completionTokens,
                ByModel = _byModel.ToImmutableSortedDictionary(m => m.Key, m => m.Value.Snapshot(), StringComparer.Ordinal),
                ByStatus = _byStatus.ToImmutableSortedDictionary(),
            };
        }
    }

    private ModelTally GetTally(FakeRequest request) =>
        CollectionsMarshal.GetValueRefOrAddDefault(_byModel, request.Model, out _) ??= new();

    private sealed class ModelTally
    {
        public long Received;
        public long Whole;
        public long PromptTokens;
        public long CompletionTokens;

        public FakeModelCounts Snapshot() => new(Received, Whole, PromptTokens, CompletionTokens);
    }
}

internal enum Outcome
{
    Whole,
    Cut,
    Failed,
    Abandoned,
}
