namespace HaKit.Testing;

/// <summary>How a call of a drill ended.</summary>
public enum DrillOutcome
{
    /// <summary>With the whole right answer.</summary>
    Right,

    /// <summary>With a failure that it says: a status, an exception, an error event, or the caller's time was over.</summary>
    Failed,

    /// <summary>As if all were well, with another answer or something that is no answer.</summary>
    Wrong,

    /// <summary>As if all were well, with the beginning of the right answer.</summary>
    Half,
}
