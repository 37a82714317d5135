using HaKit.Faults;

namespace HaKit;

/// <summary>Describes an attempt that failed. Immutable.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Endpoint">The name of the endpoint that was tried.</param>
/// <param name="Fault">The fault of the attempt.</param>
/// <param name="Number">The number of the attempt in its call; 1 for the first attempt.</param>
/// <param name="Duration">The duration of the attempt.</param>
public sealed record AttemptFailure(string Pool, string Endpoint, Fault Fault, int Number, TimeSpan Duration);
