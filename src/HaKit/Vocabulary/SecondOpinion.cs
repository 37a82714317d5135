namespace HaKit;

/// <summary>Says which other endpoints a call asks after a refusal.</summary>
public enum SecondOpinion
{
    /// <summary>None because of the refusal alone; the fault's other properties decide.</summary>
    None,

    /// <summary>One other endpoint, paid from the retry budget: the request may be wrong, or the endpoint may be.</summary>
    One,

    /// <summary>Each other endpoint that the call has not tried, once: the refusal says more about the endpoint than about the request.</summary>
    Each,
}
