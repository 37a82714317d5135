namespace HaKit.Tool.WhatIf;

/// <summary>The assumption for times that the recording does not show. The truth lies between the two assumptions.</summary>
internal enum Unknown
{
    /// <summary>An endpoint that was not observed was down, and a cancelled answer would never have come.</summary>
    IsDown,

    /// <summary>An endpoint that was not observed was up, and a cancelled answer would have come at the moment of its cancellation.</summary>
    IsUp,
}

/// <summary>The predicted answer of an endpoint to an attempt.</summary>
internal readonly record struct PredictedAnswer
{
    /// <summary>The fault with which it refuses; null when it answers or is silent.</summary>
    public Faults.Fault? Fault { get; init; }

    /// <summary>Gets whether the endpoint never answers.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Until the refusal.</summary>
    public TimeSpan After { get; init; }

    /// <summary>Content before the fault; null for none.</summary>
    public TimeSpan? ContentBeforeFault { get; init; }

    /// <summary>The endpoint's own work until the first content, when it answers.</summary>
    public TimeSpan First { get; init; }

    /// <summary>The endpoint's own work from the first content to the end.</summary>
    public TimeSpan Rest { get; init; }

    /// <summary>Gets whether the prediction is an assumption that the recording does not support.</summary>
    public bool IsAssumed { get; init; }
}
