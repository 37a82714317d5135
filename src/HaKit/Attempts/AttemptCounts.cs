using System.Runtime.InteropServices;

namespace HaKit.Attempts;

/// <summary>
/// What every attempt on one endpoint writes, on cache lines that hold nothing else: what every choice only reads must not lie beside it. Nothing here is
/// guarded; each field is written by interlocked operations, or by plain ones where a lost write costs one sample.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal sealed class AttemptCounts
{
#pragma warning disable CS0169, IDE0051 // It holds nothing: it keeps the counts on cache lines of their own.
    private readonly Line _before;
#pragma warning restore CS0169, IDE0051

    /// <summary>The attempts in flight in the lower bits, and all attempts above them.</summary>
    public long Begun;

    /// <summary>When traffic last had an answer, in ticks; negative before the first.</summary>
    public long AnsweredAt = -1;

    /// <summary>Of the attempts that were served whole, when the latest one began.</summary>
    public long ServedBegan = -1;

    /// <summary>For how long a served attempt takes its place, in seconds; not a number before the first.</summary>
    public double HeldSeconds = double.NaN;

    /// <summary>How many samples <see cref="HeldSeconds"/> has.</summary>
    public long Held;

    /// <summary>Failed attempts.</summary>
    public long Faults;

    /// <summary>Attempts that ended for reasons that are not the endpoint's: the request's or the caller's.</summary>
    public long Neutrals;

    /// <summary>Silences in a row.</summary>
    public int Silences;

#pragma warning disable CS0169, IDE0051 // It holds nothing: it keeps the counts on cache lines of their own.
    private readonly Line _after;
#pragma warning restore CS0169, IDE0051

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Line;
}
