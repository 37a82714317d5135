namespace HaKit.Limits;

/// <summary>A window as it stands.</summary>
/// <param name="Limit">What it lets in: its limit without the part that is left to other replicas.</param>
/// <param name="Taken">What was taken in each bucket that counts, the oldest first.</param>
internal sealed record WindowReading(long Limit, IReadOnlyList<uint> Taken);

/// <summary>A limiter as it stands. Null limits are unlimited.</summary>
/// <param name="Requests">Requests per minute.</param>
/// <param name="Tokens">Tokens per minute.</param>
/// <param name="Places">Calls in flight.</param>
internal sealed record LimiterReading(WindowReading? Requests, WindowReading? Tokens, int? Places);
