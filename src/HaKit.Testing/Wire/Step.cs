namespace HaKit.Testing.Wire;

/// <summary>One thing that happens to the body of an answer, at its time after the request.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Due">When, counted from the request.</param>
/// <param name="Bytes">What is sent.</param>
/// <param name="Tokens">How many tokens of content that is.</param>
/// <param name="IsFinal">Whether these bytes end the answer; no step follows.</param>
internal readonly record struct Step(StepKind Kind, TimeSpan Due, ReadOnlyMemory<byte> Bytes = default, int Tokens = 0, bool IsFinal = false)
{
    public static Step Send(TimeSpan due, ReadOnlyMemory<byte> bytes, int tokens = 0) => new(StepKind.Bytes, due, bytes, tokens);

    public static Step SendFinal(TimeSpan due, ReadOnlyMemory<byte> bytes, int tokens = 0) => new(StepKind.Bytes, due, bytes, tokens, IsFinal: true);
}

internal enum StepKind
{
    Bytes,

    /// <summary>The connection is reset.</summary>
    Reset,

    /// <summary>Nothing happens any more.</summary>
    Silence,

    /// <summary>The body ends cleanly, too early.</summary>
    End,
}
