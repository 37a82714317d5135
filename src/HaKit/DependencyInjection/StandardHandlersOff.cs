using System.Collections.Concurrent;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;

namespace HaKit.DependencyInjection;

/// <summary>
/// Switches the standard resilience and hedging handlers of a pool's client off, and counts them for each client. The type of a handler does not show that it
/// is a standard handler, but the name of its options contains the client's name. Thread-safe.
/// </summary>
internal sealed class StandardHandlersOff(IEnumerable<EndpointPoolClient> clients, IEnumerable<KeptResilience> kept)
    : IPostConfigureOptions<HttpStandardResilienceOptions>, IPostConfigureOptions<HttpStandardHedgingResilienceOptions>
{
    private const int HandlersOfHedging = 2; // one around all attempts, one around each

    private readonly HashSet<string> _clients = [.. clients.Select(c => c.Client).Except(kept.Select(k => k.Client))];
    private readonly ConcurrentDictionary<string, int> _standard = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _hedging = new(StringComparer.Ordinal);

    /// <summary>Gets the name of the options of a client's standard handler.</summary>
    public static string OptionsNameOf(string client) => client + "-standard";

    /// <summary>
    /// Gets how many of the client's handlers belong to its standard handlers. The number is known only after the client's handlers were built.
    /// </summary>
    public int CountOf(string client) => _standard.GetValueOrDefault(OptionsNameOf(client)) + _hedging.GetValueOrDefault(client);

    public void PostConfigure(string? name, HttpStandardResilienceOptions options)
    {
        if (name is null || !_clients.Any(c => OptionsNameOf(c) == name))
            return;
        _standard[name] = 1;
        options.TotalRequestTimeout.TimeoutGenerator = static _ => new(Timeout.InfiniteTimeSpan);
        options.AttemptTimeout.TimeoutGenerator = static _ => new(Timeout.InfiniteTimeSpan);
        options.Retry.ShouldHandle = static _ => PredicateResult.False();
        options.CircuitBreaker.ShouldHandle = static _ => PredicateResult.False();
        RemoveLimit(options.RateLimiter);
    }

    public void PostConfigure(string? name, HttpStandardHedgingResilienceOptions options)
    {
        if (name is null || !_clients.Contains(name))
            return;
        _hedging[name] = HandlersOfHedging;
        options.TotalRequestTimeout.TimeoutGenerator = static _ => new(Timeout.InfiniteTimeSpan);
        options.Hedging.ShouldHandle = static _ => PredicateResult.False();
        options.Hedging.DelayGenerator = static _ => new(Timeout.InfiniteTimeSpan);
        options.Endpoint.Timeout.TimeoutGenerator = static _ => new(Timeout.InfiniteTimeSpan);
        options.Endpoint.CircuitBreaker.ShouldHandle = static _ => PredicateResult.False();
        RemoveLimit(options.Endpoint.RateLimiter);
    }

    private static void RemoveLimit(HttpRateLimiterStrategyOptions limiter)
    {
        limiter.RateLimiter = null;
        limiter.DefaultRateLimiterOptions.PermitLimit = int.MaxValue;
    }
}
