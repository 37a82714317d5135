using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>Calculates the number of backups, the data loss, the parts of a restore, and the best interval between backups. Pure and thread-safe.</summary>
public static class Backup
{
    /// <summary>Returns the number of backups within a horizon: N = ⌊T / interval⌋.</summary>
    /// <param name="horizon">T; zero or greater.</param>
    /// <param name="interval">The time between two backups; greater than zero. It is an interval, not a frequency.</param>
    /// <exception cref="ArgumentOutOfRangeException">A duration is outside its range.</exception>
    public static long Count(TimeSpan horizon, TimeSpan interval) => Guard.NotNegative(horizon).Ticks / Guard.Positive(interval).Ticks;

    /// <summary>Returns the mean data loss when a failure occurs at a random time in the interval: interval/2 + duration.</summary>
    /// <param name="interval">The time between the starts of two backups; greater than zero.</param>
    /// <param name="duration">The duration of one backup, during which the previous backup is the latest; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A duration is outside its range.</exception>
    public static TimeSpan MeanDataLoss(TimeSpan interval, TimeSpan duration = default) => Guard.Positive(interval) / 2 + Guard.NotNegative(duration);

    /// <summary>Returns the largest data loss: interval + duration.</summary>
    /// <inheritdoc cref="MeanDataLoss" path="/param"/>
    /// <inheritdoc cref="MeanDataLoss" path="/exception"/>
    public static TimeSpan WorstDataLoss(TimeSpan interval, TimeSpan duration = default) => Guard.Positive(interval) + Guard.NotNegative(duration);

    /// <summary>
    /// Returns the largest number of backups that a restore needs: one full backup and the incremental backups after it. The total is
    /// <paramref name="full"/> / <paramref name="incremental"/>.
    /// </summary>
    /// <param name="full">The time between two full backups.</param>
    /// <param name="incremental">The time between two incremental backups; greater than zero, at most <paramref name="full"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A duration is outside its range.</exception>
    /// <exception cref="OverflowException">There are more than 2³¹ − 1 backups.</exception>
    public static int LongestChain(TimeSpan full, TimeSpan incremental)
    {
        Guard.Positive(incremental);
        ArgumentOutOfRangeException.ThrowIfLessThan(full, incremental);
        return Precise.ToCount(full.Ticks / incremental.Ticks);
    }

    /// <summary>Returns the mean number of backups that a restore needs: (n + 1)/2 for the longest chain n.</summary>
    /// <inheritdoc cref="LongestChain" path="/param"/>
    /// <inheritdoc cref="LongestChain" path="/exception"/>
    public static double MeanChain(TimeSpan full, TimeSpan incremental) => (LongestChain(full, incremental) + 1) / 2.0;

    /// <summary>Returns the probability that every backup of a chain is readable: aⁿ.</summary>
    /// <param name="pieces">n, at least 1.</param>
    /// <param name="piece">The probability that one backup is readable.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="pieces"/> is less than 1.</exception>
    public static AvailabilityRatio RestoreSuccess(int pieces, AvailabilityRatio piece)
    {
        Guard.AtLeast(1, pieces);
        return AvailabilityRatio.FromPair(
            Precise.PowerOfComplement(piece.Unavailability, pieces), Precise.ComplementOfPower(piece.Unavailability, pieces));
    }

    /// <summary>
    /// Returns the probability that a restore works when a failure is equally likely after each backup of the chain: the mean of aⁱ for i from 1 to n.
    /// </summary>
    /// <inheritdoc cref="RestoreSuccess" path="/param"/>
    /// <inheritdoc cref="RestoreSuccess" path="/exception"/>
    public static AvailabilityRatio MeanRestoreSuccess(int pieces, AvailabilityRatio piece)
    {
        Guard.AtLeast(1, pieces);
        double up = 0, down = 0;
        for (var i = 1; i <= pieces; i++)
        {
            var chain = RestoreSuccess(i, piece);
            up += chain.Value;
            down += chain.Unavailability;
        }

        return AvailabilityRatio.FromPair(up / pieces, down / pieces);
    }

    /// <summary>
    /// Returns the probability that at least one copy remains: 1 − U, with U = c + (1 − c)·∏ uᵢ, where uᵢ is the unavailability of copy i. Copies are lost
    /// independently, or all at once by a common cause.
    /// </summary>
    /// <param name="commonCause">c, the probability of the common cause, from 0 to 1.</param>
    /// <param name="copies">The availability of each copy; at least one copy.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="commonCause"/> is NaN or lies outside 0 to 1.</exception>
    /// <exception cref="ArgumentException">There is no copy.</exception>
    public static AvailabilityRatio AnyCopyLeft(double commonCause, params ReadOnlySpan<AvailabilityRatio> copies)
    {
        if (copies.IsEmpty)
            throw new ArgumentException("There must be at least one copy.", nameof(copies));
        return AvailabilityRatio.Series(AvailabilityRatio.FromUnavailability(Guard.Probability(commonCause)), AvailabilityRatio.Parallel(copies));
    }

    /// <summary>Returns the checkpoint interval √(2·cost·MTBF) (Young, CACM 17, 1974), for a cost well below the MTBF.</summary>
    /// <param name="cost">The duration of one checkpoint, in any unit; greater than zero.</param>
    /// <param name="mtbf">Mean time between failures, in the same unit; greater than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite, zero or negative.</exception>
    public static double YoungInterval(double cost, double mtbf) => Math.Sqrt(2 * Guard.Positive(cost) * Guard.Positive(mtbf));

    /// <summary>
    /// Returns Daly's higher-order checkpoint interval (Future Generation Computer Systems 22, 2006): √(2δM)·(1 + √(δ/2M)/3 + (δ/2M)/9) − δ for δ &lt; 2M,
    /// else M.
    /// </summary>
    /// <inheritdoc cref="YoungInterval" path="/param"/>
    /// <inheritdoc cref="YoungInterval" path="/exception"/>
    public static double DalyInterval(double cost, double mtbf)
    {
        var young = YoungInterval(cost, mtbf);
        if (cost >= 2 * mtbf)
            return mtbf;
        var ratio = cost / (2 * mtbf);
        return young * (1 + Math.Sqrt(ratio) / 3 + ratio / 9) - cost;
    }
}
