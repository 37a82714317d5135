using System.Globalization;
using System.Text;

namespace HaKit.Testing;

/// <summary>The results of a <see cref="Simulation"/>. Immutable. The same seed gives exactly the same text.</summary>
public sealed class SimulationResult
{
    internal SimulationResult()
    {
    }

    /// <summary>Gets the number of calls.</summary>
    public long Calls { get; internal init; }

    /// <summary>Gets the number of successful calls.</summary>
    public long Succeeded { get; internal init; }

    /// <summary>Gets the number of calls that had not ended six hours after the end of the simulated period.</summary>
    public long Unfinished { get; internal init; }

    /// <summary>
    /// Gets the number of calls that did not succeed, by the way in which they ended. The key is the type of the exception, or one of these words: "Returned" if
    /// the pool returned a failure, "Replayed" if a stream repeated content, "LookedWhole" if a stream ended early without an error.
    /// </summary>
    public IReadOnlyDictionary<string, long> Failures { get; internal init; } = new Dictionary<string, long>();

    /// <summary>Gets the results of each endpoint, in the pool's order.</summary>
    public IReadOnlyList<SimulatedEndpointResult> Endpoints { get; internal init; } = [];

    /// <summary>Gets the length of the intervals in which attempts are counted: 1 s, or longer so that there are at most 3,600 intervals.</summary>
    public TimeSpan Interval { get; internal init; }

    /// <summary>Gets the number of failed calls among the calls that arrived in each <see cref="Interval"/>.</summary>
    public IReadOnlyList<long> LostPerInterval { get; internal init; } = [];

    /// <summary>Gets the pool's first 10,000 events.</summary>
    public IReadOnlyList<PoolEvent> Events { get; internal init; } = [];

    /// <summary>Gets the number of the pool's events.</summary>
    public long EventCount { get; internal init; }

    /// <summary>Gets a checksum of all attempts and ends of calls, with their times.</summary>
    public ulong Digest { get; internal init; }

    /// <summary>Gets the share of the calls that succeeded; 1 when there were no calls.</summary>
    public double SuccessRate => Calls == 0 ? 1 : (double)Succeeded / Calls;

    /// <summary>Gets the number of attempts of all calls.</summary>
    public long Attempts => Endpoints.Sum(static e => e.Attempts);

    /// <summary>Gets the average number of attempts per call.</summary>
    public double AttemptsPerCall => Calls == 0 ? 0 : (double)Attempts / Calls;

    /// <summary>Gets the number of ejections of all endpoints.</summary>
    public long Ejections => Endpoints.Sum(static e => e.Ejections);

    /// <summary>Gets the number of attempts that arrived earlier than a server's Retry-After allowed.</summary>
    public long EarlySends => Endpoints.Sum(static e => e.EarlySends);

    /// <summary>Gets the number of tokens that endpoints read or wrote for attempts that were cancelled or failed.</summary>
    public long WastedTokens => Endpoints.Sum(static e => e.WastedInputTokens + e.WastedOutputTokens);

    /// <summary>Gets the cost of the wasted tokens, by the endpoints' prices.</summary>
    public double WastedMoney => Endpoints.Sum(static e => e.WastedMoney);

    /// <summary>
    /// Gets the measured times of each fault that has a period, in the order of description. Failover is measured only for the first 64 endpoints of a pool.
    /// </summary>
    public IReadOnlyList<SimulatedFault> Faults { get; internal init; } = [];

    /// <summary>Gets the number of streams that were cut and that another endpoint continued to their end.</summary>
    public long Continued { get; internal init; }

    /// <summary>Gets the number of tokens that endpoints read a second time to continue a stream: the prompt and the delivered content.</summary>
    public long ContinuedTokens { get; internal init; }

    internal Histogram Latencies { get; init; } = new();

    internal Histogram SeamTimes { get; init; } = new();

    internal Histogram FirstContents { get; init; } = new();

    /// <summary>Gets the results of an endpoint.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    public SimulatedEndpointResult this[string endpoint] =>
        Endpoints.FirstOrDefault(e => e.Name == endpoint) ?? throw new ArgumentException($"There is no endpoint '{endpoint}'.", nameof(endpoint));

    /// <summary>Returns a quantile of the times of successful calls, including waits and failed attempts. The result is at most 0.8 % too long.</summary>
    /// <param name="share">The quantile, 0 to 1, for example 0.99.</param>
    public TimeSpan Latency(double share) => Latencies.Quantile(share);

    /// <summary>Gets the mean time of successful calls, including waits and failed attempts.</summary>
    public TimeSpan MeanLatency => Latencies.Count == 0 ? TimeSpan.Zero : Latencies.Sum / Latencies.Count;

    /// <summary>Returns a quantile of the times to the first content of the answer.</summary>
    /// <param name="share">The quantile, 0 to 1, for example 0.99.</param>
    public TimeSpan FirstContent(double share) => FirstContents.Quantile(share);

    /// <summary>Returns a quantile of the times from a cut of a stream to the first content of the continuation.</summary>
    /// <param name="share">The quantile, 0 to 1, for example 0.99.</param>
    public TimeSpan SeamTime(double share) => SeamTimes.Count == 0 ? TimeSpan.Zero : SeamTimes.Quantile(share);

    /// <summary>Returns an endpoint's share of the attempts in a period.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="from">The start of the period, in whole <see cref="Interval"/>s. Default: the start of the run.</param>
    /// <param name="until">The end of the period, exclusive. Default: the end of the run.</param>
    public double Share(string endpoint, TimeSpan from = default, TimeSpan? until = null)
    {
        var (first, last) = ((int)(from / Interval), until is { } end ? (int)(end / Interval) : int.MaxValue);
        var all = Endpoints.Sum(e => e.AttemptsWithin(first, last));
        return all == 0 ? 0 : (double)this[endpoint].AttemptsWithin(first, last) / all;
    }

    /// <summary>Returns the figures, with one line for all endpoints and one line for each endpoint.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture,
            $"{Calls} calls, {SuccessRate:P3} served, {AttemptsPerCall:0.0000} attempts/call, p50 {Latency(.5).TotalSeconds:0.000} s, p99 {Latency(.99).TotalSeconds:0.000} s, p99 first content {FirstContent(.99).TotalSeconds:0.000} s, {Ejections} ejections, {EarlySends} early sends, digest {Digest:x16}");
        foreach (var (what, count) in Failures)
            text.Append(CultureInfo.InvariantCulture, $", {what} {count}");
        foreach (var e in Endpoints)
            text.Append(CultureInfo.InvariantCulture, $"\n  {e.Name}: {e.Attempts} attempts ({Share(e.Name):P2}), {e.Answered} answered, {e.Ejections} ejections, {e.Trials} trials, at most {e.PeakInFlight} at once");
        return text.ToString();
    }
}

/// <summary>The results of one endpoint in a <see cref="Simulation"/>.</summary>
public sealed class SimulatedEndpointResult
{
    internal SimulatedEndpointResult()
    {
    }

    /// <summary>Gets the endpoint's name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the number of attempts that reached the endpoint.</summary>
    public long Attempts { get; internal init; }

    /// <summary>Gets the number of attempts that the endpoint answered successfully.</summary>
    public long Answered { get; internal init; }

    /// <summary>Gets the number of attempts that the endpoint refused because of its quota.</summary>
    public long Refused { get; internal init; }

    /// <summary>Gets the number of prompt tokens that the endpoint read for attempts that were cancelled or failed.</summary>
    public long WastedInputTokens { get; internal init; }

    /// <summary>Gets the number of answer tokens that the endpoint wrote for attempts that were cancelled or failed.</summary>
    public long WastedOutputTokens { get; internal init; }

    /// <summary>Gets the cost of the wasted tokens, by the endpoint's prices.</summary>
    public double WastedMoney { get; internal init; }

    /// <summary>Gets the number of attempts that arrived earlier than an earlier answer allowed (Retry-After).</summary>
    public long EarlySends { get; internal init; }

    /// <summary>Gets the largest number of attempts that the endpoint served at the same time.</summary>
    public int PeakInFlight { get; internal init; }

    /// <summary>Gets the number of ejections, including ejections after failed trials.</summary>
    public long Ejections { get; internal init; }

    /// <summary>Gets the number of trials: requests that test whether an ejected endpoint has recovered.</summary>
    public long Trials { get; internal init; }

    /// <summary>Gets the number of status changes.</summary>
    public long StatusChanges { get; internal init; }

    /// <summary>Gets the planned duration of each ejection (the first 1,000).</summary>
    public IReadOnlyList<TimeSpan> Breaks { get; internal init; } = [];

    /// <summary>Gets the number of attempts in each <see cref="SimulationResult.Interval"/>. The last interval includes all later attempts.</summary>
    public IReadOnlyList<long> AttemptsPerInterval { get; internal init; } = [];

    internal long AttemptsWithin(int first, int last)
    {
        var sum = 0L;
        for (var i = first; i < Math.Min(last, AttemptsPerInterval.Count); i++)
            sum += AttemptsPerInterval[i];
        return sum;
    }
}
