using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>The current result of a sequential test.</summary>
public enum SprtVerdict
{
    /// <summary>There are not enough observations yet.</summary>
    Continue,

    /// <summary>The test accepts the good failure probability, p0.</summary>
    Good,

    /// <summary>The test accepts the bad failure probability, p1.</summary>
    Bad,
}

/// <summary>
/// Wald's sequential test of a good failure probability against a bad failure probability (Sequential Analysis, 1947). Of all tests with the same error
/// probabilities it needs the fewest trials on average. Not thread-safe.
/// </summary>
public sealed class Sprt
{
    private readonly double _failureStep, _successStep;

    /// <summary>Creates a test.</summary>
    /// <param name="good">p0, strictly between 0 and 1.</param>
    /// <param name="bad">p1, above p0 and below 1.</param>
    /// <param name="alpha">The probability of the verdict bad if the probability is good, strictly between 0 and 1. Default 0.05.</param>
    /// <param name="beta">
    /// The probability of the verdict good if the probability is bad, strictly between 0 and 1. Default 0.05. alpha + beta must be below 1.
    /// </param>
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

    /// <summary>Gets the upper threshold ln((1 − β)/α). At or above it the verdict is bad.</summary>
    public double UpperBound { get; }

    /// <summary>Gets the lower threshold ln(β/(1 − α)). At or below it the verdict is good.</summary>
    public double LowerBound { get; }

    /// <summary>Gets the log-likelihood ratio so far.</summary>
    public double LogLikelihood { get; private set; }

    /// <summary>Gets the verdict. It does not change after the test has decided.</summary>
    public SprtVerdict Verdict { get; private set; }

    /// <summary>Returns the change of the log-likelihood ratio by one outcome: ln(p1/p0) for a failure, ln((1 − p1)/(1 − p0)) for a success.</summary>
    public double Step(bool success) => success ? _successStep : _failureStep;

    /// <summary>Records one outcome. After the verdict it has no effect.</summary>
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

    /// <summary>Starts the test again.</summary>
    public void Reset() => (LogLikelihood, Verdict) = (0, SprtVerdict.Continue);
}
