namespace HaKit.Testing;

/// <summary>One call on its way: what it asks, and what was seen of it.</summary>
internal sealed class SimulatedCall
{
    public int InputTokens { get; set; }

    public int OutputTokens { get; set; }

    public TimeSpan Began { get; set; }

    public TimeSpan FirstContentAt { get; set; }

    /// <summary>The endpoints on which it failed, by the bit of their place.</summary>
    public ulong FailedOn { get; set; }

    public void Begin(int inputTokens, int outputTokens, TimeSpan now)
    {
        (InputTokens, OutputTokens, Began) = (inputTokens, outputTokens, now);
        (FirstContentAt, FailedOn) = (TimeSpan.Zero, 0);
    }
}
