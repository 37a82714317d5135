namespace HaKit;

/// <summary>Indicates which other endpoints a call tries after a refusal.</summary>
public enum SecondOpinion
{
    /// <summary>No special rule; the other properties of the fault decide.</summary>
    None,

    /// <summary>One other endpoint, because either the request or the endpoint may be wrong. The attempt takes its cost from the retry budget.</summary>
    One,

    /// <summary>Each other endpoint that the call has not tried, once, because the cause of the refusal is probably the endpoint and not the request.</summary>
    Each,
}
