namespace HaKit.Testing.Wire;

/// <summary>One step of the body of an answer, at a time after the request.</summary>
/// <param name="Kind">The kind of step.</param>
/// <param name="Due">The time of the step, counted from the request.</param>
/// <param name="Bytes">The bytes to send.</param>
/// <param name="Tokens">The number of content tokens in the bytes.</param>
/// <param name="IsFinal">True if these bytes end the answer and no step follows.</param>
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

    /// <summary>Nothing more is sent.</summary>
    Silence,

    /// <summary>The body ends normally, but too early.</summary>
    End,
}
