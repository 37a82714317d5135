namespace HaKit;

/// <summary>The mode of a rule that can take an endpoint out of traffic.</summary>
public enum RuleMode
{
    /// <summary>The rule takes the endpoint out.</summary>
    Enforce,

    /// <summary>The rule does not take the endpoint out, but logs that it would have done so.</summary>
    Report,

    /// <summary>The rule does nothing.</summary>
    Off,
}
