using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>A service-level objective over a period, with its error budget U. Immutable and thread-safe.</summary>
public sealed record Slo
{
    /// <summary>Creates an objective.</summary>
    /// <param name="target">
    /// The target, strictly between 0 and 100 %; a target of 100 % leaves no budget. Create it from a decimal: <c>AvailabilityRatio.From(0.9995m)</c>.
    /// </param>
    /// <param name="period">The rolling period; greater than zero, usually 30 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public Slo(AvailabilityRatio target, TimeSpan period)
    {
        if (target.Unavailability == 0 || target.Value == 0)
            throw new ArgumentOutOfRangeException(nameof(target), target, "A target lies strictly between 0 and 100 %.");
        Target = target;
        Period = Guard.Positive(period);
    }

    /// <summary>Gets the default objective, 99.9 % over 30 days.</summary>
    public static Slo Default { get; } = new(AvailabilityRatio.From(0.999m), TimeSpan.FromDays(30));

    /// <summary>Gets the target availability.</summary>
    public AvailabilityRatio Target { get; }

    /// <summary>Gets the period of the objective.</summary>
    public TimeSpan Period { get; }

    /// <summary>Gets the downtime that the objective allows in a period: U·T.</summary>
    public TimeSpan AllowedDowntime => Target.Downtime(Period);

    /// <summary>Returns the number of calls that may fail: ⌊U·n⌋ of n calls.</summary>
    /// <param name="calls">n, zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="calls"/> is negative.</exception>
    public long AllowedFailures(long calls) => (long)Precise.Floor(Target.Unavailability * Guard.AtLeast(0L, calls));

    /// <summary>Returns the number of outages of a given length that fit into the error budget of a period: ⌊U·T / outage⌋.</summary>
    /// <param name="outage">The length of one outage; greater than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="outage"/> is zero or negative.</exception>
    public long AllowedOutages(TimeSpan outage) => (long)Precise.Floor(Target.Unavailability * Period.Ticks / Guard.Positive(outage).Ticks);

    /// <summary>
    /// Returns the share of the error budget that failures use: failures / (U·calls). More than 1 means that the budget is exceeded; 0 when there were no
    /// calls.
    /// </summary>
    /// <param name="failures">The number of failed calls, from 0 to <paramref name="calls"/>.</param>
    /// <param name="calls">Zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is outside its range.</exception>
    public double Consumed(long failures, long calls)
    {
        Guard.AtLeast(0L, calls);
        Guard.Between(0L, calls, failures);
        return calls == 0 ? 0 : failures / (Target.Unavailability * calls);
    }

    /// <summary>Returns the share of the error budget that a downtime uses: downtime / (U·T).</summary>
    /// <param name="downtime">Zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="downtime"/> is negative.</exception>
    public double Consumed(TimeSpan downtime) => Guard.NotNegative(downtime).Ticks / (Target.Unavailability * Period.Ticks);

    /// <summary>
    /// Returns the error budget that remains after the dependencies: U·T − T·Σuᵢ ("The Calculus of Service Availability", 2017). The sum is an upper
    /// bound for rare outages. Negative when the dependencies alone exceed the budget.
    /// </summary>
    /// <param name="dependencies">The availability of each dependency that the service needs.</param>
    public TimeSpan ResidualBudget(params ReadOnlySpan<AvailabilityRatio> dependencies)
    {
        var spent = 0.0;
        foreach (var dependency in dependencies)
            spent += dependency.Unavailability;
        return Precise.FromTicks((Target.Unavailability - spent) * Period.Ticks);
    }
}
