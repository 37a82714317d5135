using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>The current result of a sequential test.</summary>
public enum SprtVerdict
{
    /// <summary>There are not enough observations yet.</summary>
    Continue,

    /// <summary>The failure probability is the good one, p0.</summary>
    Good,

    /// <summary>The failure probability is the bad one, p1.</summary>
    Bad,
}

/// <summary>
/// Wald's sequential test of a good failure probability against a bad one (Sequential Analysis, 1947): it decides after the
/// fewest trials on average. Not thread-safe.
/// </summary>
public sealed class Sprt
{
    private readonly double _failureStep, _successStep;

    /// <summary>A test.</summary>
    /// <param name="good">p0, strictly between 0 and 1.</param>
    /// <param name="bad">p1, above p0 and below 1.</param>
    /// <param name="alpha">Chance to call the good one bad; strictly between 0 and 1; 0.05 by default.</param>
    /// <param name="beta">Chance to call the bad one good; strictly between 0 and 1; 0.05 by default; alpha + beta below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public Sprt(double good, double bad, double alpha = 0.05, double beta = 0.05)
    {
        Guard.OpenProbability(good);
        Guard.OpenProbability(bad);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(bad, good);
        Guard.OpenProbability(alpha);
        Guard.OpenProbability(beta);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(alpha, 1 - beta);
        UpperBound = Math.Log((1 - beta) / alpha);
        LowerBound = Math.Log(beta / (1 - alpha));
        _failureStep = Math.Log(bad / good);
        _successStep = Precise.Log1p(-bad) - Precise.Log1p(-good);
    }

    /// <summary>At or above ln((1 − β)/α) the verdict is bad.</summary>
    public double UpperBound { get; }

    /// <summary>At or below ln(β/(1 − α)) the verdict is good.</summary>
    public double LowerBound { get; }

    /// <summary>The log-likelihood ratio so far.</summary>
    public double LogLikelihood { get; private set; }

    /// <summary>The verdict; it stays once it is made.</summary>
    public SprtVerdict Verdict { get; private set; }

    /// <summary>Returns the change by one outcome: ln(p1/p0) for a failure, ln((1 − p1)/(1 − p0)) for a success.</summary>
    public double Step(bool success) => success ? _successStep : _failureStep;

    /// <summary>Takes one outcome. After the verdict it changes nothing.</summary>
    public SprtVerdict Observe(bool success)
    {
        if (Verdict != SprtVerdict.Continue)
            return Verdict;
        LogLikelihood += Step(success);
        if (LogLikelihood >= UpperBound)
            Verdict = SprtVerdict.Bad;
        else if (LogLikelihood <= LowerBound)
            Verdict = SprtVerdict.Good;
        return Verdict;
    }

    /// <summary>Begins again.</summary>
    public void Reset() => (LogLikelihood, Verdict) = (0, SprtVerdict.Continue);
}
