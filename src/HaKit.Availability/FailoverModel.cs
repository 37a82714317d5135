using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>
/// A model of an active unit with one standby. After a failure there are three steps: detection, the decision to switch, and the switch. Some failures stay
/// undetected until a person notices them. The model is a Markov chain with five states {both up, switching, one up, none up, undetected}, solved by GTH
/// elimination (Grassmann, Taksar and Heyman, 1985). Times are means of exponential durations. Immutable and thread-safe.
/// </summary>
public sealed record FailoverModel
{
    private readonly TimeSpan _mttf = TimeSpan.FromDays(30), _mttr = TimeSpan.FromHours(1), _uncoveredRecovery = TimeSpan.FromMinutes(30);
    private readonly TimeSpan _detection = TimeSpan.FromSeconds(20), _decision, _switch;
    private readonly double _coverage = 1, _dormancy = 1;
    private readonly int _crews = 2;

    /// <summary>Gets the mean time to failure of the active unit. Default 30 days.</summary>
    public TimeSpan Mttf { get => _mttf; init => _mttf = Guard.Positive(value, nameof(Mttf)); }

    /// <summary>Gets the mean time to repair a unit. Default 1 hour.</summary>
    public TimeSpan Mttr { get => _mttr; init => _mttr = Guard.Positive(value, nameof(Mttr)); }

    /// <summary>Gets the time from a failure to its detection. Default 20 s. See <see cref="Heartbeat.MeanDetectionTime"/>.</summary>
    public TimeSpan Detection { get => _detection; init => _detection = Guard.NotNegative(value, nameof(Detection)); }

    /// <summary>Gets the time from the detection to the order to switch. Default zero. Set a few minutes if a person must give the order.</summary>
    public TimeSpan Decision { get => _decision; init => _decision = Guard.NotNegative(value, nameof(Decision)); }

    /// <summary>Gets the time from the order until the standby serves. Default zero. Set a few minutes for a cold standby.</summary>
    public TimeSpan Switch { get => _switch; init => _switch = Guard.NotNegative(value, nameof(Switch)); }

    /// <summary>Gets the probability that a failure of the active unit is detected and leads to a switch. Default 1.</summary>
    public double Coverage { get => _coverage; init => _coverage = Guard.Probability(value, nameof(Coverage)); }

    /// <summary>Gets how long an undetected failure lasts until a person repairs everything. Default 30 minutes.</summary>
    public TimeSpan UncoveredRecovery { get => _uncoveredRecovery; init => _uncoveredRecovery = Guard.Positive(value, nameof(UncoveredRecovery)); }

    /// <summary>Gets the failure rate of the standby as a share of the active unit's rate. Default 1 (hot standby); 0 is a cold standby.</summary>
    public double Dormancy { get => _dormancy; init => _dormancy = Guard.Probability(value, nameof(Dormancy)); }

    /// <summary>Gets the number of units that can be repaired at the same time, 1 or 2. Default 2.</summary>
    public int Crews { get => _crews; init => _crews = Guard.Between(1, 2, value, nameof(Crews)); }

    /// <summary>Returns the share of the time in which a unit serves.</summary>
    public AvailabilityRatio Availability()
    {
        const int bothUp = 0, oneUp = 1, noneUp = 2, unnoticed = 3, switching = 4;
        double failure = 1.0 / Mttf.Ticks, repair = 1.0 / Mttr.Ticks;
        var failover = Detection.Ticks + (double)Decision.Ticks + Switch.Ticks;

        // A switching state of zero duration ends at once. Therefore it is removed from the chain.
        var rates = failover > 0 ? new double[5, 5] : new double[4, 4];
        rates[bothUp, failover > 0 ? switching : oneUp] += Coverage * failure;
        rates[bothUp, oneUp] += Dormancy * failure;
        rates[bothUp, unnoticed] = (1 - Coverage) * failure;
        if (failover > 0)
            rates[switching, oneUp] = 1 / failover;
        rates[oneUp, bothUp] = repair;
        rates[oneUp, noneUp] = failure;
        rates[noneUp, oneUp] = Crews * repair;
        rates[unnoticed, bothUp] = 1.0 / UncoveredRecovery.Ticks;
        var p = MarkovChain.SteadyState(rates);
        var down = p[noneUp] + p[unnoticed] + (failover > 0 ? p[switching] : 0);
        return AvailabilityRatio.FromPair(p[bothUp] + p[oneUp], down);
    }
}
