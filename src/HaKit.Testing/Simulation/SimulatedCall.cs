namespace HaKit.Testing;

/// <summary>One simulated call: its request, and what was observed so far.</summary>
internal sealed class SimulatedCall
{
    public int InputTokens { get; set; }

    public int OutputTokens { get; set; }

    public TimeSpan Began { get; set; }

    public TimeSpan FirstContentAt { get; set; }

    /// <summary>Gets or sets the endpoints on which the call failed, as a bit mask by index.</summary>
    public ulong FailedOn { get; set; }

    public void Begin(int inputTokens, int outputTokens, TimeSpan now)
    {
        (InputTokens, OutputTokens, Began) = (inputTokens, outputTokens, now);
        (FirstContentAt, FailedOn) = (TimeSpan.Zero, 0);
    }
}
