namespace HaKit.Faults;

/// <summary>Runs the application's classifiers in order, then the built-in classifier. A classifier that throws is skipped.</summary>
internal sealed class ChainedClassifier(IFaultClassifier[] first) : IFaultClassifier
{
    /// <summary>Gets whether there are classifiers of the application.</summary>
    public bool HasOwn => first.Length > 0;

    public Fault? Classify(in FaultEvidence evidence)
    {
        foreach (var classifier in first)
        {
            if (ClassifySafely(classifier, in evidence) is { } fault)
                return fault;
        }

        return FaultClassifier.Default.Classify(in evidence);
    }

    /// <summary>Runs one classifier. If it throws, its result is null, because a mistake in a classifier must not hide the fault of the endpoint.</summary>
    private static Fault? ClassifySafely(IFaultClassifier classifier, in FaultEvidence evidence)
    {
        try
        {
            return classifier.Classify(in evidence);
        }
        catch (Exception)
        {
            return null;
        }
    }
}
