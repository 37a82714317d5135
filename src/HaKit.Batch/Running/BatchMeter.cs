using System.Diagnostics.Metrics;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <summary>Contains the instruments of batches, under the meter <c>HaKit.Batch</c>. Thread-safe.</summary>
internal sealed class BatchMeter
{
    private static readonly Meter Meter = new("HaKit.Batch", typeof(BatchMeter).Assembly.GetName().Version?.ToString(3));
    private static readonly Counter<long> Items = Meter.CreateCounter<long>("hakit.batch.items", "{item}", "Items that got an outcome.");
    private static readonly Counter<double> Cost = Meter.CreateCounter<double>("hakit.batch.cost", null, "The cost of the items that got an outcome, in the currency of the endpoints' prices.");
    private static readonly Counter<long> Tokens = Meter.CreateCounter<long>("hakit.batch.tokens", "{token}", "Tokens of prompts and answers that the answers reported.");

    private readonly KeyValuePair<string, object?> _batch;

    private BatchMeter(string batch) => _batch = new("hakit.batch.name", batch);

    public static BatchMeter For(string batch) => new(Path.GetFileName(batch));

    public void Count(BatchOutcome outcome)
    {
        Items.Add(1, _batch, new("hakit.batch.outcome", Name(outcome.State)));
        if (outcome.Cost > 0)
            Cost.Add(outcome.Cost, _batch);
        if (outcome.InputTokens + outcome.OutputTokens > 0)
            Tokens.Add(outcome.InputTokens + outcome.OutputTokens, _batch);
    }

    private static string Name(BatchItemState state) => state switch
    {
        BatchItemState.Succeeded => "succeeded",
        BatchItemState.Failed => "failed",
        _ => "unknown",
    };
}
