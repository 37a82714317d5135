using HaKit.Faults;

namespace HaKit;

/// <summary>Describes an attempt that failed. Immutable.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Endpoint">The name of the endpoint that was tried.</param>
/// <param name="Fault">The fault of the attempt.</param>
/// <param name="Number">1 for the first attempt of the call.</param>
/// <param name="Duration">The duration of the attempt.</param>
public sealed record AttemptFailure(string Pool, string Endpoint, Fault Fault, int Number, TimeSpan Duration);
