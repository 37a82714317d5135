using System.Globalization;
using System.Text;

namespace HaKit.Testing;

/// <summary>What came of a <see cref="Simulation"/>. Immutable. Its text is the same for the same seed, to the byte.</summary>
public sealed class SimulationResult
{
    internal SimulationResult()
    {
    }

    /// <summary>Calls that came.</summary>
    public long Calls { get; internal init; }

    /// <summary>Calls that were served.</summary>
    public long Succeeded { get; internal init; }

    /// <summary>Calls that never ended, within hours after the last one came.</summary>
    public long Unfinished { get; internal init; }

    /// <summary>How the others ended: the exception's type, "Returned" for a failure that was handed back, "Replayed" or "LookedWhole" for a stream that was patched or ended early without saying so; and how many.</summary>
    public IReadOnlyDictionary<string, long> Failures { get; internal init; } = new Dictionary<string, long>();

    /// <summary>Each endpoint, in the pool's order.</summary>
    public IReadOnlyList<SimulatedEndpointResult> Endpoints { get; internal init; } = [];

    /// <summary>The length of the intervals over which attempts are counted: 1 s, or so much more that there are at most 3,600.</summary>
    public TimeSpan Interval { get; internal init; }

    /// <summary>Of the calls that came in each <see cref="Interval"/>, those that were not served.</summary>
    public IReadOnlyList<long> LostPerInterval { get; internal init; } = [];

    /// <summary>What happened to the pool: the first 10,000 events.</summary>
    public IReadOnlyList<PoolEvent> Events { get; internal init; } = [];

    /// <summary>How many events there were.</summary>
    public long EventCount { get; internal init; }

    /// <summary>A checksum of every attempt and every call's end, with its time.</summary>
    public ulong Digest { get; internal init; }

    /// <summary>The share of calls that were served.</summary>
    public double SuccessRate => Calls == 0 ? 1 : (double)Succeeded / Calls;

    /// <summary>Attempts of all calls.</summary>
    public long Attempts => Endpoints.Sum(static e => e.Attempts);

    /// <summary>Attempts per call.</summary>
    public double AttemptsPerCall => Calls == 0 ? 0 : (double)Attempts / Calls;

    /// <summary>Ejections of all endpoints.</summary>
    public long Ejections => Endpoints.Sum(static e => e.Ejections);

    /// <summary>Attempts that came before a server's Retry-After.</summary>
    public long EarlySends => Endpoints.Sum(static e => e.EarlySends);

    /// <summary>Tokens that were read or written for attempts that were given up or broke.</summary>
    public long WastedTokens => Endpoints.Sum(static e => e.WastedInputTokens + e.WastedOutputTokens);

    /// <summary>What they cost by the endpoints' prices.</summary>
    public double WastedMoney => Endpoints.Sum(static e => e.WastedMoney);

    /// <summary>What became of each fault that was described for a period, in that order. Of pools with more than 64 endpoints, failing over is told of the first 64.</summary>
    public IReadOnlyList<SimulatedFault> Faults { get; internal init; } = [];

    /// <summary>Streams that were cut and that another endpoint went on with to their end.</summary>
    public long Continued { get; internal init; }

    /// <summary>Tokens that endpoints read a second time to go on: the prompt, and what was delivered.</summary>
    public long ContinuedTokens { get; internal init; }

    internal Histogram Latencies { get; init; } = new();

    internal Histogram SeamTimes { get; init; } = new();

    internal Histogram FirstContents { get; init; } = new();

    /// <summary>The endpoint of a name.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    public SimulatedEndpointResult this[string endpoint] =>
        Endpoints.FirstOrDefault(e => e.Name == endpoint) ?? throw new ArgumentException($"There is no endpoint '{endpoint}'.", nameof(endpoint));

    /// <summary>How long calls that were served took, waiting and failed attempts included: a quantile, at most 0.8 % too long.</summary>
    /// <param name="share">The quantile, 0 to 1, for example 0.99.</param>
    public TimeSpan Latency(double share) => Latencies.Quantile(share);

    /// <summary>How long they took on average.</summary>
    public TimeSpan MeanLatency => Latencies.Count == 0 ? TimeSpan.Zero : Latencies.Sum / Latencies.Count;

    /// <summary>How long they took to the first content of the answer.</summary>
    /// <param name="share">The quantile, 0 to 1, for example 0.99.</param>
    public TimeSpan FirstContent(double share) => FirstContents.Quantile(share);

    /// <summary>How long streams stood still from a cut to the first content of the rest.</summary>
    /// <param name="share">The quantile, 0 to 1, for example 0.99.</param>
    public TimeSpan SeamTime(double share) => SeamTimes.Count == 0 ? TimeSpan.Zero : SeamTimes.Quantile(share);

    /// <summary>An endpoint's share of the attempts of a period.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="from">Begin of the period, in whole <see cref="Interval"/>s.</param>
    /// <param name="until">Its end, exclusive; default the end.</param>
    public double Share(string endpoint, TimeSpan from = default, TimeSpan? until = null)
    {
        var (first, last) = ((int)(from / Interval), until is { } end ? (int)(end / Interval) : int.MaxValue);
        var all = Endpoints.Sum(e => e.AttemptsWithin(first, last));
        return all == 0 ? 0 : (double)this[endpoint].AttemptsWithin(first, last) / all;
    }

    /// <summary>The figures, one line for the whole and one for each endpoint.</summary>
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

/// <summary>What came of one endpoint in a <see cref="Simulation"/>.</summary>
public sealed class SimulatedEndpointResult
{
    internal SimulatedEndpointResult()
    {
    }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Attempts that reached it.</summary>
    public long Attempts { get; internal init; }

    /// <summary>Attempts that it answered well.</summary>
    public long Answered { get; internal init; }

    /// <summary>Attempts that it refused because of its quota.</summary>
    public long Refused { get; internal init; }

    /// <summary>Tokens of prompts that it read for attempts that were given up or broke.</summary>
    public long WastedInputTokens { get; internal init; }

    /// <summary>Tokens of answers that it wrote for them.</summary>
    public long WastedOutputTokens { get; internal init; }

    /// <summary>What those tokens cost by its prices.</summary>
    public double WastedMoney { get; internal init; }

    /// <summary>Attempts before the time that it had named (Retry-After).</summary>
    public long EarlySends { get; internal init; }

    /// <summary>The most attempts that were on it at once.</summary>
    public int PeakInFlight { get; internal init; }

    /// <summary>How often it was ejected, failed trials included.</summary>
    public long Ejections { get; internal init; }

    /// <summary>How often one request asked whether it is back.</summary>
    public long Trials { get; internal init; }

    /// <summary>How often its status changed.</summary>
    public long StatusChanges { get; internal init; }

    /// <summary>How long each ejection was to last (the first 1,000).</summary>
    public IReadOnlyList<TimeSpan> Breaks { get; internal init; } = [];

    /// <summary>Attempts in each <see cref="SimulationResult.Interval"/>; what came after the last counts in it.</summary>
    public IReadOnlyList<long> AttemptsPerInterval { get; internal init; } = [];

    internal long AttemptsWithin(int first, int last)
    {
        var sum = 0L;
        for (var i = first; i < Math.Min(last, AttemptsPerInterval.Count); i++)
            sum += AttemptsPerInterval[i];
        return sum;
    }
}
