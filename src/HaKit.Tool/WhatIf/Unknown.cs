namespace HaKit.Tool.WhatIf;

/// <summary>What is assumed of the times for which the recording shows nothing. The truth lies between the two.</summary>
internal enum Unknown
{
    /// <summary>What was not seen was down, and what was given up would never have come.</summary>
    IsDown,

    /// <summary>What was not seen was up, and what was given up would have come at that moment.</summary>
    IsUp,
}

/// <summary>How an endpoint would have answered an attempt.</summary>
internal readonly record struct PredictedAnswer
{
    /// <summary>The fault with which it refuses; null when it answers or is silent.</summary>
    public Faults.Fault? Fault { get; init; }

    /// <summary>It never answers.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Until the refusal.</summary>
    public TimeSpan After { get; init; }

    /// <summary>Content before the fault; null for none.</summary>
    public TimeSpan? ContentBeforeFault { get; init; }

    /// <summary>The endpoint's own work until the first content, when it answers.</summary>
    public TimeSpan First { get; init; }

    /// <summary>The endpoint's own work from the first content to the end.</summary>
    public TimeSpan Rest { get; init; }

    /// <summary>It rests on an assumption and not on the recording.</summary>
    public bool IsAssumed { get; init; }
}
