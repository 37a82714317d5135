using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>A duration, or the elapsed part of a duration that had not ended at the last observation.</summary>
/// <param name="Time">The time, in any one unit; not negative.</param>
/// <param name="Ended">True if the duration ended (an event); false if only its observation ended (censored).</param>
public readonly record struct Lifetime(double Time, bool Ended);

/// <summary>
/// The survival curve of durations, some of which are censored (Kaplan and Meier, JASA 53, 1958). Immutable and thread-safe.
/// </summary>
public sealed class KaplanMeier
{
    private readonly List<Step> _steps = [];

    /// <summary>Calculates the curve. At equal times, ended durations come before censored ones.</summary>
    /// <param name="lifetimes">The durations; at least one.</param>
    /// <exception cref="ArgumentNullException"><paramref name="lifetimes"/> is null.</exception>
    /// <exception cref="ArgumentException">There is no lifetime.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A time is NaN, infinite or negative.</exception>
    public KaplanMeier(IEnumerable<Lifetime> lifetimes)
    {
        ArgumentNullException.ThrowIfNull(lifetimes);
        var sorted = new List<Lifetime>(lifetimes);
        if (sorted.Count == 0)
            throw new ArgumentException("There must be at least one lifetime.", nameof(lifetimes));
        foreach (var lifetime in sorted)
            Guard.NotNegative(lifetime.Time, nameof(lifetimes));
        sorted.Sort((x, y) => x.Time != y.Time ? x.Time.CompareTo(y.Time) : y.Ended.CompareTo(x.Ended));
        double survival = 1, greenwood = 0;
        for (var i = 0; i < sorted.Count;)
        {
            var (time, atRisk, ended) = (sorted[i].Time, sorted.Count - i, 0);
            for (; i < sorted.Count && sorted[i].Time == time; i++)
            {
                if (sorted[i].Ended)
                    ended++;
            }

            if (ended == 0)
                continue;
            survival *= (double)(atRisk - ended) / atRisk;
            greenwood += atRisk == ended ? 0 : ended / ((double)atRisk * (atRisk - ended));
            _steps.Add(new Step(time, survival, greenwood));
        }
    }

    /// <summary>Returns the probability that a duration is longer than a time.</summary>
    /// <param name="time">The time; not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is NaN, infinite or negative.</exception>
    public double Survival(double time) => At(time).Survival;

    /// <summary>Returns the bounds S ∓ z·S·√Σ d/(n(n − d)) (Greenwood 1926), limited to 0 to 1.</summary>
    /// <param name="time">The time; not negative.</param>
    /// <param name="confidence">Strictly between 0 and 1; 0.95 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public NumberInterval Bounds(double time, double confidence = 0.95)
    {
        var step = At(time);
        var z = NormalDistribution.UpperQuantile((1 - Guard.OpenProbability(confidence)) / 2);
        var margin = z * step.Survival * Math.Sqrt(step.Greenwood);
        return new NumberInterval(Math.Max(0, step.Survival - margin), Math.Min(1, step.Survival + margin), confidence);
    }

    /// <summary>Returns the first time at which the curve is at most p; null if the curve never falls to p.</summary>
    /// <param name="share">p, from 0 to 1. Default 0.5, the median.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is NaN or lies outside 0 to 1.</exception>
    public double? TimeAt(double share = 0.5)
    {
        Guard.Probability(share);
        foreach (var step in _steps)
        {
            if (step.Survival <= share * (1 + Precise.Slack))
                return step.Time;
        }

        return null;
    }

    private Step At(double time)
    {
        Guard.NotNegative(time);
        var found = new Step(0, 1, 0);
        foreach (var step in _steps)
        {
            if (step.Time > time)
                break;
            found = step;
        }

        return found;
    }

    private readonly record struct Step(double Time, double Survival, double Greenwood);
}
