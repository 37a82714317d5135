using HaKit.Faults;

namespace HaKit;

/// <summary>Describes an attempt that failed. Immutable.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Endpoint">The name of the endpoint that was tried.</param>
/// <param name="Fault">What the failure means.</param>
/// <param name="Number">1 for the first attempt of the call.</param>
/// <param name="Duration">How long the attempt took.</param>
public sealed record AttemptFailure(string Pool, string Endpoint, Fault Fault, int Number, TimeSpan Duration);
