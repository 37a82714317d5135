namespace HaKit.Limits;

/// <summary>The state of a window at one moment.</summary>
/// <param name="Limit">The amount that the window admits: its limit without the part that is reserved for other replicas.</param>
/// <param name="Taken">The amount that was taken in each bucket of the last minute (<see cref="SlidingWindow.Buckets"/> + 1 buckets), the oldest first.</param>
internal sealed record WindowReading(long Limit, IReadOnlyList<uint> Taken);

/// <summary>The state of a limiter at one moment. Null means unlimited.</summary>
/// <param name="Requests">The window of requests per minute.</param>
/// <param name="Tokens">The window of tokens per minute.</param>
/// <param name="Places">The largest number of calls in flight.</param>
internal sealed record LimiterReading(WindowReading? Requests, WindowReading? Tokens, int? Places);
