namespace HaKit.Limits;

/// <summary>The state of a window at one moment.</summary>
/// <param name="Limit">The amount that the window admits: its limit without the part that is reserved for other replicas.</param>
/// <param name="Taken">The amount taken in each bucket that counts, the oldest first.</param>
internal sealed record WindowReading(long Limit, IReadOnlyList<uint> Taken);

/// <summary>The state of a limiter at one moment. A null limit means unlimited.</summary>
/// <param name="Requests">Requests per minute.</param>
/// <param name="Tokens">Tokens per minute.</param>
/// <param name="Places">Calls in flight.</param>
internal sealed record LimiterReading(WindowReading? Requests, WindowReading? Tokens, int? Places);
