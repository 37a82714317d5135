using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>One endpoint of a <see cref="PoolDesign"/>. Immutable.</summary>
public sealed record PlannedEndpoint
{
    private readonly TimeSpan _mttr = TimeSpan.FromHours(1);

    /// <summary>Creates an endpoint.</summary>
    /// <param name="name">The endpoint's name, unique within the design.</param>
    /// <param name="availability">The endpoint's availability, from its SLA or, better, from its history.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or blank.</exception>
    public PlannedEndpoint(string name, AvailabilityRatio availability)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
        Availability = availability;
    }

    /// <summary>Gets the endpoint's name, unique within the design.</summary>
    public string Name { get; }

    /// <summary>Gets the endpoint's availability.</summary>
    public AvailabilityRatio Availability { get; init; }

    /// <summary>Gets the mean duration of an outage. Default 1 hour. Together with the availability it determines the frequency of outages.</summary>
    public TimeSpan Mttr { get => _mttr; init => _mttr = Guard.Positive(value, nameof(Mttr)); }

    /// <summary>Outages per tick, 1/(MTTF + MTTR) = U/MTTR.</summary>
    internal double FailureFrequency => Availability.Unavailability / Mttr.Ticks;
}

/// <summary>The way in which a pool distributes calls over its endpoints.</summary>
public enum PoolRouting
{
    /// <summary>All endpoints get an equal share of the calls.</summary>
    Balanced,

    /// <summary>The first working endpoint, in the given order, gets all calls.</summary>
    Priority,
}

/// <summary>
/// The design of a pool: its endpoints, their common failures, and the time of detection. <see cref="Evaluate"/> splits the loss into four terms. Immutable and
/// thread-safe.
/// </summary>
/// <remarks>
/// A first-order model of detection: while a failed endpoint is not yet ejected, its share of the calls is lost, except for
/// calls that another attempt rescues. For two endpoints by priority it agrees with <see cref="FailoverModel"/>: the
/// relative error is about one endpoint's unavailability.
/// </remarks>
public sealed record PoolDesign
{
    private readonly IReadOnlyList<PlannedEndpoint> _endpoints = [];
    private readonly double _beta, _coverage = 1, _rescued;
    private readonly TimeSpan _detection = TimeSpan.FromSeconds(20), _uncoveredRecovery = TimeSpan.FromMinutes(30);

    /// <summary>Gets the endpoints; at least one, with unique names.</summary>
    public required IReadOnlyList<PlannedEndpoint> Endpoints
    {
        get => _endpoints;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Count == 0)
                throw new ArgumentException("There must be at least one endpoint.", nameof(Endpoints));
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var endpoint in value)
            {
                if (!names.Add(endpoint.Name))
                    throw new ArgumentException($"Two endpoints are named '{endpoint.Name}'.", nameof(Endpoints));
            }

            _endpoints = [.. value];
        }
    }

    /// <summary>Gets the number of endpoints that must be up to carry the load, at least 1. Default 1.</summary>
    public int Required { get; init => field = Guard.AtLeast(1, value, nameof(Required)); } = 1;

    /// <summary>
    /// Gets β: the share of the best endpoint's unavailability that affects all endpoints, 0 to 1. Default 0. <see cref="JointDowntime.Beta"/> gives an
    /// estimate.
    /// </summary>
    public double Beta { get => _beta; init => _beta = Guard.Probability(value, nameof(Beta)); }

    /// <summary>Gets the way in which calls are distributed. Default balanced.</summary>
    public PoolRouting Routing { get; init; }

    /// <summary>Gets the time from a failure until the pool stops sending calls to the endpoint. Default 20 s.</summary>
    public TimeSpan Detection { get => _detection; init => _detection = Guard.NotNegative(value, nameof(Detection)); }

    /// <summary>
    /// Gets the share of the calls to a failed but not yet detected endpoint that succeed elsewhere within their deadline, 0 to 1. Default 0, the pessimistic
    /// value.
    /// </summary>
    public double Rescued { get => _rescued; init => _rescued = Guard.Probability(value, nameof(Rescued)); }

    /// <summary>Gets the probability that a failure is detected automatically. Default 1.</summary>
    public double Coverage { get => _coverage; init => _coverage = Guard.Probability(value, nameof(Coverage)); }

    /// <summary>Gets how long an undetected failure lasts. Default 30 minutes.</summary>
    public TimeSpan UncoveredRecovery { get => _uncoveredRecovery; init => _uncoveredRecovery = Guard.NotNegative(value, nameof(UncoveredRecovery)); }

    /// <summary>Returns the availability of the pool, and the share that each cause loses.</summary>
    /// <exception cref="InvalidOperationException"><see cref="Required"/> exceeds the number of endpoints.</exception>
    public PoolForecast Evaluate()
    {
        if (Required > Endpoints.Count)
            throw new InvalidOperationException($"{Required} endpoints are required, and the pool has {Endpoints.Count}.");
        var (common, together) = Structure();
        double perFailure = Detection.Ticks * (1 - Rescued), switching = 0, unnoticed = 0, upstream = 1;
        foreach (var endpoint in Endpoints)
        {
            var share = Routing == PoolRouting.Balanced ? 1.0 / Endpoints.Count : upstream;
            upstream *= endpoint.Availability.Unavailability;
            // An outage that is shorter than its detection costs no more than its own duration.
            var lost = share * endpoint.FailureFrequency;
            switching += lost * Coverage * Math.Min(perFailure, endpoint.Mttr.Ticks);
            unnoticed += lost * (1 - Coverage) * UncoveredRecovery.Ticks;
        }

        // A single endpoint has no other endpoint to switch to; its own outage already counts in full.
        if (Endpoints.Count == Required)
            (switching, unnoticed) = (0, 0);
        var terms = new PoolLoss[]
        {
            new(PoolLossCause.IndependentFailures, together),
            new(PoolLossCause.CommonCause, common),
            new(PoolLossCause.Detection, AvailabilityRatio.FromUnavailability(Math.Min(1, switching))),
            new(PoolLossCause.UnnoticedFailures, AvailabilityRatio.FromUnavailability(Math.Min(1, unnoticed))),
        };
        var total = AvailabilityRatio.Series(terms[0].Without, terms[1].Without, terms[2].Without, terms[3].Without);
        Array.Sort(terms, (x, y) => y.Unavailability.CompareTo(x.Unavailability));
        return new PoolForecast(total, terms);
    }

    /// <summary>Returns the common cause, and k of n with the rest of each endpoint's unavailability.</summary>
    private (AvailabilityRatio Common, AvailabilityRatio Together) Structure()
    {
        var components = new ReliabilityComponent[Endpoints.Count];
        for (var i = 0; i < components.Length; i++)
            components[i] = ReliabilityBlock.Component(Endpoints[i].Name, Endpoints[i].Availability);
        if (Beta == 0)
            return (AvailabilityRatio.Always, ReliabilityBlock.KofN(Required, components).Availability);
        var own = new AvailabilityRatio[components.Length];
        var common = AvailabilityRatio.Always;
        var units = ReliabilityBlock.WithCommonCause(Beta, components);
        for (var i = 0; i < own.Length; i++)
        {
            common = ((ReliabilityComponent)units[i].Parts[0]).Availability;
            own[i] = ((ReliabilityComponent)units[i].Parts[1]).Availability;
        }

        return (common, AvailabilityRatio.KofN(Required, own));
    }
}

/// <summary>The reason for which a pool loses calls.</summary>
public enum PoolLossCause
{
    /// <summary>Too many endpoints are down at the same time by chance.</summary>
    IndependentFailures,

    /// <summary>A common cause takes all endpoints down.</summary>
    CommonCause,

    /// <summary>Calls go to an endpoint whose failure is not yet detected.</summary>
    Detection,

    /// <summary>A failure is not detected automatically.</summary>
    UnnoticedFailures,
}

/// <summary>One term of a forecast.</summary>
/// <param name="Cause">The cause of the loss.</param>
/// <param name="Without">The availability if this cause were the only loss.</param>
public readonly record struct PoolLoss(PoolLossCause Cause, AvailabilityRatio Without)
{
    /// <summary>Gets the unavailability that the cause alone produces.</summary>
    public double Unavailability => Without.Unavailability;
}

/// <summary>The availability of a pool.</summary>
/// <param name="Availability">All four terms in series.</param>
/// <param name="Losses">The terms, largest first.</param>
public sealed record PoolForecast(AvailabilityRatio Availability, IReadOnlyList<PoolLoss> Losses);
