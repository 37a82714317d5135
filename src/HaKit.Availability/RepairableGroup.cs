using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>
/// A group of equal units that fail and are repaired by a limited number of crews: a birth–death chain solved by GTH elimination, so
/// that small unavailabilities keep their digits. Immutable and thread-safe. Times are exponential, in any one unit.
/// </summary>
/// <remarks>
/// State i: i units are down. The group is up while at most n − k units are down. Of the other n − i units, k are active and fail at 1/MTTF; the rest wait and
/// fail at <see cref="Dormancy"/> times that rate. min(i, crews) units are under repair. With a dormancy of 1, all of the other units are active. A failure of
/// an active unit that the group can survive is covered with probability <see cref="Coverage"/>. An uncovered failure stops the whole group for <see
/// cref="UncoveredRecovery"/>; then the group continues without the failed unit.
/// </remarks>
public sealed record RepairableGroup
{
    private readonly int _units = 2, _required = 1;
    private readonly int? _crews;
    private readonly double _mttf = 1, _dormancy = 1, _coverage = 1;
    private readonly double? _mttr, _uncoveredRecovery;

    /// <summary>Gets the number of units n, 1 to 1,000. Default 2.</summary>
    public int Units { get => _units; init => _units = Guard.Between(1, 1000, value, nameof(Units)); }

    /// <summary>Gets the number of units k that must be up, 1 to n. Default 1.</summary>
    public int Required { get => _required; init => _required = Guard.AtLeast(1, value, nameof(Required)); }

    /// <summary>Gets the mean time to failure of an active unit; greater than zero.</summary>
    public required double Mttf { get => _mttf; init => _mttf = Guard.Positive(value, nameof(Mttf)); }

    /// <summary>Gets the mean time to repair one unit; greater than zero, or null when units are not repaired.</summary>
    public required double? Mttr { get => _mttr; init => _mttr = value is { } v ? Guard.Positive(v, nameof(Mttr)) : null; }

    /// <summary>Gets the number of units that can be repaired at the same time, at least 1. Default null: all failed units.</summary>
    public int? Crews { get => _crews; init => _crews = value is { } v ? Guard.AtLeast(1, v, nameof(Crews)) : null; }

    /// <summary>Gets the failure rate of a waiting unit as a share of an active unit's rate. Default 1 (hot standby); 0 is a cold standby.</summary>
    public double Dormancy { get => _dormancy; init => _dormancy = Guard.Probability(value, nameof(Dormancy)); }

    /// <summary>Gets the probability that the failure of an active unit is detected and covered. Default 1.</summary>
    public double Coverage { get => _coverage; init => _coverage = Guard.Probability(value, nameof(Coverage)); }

    /// <summary>Gets the mean time that the group stops after an uncovered failure; greater than zero. Default null: one MTTR.</summary>
    public double? UncoveredRecovery { get => _uncoveredRecovery; init => _uncoveredRecovery = value is { } v ? Guard.Positive(v, nameof(UncoveredRecovery)) : null; }

    /// <summary>Returns the long-run share of the time in which the group is up.</summary>
    /// <exception cref="InvalidOperationException"><see cref="Required"/> exceeds <see cref="Units"/>, or nothing is repaired.</exception>
    public AvailabilityRatio Availability() => SteadyState().Availability;

    /// <summary>Returns the long-run failure frequency of the group, and its mean times up and down.</summary>
    /// <exception cref="InvalidOperationException"><see cref="Required"/> exceeds <see cref="Units"/>, or nothing is repaired.</exception>
    public BlockTimes Times()
    {
        var (availability, frequency) = SteadyState();
        return new BlockTimes(frequency, availability.Value / frequency, availability.Unavailability / frequency);
    }

    /// <summary>Returns the mean time from all units up to the group's first failure.</summary>
    /// <exception cref="InvalidOperationException"><see cref="Required"/> exceeds <see cref="Units"/>.</exception>
    public double MeanTimeToFirstFailure()
    {
        var spares = Spares();
        var rates = new double[spares + 1, spares + 1];
        var absorbing = new double[spares + 1];
        for (var i = 0; i <= spares; i++)
        {
            var (covered, uncovered) = FailureRates(i);
            absorbing[i] = uncovered;
            if (i < spares)
                rates[i, i + 1] = covered;
            else
                absorbing[i] += covered;
            if (i > 0)
                rates[i, i - 1] = RepairRate(i);
        }

        return MarkovChain.MeanTimeToAbsorption(rates, absorbing);
    }

    private int Spares() => Required <= Units
        ? Units - Required
        : throw new InvalidOperationException($"{Required} units are required, and the group has {Units}.");

    private double RepairRate(int down) => Mttr is { } mttr ? Math.Min(down, Crews ?? Units) / mttr : 0;

    /// <summary>Returns the rates out of state i: to the next state, and to the stopped state.</summary>
    private (double Covered, double Uncovered) FailureRates(int down)
    {
        var left = Units - down;
        var active = Math.Min(left, Required);
        var waiting = (left - active) * Dormancy / Mttf;
        if (down >= Units - Required)
            return (active / Mttf + waiting, 0);

        return Dormancy == 1
            ? (left * Coverage / Mttf, left * (1 - Coverage) / Mttf)
            : (active * Coverage / Mttf + waiting, active * (1 - Coverage) / Mttf);
    }

    private (AvailabilityRatio Availability, double Frequency) SteadyState()
    {
        var spares = Spares();
        if (Mttr is not { } mttr)
            throw new InvalidOperationException("Without repair there is no steady state: set Mttr.");

        // The states are 0 … n by number of units down, followed by one stopped state for each of the states 1 … spares to which it leads.
        var still = Coverage < 1 ? spares : 0;
        var rates = new double[Units + 1 + still, Units + 1 + still];
        for (var i = 0; i <= Units; i++)
        {
            var (covered, uncovered) = FailureRates(i);
            if (i < Units)
                rates[i, i + 1] = covered;
            if (i > 0)
                rates[i, i - 1] = RepairRate(i);
            if (uncovered > 0)
                rates[i, Units + 1 + i] = uncovered;
        }

        for (var i = 0; i < still; i++)
            rates[Units + 1 + i, i + 1] = 1 / (UncoveredRecovery ?? mttr);
        var p = MarkovChain.SteadyState(rates);
        double up = 0, down = 0, frequency = 0;
        for (var i = 0; i < p.Length; i++)
        {
            if (i > spares)
            {
                down += p[i];
            }
            else
            {
                up += p[i];
                var (covered, uncovered) = FailureRates(i);
                frequency += p[i] * (i == spares ? covered + uncovered : uncovered);
            }
        }

        return (AvailabilityRatio.FromPair(up, down), frequency);
    }
}
