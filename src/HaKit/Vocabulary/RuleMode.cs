namespace HaKit;

/// <summary>The mode of a rule that can take an endpoint out of traffic.</summary>
public enum RuleMode
{
    /// <summary>The rule takes the endpoint out.</summary>
    Enforce,

    /// <summary>The rule only writes a log line that it would have taken the endpoint out.</summary>
    Report,

    /// <summary>The rule does nothing.</summary>
    Off,
}
