namespace HaKit.DependencyInjection;

/// <summary>Represents an HTTP client of the factory that uses a pool.</summary>
/// <param name="Client">The client's name.</param>
/// <param name="Pool">The pool's name.</param>
internal sealed record EndpointPoolClient(string Client, string Pool);

/// <summary>Marks a client that keeps every resilience handler, because the application called <c>KeepResilience</c>.</summary>
/// <param name="Client">The client's name.</param>
internal sealed record KeptResilience(string Client);
