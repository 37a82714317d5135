using HaKit.Faults;

namespace HaKit.Testing;

/// <summary>One item of a simulated stream: it says where it comes from, so that the reader can tell a whole answer from a patched one.</summary>
/// <param name="Attempt">The number of the attempt that it belongs to, unique within a run.</param>
/// <param name="Index">Its place among the contents, from 0; -1 for an item without content.</param>
/// <param name="Signal">What it means.</param>
/// <param name="Failure">The failure that it reports.</param>
internal readonly record struct SimulatedItem(long Attempt, int Index, StreamSignal Signal, Fault? Failure = null);

/// <summary>Says of simulated items what they mean.</summary>
internal sealed class SimulatedItemReader : StreamItemReader<SimulatedItem>
{
    public static SimulatedItemReader Instance { get; } = new();

    public override StreamSignal Read(SimulatedItem item) => item.Signal;

    public override Fault FaultOf(SimulatedItem item) => item.Failure!;
}
