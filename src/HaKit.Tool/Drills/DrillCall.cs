using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>One call of the drill, on the drill's clock.</summary>
/// <param name="Number">The call's number, from 1, which the prompt contains.</param>
/// <param name="Due">The planned start. The duration of the call is measured from this time, so that a late load generator does not hide a delay.</param>
/// <param name="Began">The real start.</param>
/// <param name="Ended">The end.</param>
/// <param name="Streamed">True if the call asked for a stream.</param>
/// <param name="Outcome">How the call ended.</param>
/// <param name="Why">The error message of a failed call.</param>
internal sealed record DrillCall(int Number, TimeSpan Due, TimeSpan Began, TimeSpan Ended, bool Streamed, DrillOutcome Outcome, string? Why = null)
{
    public TimeSpan Time => Ended - Due;

    public TimeSpan Lag => Began - Due;
}
