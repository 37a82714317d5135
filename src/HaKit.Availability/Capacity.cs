using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>Calculates the number of instances and the capacity that a system needs so that enough remains after failures. Pure and thread-safe.</summary>
public static class Capacity
{
    /// <summary>Returns the smallest n with P(at least <paramref name="required"/> of n are up) ≥ target.</summary>
    /// <param name="required">The number of instances that must be up, at least 1.</param>
    /// <param name="instance">Availability of one instance; above zero. Instances fail independently.</param>
    /// <param name="target">The target, below 100 %. No number of instances reaches 100 %, unless the availability of one instance is 100 %.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    /// <exception cref="OverflowException">More than 2³¹ − 1 instances are needed.</exception>
    public static int InstancesFor(int required, AvailabilityRatio instance, AvailabilityRatio target)
    {
        Guard.AtLeast(1, required);
        if (instance.Value == 0)
            throw new ArgumentOutOfRangeException(nameof(instance), "Instances that are never up reach no target.");
        if (target.Unavailability == 0 && instance.Unavailability > 0)
            throw new ArgumentOutOfRangeException(nameof(target), "No number of instances is always up.");
        long enough = required, tooFew = required - 1L;
        for (var step = 1L; !Meets(enough); step *= 2)
        {
            tooFew = enough;
            enough += step;
        }

        while (enough - tooFew > 1)
        {
            var middle = (enough + tooFew) / 2;
            if (Meets(middle))
                enough = middle;
            else
                tooFew = middle;
        }

        return Precise.ToCount(enough);

        bool Meets(long n) => AtLeast(required, n, instance).Meets(target);
    }

    /// <summary>Returns P(at least k of n equal, independent instances are up). The time does not depend on n (incomplete beta function).</summary>
    /// <param name="required">k, from 0 to n.</param>
    /// <param name="instances">n, at least 1.</param>
    /// <param name="instance">Availability of one instance.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static AvailabilityRatio AtLeast(long required, long instances, AvailabilityRatio instance)
    {
        Guard.AtLeast(1L, instances);
        Guard.Between(0L, instances, required);
        if (required == 0)
            return AvailabilityRatio.Always;
        var (up, down) = new BetaDistribution(required, instances - required + 1).Tails(instance);
        return AvailabilityRatio.FromPair(up, down);
    }

    /// <summary>
    /// Returns 1 − C(n, s+1)·uˢ⁺¹, a lower bound of the availability of n instances of which s may be down (AWS, "Availability and Beyond"). The bound is close
    /// to the availability if u is small.
    /// </summary>
    /// <param name="instances">n, at least 1.</param>
    /// <param name="spares">s, from 0 to n − 1.</param>
    /// <param name="instance">Availability of one instance.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static AvailabilityRatio SparesLowerBound(int instances, int spares, AvailabilityRatio instance)
    {
        Guard.AtLeast(1, instances);
        Guard.Between(0, instances - 1, spares);
        var down = 1.0;
        for (var i = 0; i <= spares; i++)
            down *= (double)(instances - i) / (i + 1) * instance.Unavailability;
        return AvailabilityRatio.FromUnavailability(Math.Min(1, down));
    }

    /// <summary>Returns the number of instances for a peak with k spares: ⌈peak / (per instance · utilisation)⌉ + k.</summary>
    /// <param name="peak">The load at the peak, in any unit; greater than zero.</param>
    /// <param name="perInstance">The capacity of one instance, in the same unit; greater than zero.</param>
    /// <param name="utilisation">The share of an instance's capacity to plan with, above 0 to 1.</param>
    /// <param name="spares">k, zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    /// <exception cref="OverflowException">More than 2³¹ − 1 instances are needed.</exception>
    public static int NPlusK(double peak, double perInstance, double utilisation, int spares)
    {
        Guard.Share(utilisation);
        Guard.AtLeast(0, spares);
        return Precise.ToCount(Precise.Ceiling(Guard.Positive(peak) / (Guard.Positive(perInstance) * utilisation)) + spares);
    }

    /// <summary>
    /// Returns the factor by which the capacity must be larger than the demand, so that enough capacity remains after the loss of zones: z/(z − s).
    /// </summary>
    /// <param name="zones">z, at least 1.</param>
    /// <param name="lost">s, from 0 to z − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static double ZoneFactor(int zones, int lost)
    {
        Guard.AtLeast(1, zones);
        return (double)zones / (zones - Guard.Between(0, zones - 1, lost));
    }

    /// <summary>Returns the mean available capacity, if an instance has its capacity while it is up: Σ cᵢ·Aᵢ = n·c·A.</summary>
    /// <param name="instances">n, zero or greater.</param>
    /// <param name="perInstance">c, in any unit; zero or greater.</param>
    /// <param name="instance">Availability of one instance.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static double Mean(int instances, double perInstance, AvailabilityRatio instance) =>
        Guard.AtLeast(0, instances) * Guard.NotNegative(perInstance) * instance.Value;

    /// <summary>Returns the remaining capacity when some instances are lost: (n − lost)·c.</summary>
    /// <param name="instances">n, zero or greater.</param>
    /// <param name="lost">The number of lost instances, from 0 to n.</param>
    /// <param name="perInstance">c, in any unit; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static double AfterLoss(int instances, int lost, double perInstance)
    {
        Guard.AtLeast(0, instances);
        return (instances - Guard.Between(0, instances, lost)) * Guard.NotNegative(perInstance);
    }
}
