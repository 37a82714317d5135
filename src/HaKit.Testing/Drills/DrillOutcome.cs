namespace HaKit.Testing;

/// <summary>How a call of a drill ended.</summary>
public enum DrillOutcome
{
    /// <summary>The call returned the complete, correct answer.</summary>
    Right,

    /// <summary>The call reported a failure: a status, an exception, an error event, or the caller's timeout.</summary>
    Failed,

    /// <summary>The call reported success, but with another answer or with a body that is not an answer.</summary>
    Wrong,

    /// <summary>The call reported success, but with only the beginning of the correct answer.</summary>
    Half,
}
