namespace HaKit.Faults;

/// <summary>The user's classifiers in order, then the built-in one. One that throws is passed over.</summary>
internal sealed class ChainedClassifier(IFaultClassifier[] first) : IFaultClassifier
{
    public Fault? Classify(in FaultEvidence evidence)
    {
        foreach (var classifier in first)
            if (classifier.Classify(in evidence) is { } fault)
                return fault;
        return FaultClassifier.Default.Classify(in evidence);
    }
}
