using HaKit.Failover;
using Microsoft.Extensions.Http.Resilience;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace HaKit.DependencyInjection;

/// <summary>
/// Applies settings of Microsoft.Extensions.Http.Resilience to a pool, if they differ from the defaults of that package. Changed settings without a meaning for
/// a pool are only listed.
/// </summary>
internal sealed class StandardOptions(EndpointPoolOptions pool)
{
    private static readonly HttpStandardResilienceOptions s_standard = new();
    private static readonly HttpStandardHedgingResilienceOptions s_hedging = new();

    /// <summary>Gets the changed settings without a meaning for a pool, by their names in configuration.</summary>
    public List<string> WithoutMeaning { get; } = [];

    public void Carry(HttpStandardResilienceOptions from)
    {
        Deadline(from.TotalRequestTimeout, s_standard.TotalRequestTimeout);
        Attempt("AttemptTimeout", from.AttemptTimeout, s_standard.AttemptTimeout);
        Retry(from.Retry, s_standard.Retry);
        Breaker("CircuitBreaker", from.CircuitBreaker, s_standard.CircuitBreaker);
        Limiter("RateLimiter", from.RateLimiter, s_standard.RateLimiter);
    }

    public void Carry(HttpStandardHedgingResilienceOptions from)
    {
        Deadline(from.TotalRequestTimeout, s_hedging.TotalRequestTimeout);
        pool.Hedging.Enabled = true;
        Nothing("Hedging:MaxHedgedAttempts", from.Hedging.MaxHedgedAttempts, s_hedging.Hedging.MaxHedgedAttempts);
        if (from.Hedging.Delay != s_hedging.Hedging.Delay && from.Hedging.Delay > TimeSpan.Zero)
            pool.Hedging.MinimumDelay = from.Hedging.Delay;
        Nothing("Hedging:ShouldHandle", from.Hedging.ShouldHandle, s_hedging.Hedging.ShouldHandle);
        Nothing("Hedging:DelayGenerator", from.Hedging.DelayGenerator, null);
        Nothing("Hedging:OnHedging", from.Hedging.OnHedging, null);
        Attempt("Endpoint:Timeout", from.Endpoint.Timeout, s_hedging.Endpoint.Timeout);
        Breaker("Endpoint:CircuitBreaker", from.Endpoint.CircuitBreaker, s_hedging.Endpoint.CircuitBreaker);
        Limiter("Endpoint:RateLimiter", from.Endpoint.RateLimiter, s_hedging.Endpoint.RateLimiter);
    }

    private void Deadline(HttpTimeoutStrategyOptions from, HttpTimeoutStrategyOptions standard)
    {
        if (from.Timeout != standard.Timeout)
            pool.TotalRequestTimeout = new TimeoutOptions { Timeout = from.Timeout };
        Callbacks("TotalRequestTimeout", from);
    }

    private void Attempt(string path, HttpTimeoutStrategyOptions from, HttpTimeoutStrategyOptions standard)
    {
        if (from.Timeout != standard.Timeout)
            pool.AttemptTimeout = new TimeoutOptions { Timeout = from.Timeout };
        Callbacks(path, from);
    }

    private void Callbacks(string path, TimeoutStrategyOptions from)
    {
        Nothing(path + ":TimeoutGenerator", from.TimeoutGenerator, null);
        Nothing(path + ":OnTimeout", from.OnTimeout, null);
    }

    private void Retry(HttpRetryStrategyOptions from, HttpRetryStrategyOptions standard)
    {
        if (from.MaxRetryAttempts != standard.MaxRetryAttempts)
            pool.Retry.MaxRetryAttempts = from.MaxRetryAttempts;
        if (from.Delay != standard.Delay && from.Delay > TimeSpan.Zero)
        {
            pool.Retry.Delay = from.Delay;
            if (pool.Retry.MaxDelay < from.Delay)
                pool.Retry.MaxDelay = from.Delay;
        }
        if (from.MaxDelay is { } most && most >= pool.Retry.Delay)
            pool.Retry.MaxDelay = most;
        Nothing("Retry:BackoffType", from.BackoffType, standard.BackoffType);
        Nothing("Retry:UseJitter", from.UseJitter, standard.UseJitter);
        Nothing("Retry:ShouldRetryAfterHeader", from.ShouldRetryAfterHeader, standard.ShouldRetryAfterHeader);
        Nothing("Retry:ShouldHandle", from.ShouldHandle, standard.ShouldHandle);
        // If the standard options read Retry-After, they set a delay generator themselves. That generator is not the application's code.
        if (!from.ShouldRetryAfterHeader)
            Nothing("Retry:DelayGenerator", from.DelayGenerator, null);
        Nothing("Retry:OnRetry", from.OnRetry, null);
    }

    private void Breaker(string path, CircuitBreakerStrategyOptions<HttpResponseMessage> from, CircuitBreakerStrategyOptions<HttpResponseMessage> standard)
    {
        var to = pool.CircuitBreaker;
        if (from.FailureRatio != standard.FailureRatio)
            to.FailureRatio = from.FailureRatio;
        if (from.MinimumThroughput != standard.MinimumThroughput)
            to.MinimumThroughput = from.MinimumThroughput;
        if (from.SamplingDuration != standard.SamplingDuration)
            to.SamplingDuration = from.SamplingDuration;
        if (from.BreakDuration != standard.BreakDuration)
        {
            to.BreakDuration = from.BreakDuration;
            if (to.MaxBreakDuration < from.BreakDuration)
                to.MaxBreakDuration = from.BreakDuration;
        }
        Nothing(path + ":ShouldHandle", from.ShouldHandle, standard.ShouldHandle);
        Nothing(path + ":BreakDurationGenerator", from.BreakDurationGenerator, null);
        Nothing(path + ":ManualControl", from.ManualControl, null);
        Nothing(path + ":StateProvider", from.StateProvider, null);
        Nothing(path + ":OnOpened", from.OnOpened, null);
        Nothing(path + ":OnClosed", from.OnClosed, null);
        Nothing(path + ":OnHalfOpened", from.OnHalfOpened, null);
    }

    private void Limiter(string path, HttpRateLimiterStrategyOptions from, HttpRateLimiterStrategyOptions standard)
    {
        var (mine, usual) = (from.DefaultRateLimiterOptions, standard.DefaultRateLimiterOptions);
        Nothing(path + ":DefaultRateLimiterOptions", (mine.PermitLimit, mine.QueueLimit), (usual.PermitLimit, usual.QueueLimit));
        Nothing(path + ":RateLimiter", from.RateLimiter, null);
        Nothing(path + ":OnRejected", from.OnRejected, null);
    }

    private void Nothing<T>(string path, T value, T standard)
    {
        if (!EqualityComparer<T>.Default.Equals(value, standard))
            WithoutMeaning.Add(path);
    }
}
