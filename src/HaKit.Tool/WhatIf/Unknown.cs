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
    /// <summary>Gets the fault of the refusal; null when the endpoint answers or is silent.</summary>
    public Faults.Fault? Fault { get; init; }

    /// <summary>Gets whether the endpoint never answers.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Gets the time until the refusal.</summary>
    public TimeSpan After { get; init; }

    /// <summary>Gets the number of chunks of content before the fault; null when there is none.</summary>
    public TimeSpan? ContentBeforeFault { get; init; }

    /// <summary>Gets the endpoint's own working time until the first content, when it answers.</summary>
    public TimeSpan First { get; init; }

    /// <summary>Gets the endpoint's own working time from the first content to the end.</summary>
    public TimeSpan Rest { get; init; }

    /// <summary>Gets whether the prediction is an assumption that the recording does not support.</summary>
    public bool IsAssumed { get; init; }
}
