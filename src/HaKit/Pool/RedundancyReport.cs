using System.Globalization;

namespace HaKit;

/// <summary>A kind of failure domain: endpoints that can be lost together.</summary>
public enum RedundancyDomain
{
    /// <summary>One endpoint.</summary>
    Endpoint,

    /// <summary>All endpoints with the same credential.</summary>
    Key,

    /// <summary>All endpoints of the same account.</summary>
    Account,

    /// <summary>All endpoints of the same provider.</summary>
    Provider,

    /// <summary>All endpoints that serve the same model of the same provider.</summary>
    Model,

    /// <summary>All endpoints in the same region of the same provider.</summary>
    Region,
}

/// <summary>Describes the demand of a pool's calls.</summary>
/// <param name="CallsPerMinute">The number of calls that begin in a minute.</param>
/// <param name="TokensPerCall">The number of tokens that each call uses, input and output together.</param>
public sealed record PoolDemand(double CallsPerMinute, double TokensPerCall);

/// <summary>Describes what would happen if one failure domain were lost now. Immutable.</summary>
public sealed record DomainLoss
{
    /// <summary>Gets the kind of domain.</summary>
    public required RedundancyDomain Domain { get; init; }

    /// <summary>Gets the name of the endpoint, key, account, provider, model or region.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the names of the endpoints that would be lost.</summary>
    public required IReadOnlyList<string> Endpoints { get; init; }

    /// <summary>Gets the share of calls that would wait or fail, because no capacity would be left for them; 0 to 1.</summary>
    public required double LostShare { get; init; }

    /// <summary>
    /// Gets the demand as a share of the remaining capacity: 1.62 is 162 %. It is 0 if an endpoint without limits is left, and null if no capacity is left.
    /// </summary>
    public required double? Utilization { get; init; }

    /// <summary>
    /// Gets the limit that would be reached first: <c>requests</c>, <c>tokens</c> or <c>concurrency</c>, with the prefix <c>account.</c> for a shared limit.
    /// Null if no limit is left.
    /// </summary>
    public string? Limit { get; init; }

    /// <summary>Gets whether the domain contains every endpoint of the pool. The pool cannot serve any call after the loss of such a domain.</summary>
    public required bool IsWholePool { get; init; }

    /// <summary>Returns the loss in one line: <c>losing account openai-eu: 31 % of calls would wait or fail (tokens 162 % of what is left)</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"losing {Domain.ToString().ToLowerInvariant()} {Name}: {Outcome}");

    private string Outcome
    {
        get
        {
            if (Utilization is null)
                return "every call would wait or fail (no endpoint is left)";
            return LostShare < 0.005
                ? "nothing"
                : string.Create(CultureInfo.InvariantCulture, $"{LostShare:0 %} of calls would wait or fail ({Limit} {Utilization:0 %} of what is left)");
        }
    }
}

/// <summary>Describes whether a pool can bear the loss of each of its failure domains now. Immutable.</summary>
public sealed record RedundancyReport
{
    /// <summary>Gets the pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>Gets the demand with which the report was computed.</summary>
    public required PoolDemand Demand { get; init; }

    /// <summary>Gets the share of calls for which there is no capacity even if nothing is lost; 0 to 1.</summary>
    public required double LostShareNow { get; init; }

    /// <summary>Gets one entry for each failure domain, the worst first.</summary>
    public required IReadOnlyList<DomainLoss> Domains { get; init; }

    /// <summary>Returns the losses, one per line.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Domains);
}
