namespace HaKit.Faults;

/// <summary>The user's classifiers in order, then the built-in one. One that throws is passed over.</summary>
internal sealed class ChainedClassifier(IFaultClassifier[] first) : IFaultClassifier
{
    /// <summary>Are there classifiers of the user's?</summary>
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

    /// <summary>A classifier's own mistake must not hide what the endpoint did.</summary>
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
