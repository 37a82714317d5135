using System.Runtime.InteropServices;

namespace HaKit.Attempts;

/// <summary>
/// Holds the counters that every attempt on one endpoint writes, on cache lines of their own. The fields that are only read when an endpoint is chosen must not
/// share these lines, because each write would slow these reads down. There is no lock: each field is written by interlocked operations, or by plain writes
/// where a lost write costs one sample.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal sealed class AttemptCounts
{
#pragma warning disable CS0169, IDE0051 // padding: it keeps the counts on cache lines of their own.
    private readonly Line _before;
#pragma warning restore CS0169, IDE0051

    /// <summary>The number of attempts in flight in the lower bits, and the number of all attempts above them.</summary>
    public long Begun;

    /// <summary>Gets the time of the latest answer to a call, in ticks; negative before the first answer.</summary>
    public long AnsweredAt = -1;

    /// <summary>Gets the start of the latest attempt that was answered, in ticks; negative before the first answer.</summary>
    public long AnsweredBegan = -1;

    /// <summary>Gets the start of the latest attempt that was served completely.</summary>
    public long ServedBegan = -1;

    /// <summary>Gets the mean duration of a served attempt, until the end of its answer, in seconds; NaN before the first.</summary>
    public double HeldSeconds = double.NaN;

    /// <summary>The number of samples in <see cref="HeldSeconds"/>.</summary>
    public long HeldSamples;

    /// <summary>The number of failed attempts.</summary>
    public long Faults;

    /// <summary>The number of attempts that ended because of the request or the caller.</summary>
    public long Neutrals;

    /// <summary>The number of consecutive silences.</summary>
    public int Silences;

#pragma warning disable CS0169, IDE0051 // padding: it keeps the counts on cache lines of their own.
    private readonly Line _after;
#pragma warning restore CS0169, IDE0051

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Line;
}
