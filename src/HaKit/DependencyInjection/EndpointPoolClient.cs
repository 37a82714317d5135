namespace HaKit.DependencyInjection;

/// <summary>An HTTP client of the factory that has a pool under it.</summary>
/// <param name="Client">The client's name.</param>
/// <param name="Pool">The pool's name.</param>
internal sealed record EndpointPoolClient(string Client, string Pool);

/// <summary>The client keeps every resilience handler, because its owner said so.</summary>
/// <param name="Client">The client's name.</param>
internal sealed record KeptResilience(string Client);
