using HaKit.Faults;

namespace HaKit.Testing;

/// <summary>
/// One item of a simulated stream. It contains its origin, so that a reader can see whether all items of an answer come from one attempt.
/// </summary>
/// <param name="Attempt">The number of the attempt that sent the item, unique within a run.</param>
/// <param name="Index">The index among the items with content, from 0; -1 for an item without content.</param>
/// <param name="Signal">The meaning of the item.</param>
/// <param name="Failure">The failure that the item reports; null when it reports none.</param>
internal readonly record struct SimulatedItem(long Attempt, int Index, StreamSignal Signal, Fault? Failure = null);

/// <summary>Returns the meaning of simulated items.</summary>
internal sealed class SimulatedItemReader : StreamItemReader<SimulatedItem>
{
    public static SimulatedItemReader Instance { get; } = new();

    public override StreamSignal Read(SimulatedItem item) => item.Signal;

    public override Fault FaultOf(SimulatedItem item) => item.Failure!;
}
