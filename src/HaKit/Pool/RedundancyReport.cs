using System.Globalization;

namespace HaKit;

/// <summary>What endpoints can be lost together by.</summary>
public enum RedundancyDomain
{
    /// <summary>One endpoint.</summary>
    Endpoint,

    /// <summary>All endpoints with one credential.</summary>
    Key,

    /// <summary>All endpoints that one account is billed for.</summary>
    Account,

    /// <summary>All endpoints of one provider.</summary>
    Provider,

    /// <summary>All endpoints that serve one model of one provider.</summary>
    Model,

    /// <summary>All endpoints in one region of one provider.</summary>
    Region,
}

/// <summary>What a pool's calls ask for.</summary>
/// <param name="CallsPerMinute">Calls that begin in a minute.</param>
/// <param name="TokensPerCall">Tokens that each uses, input and output together.</param>
public sealed record PoolDemand(double CallsPerMinute, double TokensPerCall);

/// <summary>What would happen if one failure domain were lost now. Immutable.</summary>
public sealed record DomainLoss
{
    /// <summary>What kind of domain it is.</summary>
    public required RedundancyDomain Domain { get; init; }

    /// <summary>Its name: of the endpoint, the key, the account, the provider, the model or the region.</summary>
    public required string Name { get; init; }

    /// <summary>The endpoints that would be lost.</summary>
    public required IReadOnlyList<string> Endpoints { get; init; }

    /// <summary>The share of the calls for which no room would be left: they would wait or fail. 0 to 1.</summary>
    public required double LostShare { get; init; }

    /// <summary>How much of what is left the calls would ask for: 1.62 is 162 %; 0 where an endpoint without limits is left, infinity where nothing is.</summary>
    public required double Utilization { get; init; }

    /// <summary>The limit that would be reached first: <c>requests</c>, <c>tokens</c> or <c>concurrency</c>, with <c>account.</c> before it for one that is shared; null where none is left.</summary>
    public string? Limit { get; init; }

    /// <summary>Whether every endpoint of the pool is in the domain, so that no health and no load could make its loss bearable.</summary>
    public required bool IsWholePool { get; init; }

    /// <summary>The loss in one line: <c>losing account openai-eu: 31 % of calls would wait or fail (tokens 162 % of what is left)</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"losing {Domain.ToString().ToLowerInvariant()} {Name}: {Outcome}");

    private string Outcome
    {
        get
        {
            if (double.IsPositiveInfinity(Utilization))
                return "every call would wait or fail (no endpoint is left)";
            return LostShare < 0.005
                ? "nothing"
                : string.Create(CultureInfo.InvariantCulture, $"{LostShare:0 %} of calls would wait or fail ({Limit} {Utilization:0 %} of what is left)");
        }
    }
}

/// <summary>Whether a pool can bear the loss of each of its failure domains, as things are. Immutable.</summary>
public sealed record RedundancyReport
{
    /// <summary>The pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>The demand that it was computed for.</summary>
    public required PoolDemand Demand { get; init; }

    /// <summary>The share of the calls for which there is no room even if nothing is lost; 0 to 1.</summary>
    public required double LostShareNow { get; init; }

    /// <summary>One entry for each failure domain, the worst first.</summary>
    public required IReadOnlyList<DomainLoss> Domains { get; init; }

    /// <summary>The losses one per line.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Domains);
}
