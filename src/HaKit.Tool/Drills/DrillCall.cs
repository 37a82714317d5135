using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>One call of the drill, on the drill's clock.</summary>
/// <param name="Number">Its number, from 1; its prompt has it.</param>
/// <param name="Due">When it was to begin. Its time is counted from here, so that a generator that lags hides nothing.</param>
/// <param name="Began">When it began.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="Streamed">Whether it asked for a stream.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Why">What a failed call said.</param>
internal sealed record DrillCall(int Number, TimeSpan Due, TimeSpan Began, TimeSpan Ended, bool Streamed, DrillOutcome Outcome, string? Why = null)
{
    public TimeSpan Time => Ended - Due;

    public TimeSpan Lag => Began - Due;
}
