namespace HaKit.Faults;

/// <summary>
/// The things an endpoint shares with others and can lose together with them. An absent (null) value is shared with no endpoint.
/// Immutable; compared by ordinal value.
/// </summary>
public sealed record FailureDomains
{
    /// <summary>Shared with no endpoint.</summary>
    public static FailureDomains None { get; } = new();

    /// <summary>The account that is billed; quota and spend limits reach all of it.</summary>
    public string? Account { get; init; }

    /// <summary>A name for the credential (never the credential itself); a 401 reaches all endpoints that use it.</summary>
    public string? KeyName { get; init; }

    /// <summary>The provider's region or data centre.</summary>
    public string? Region { get; init; }

    /// <summary>The company or server that runs the model: <c>openai</c>, <c>azure</c>, <c>anthropic</c>, <c>gemini</c>, your own cluster's name.</summary>
    public string? Provider { get; init; }

    /// <summary>The model served, as its provider names it.</summary>
    public string? Model { get; init; }

    /// <summary>Does a fault of the given reach on one of the two apply to the other as well?</summary>
    /// <param name="other">The other endpoint's domains.</param>
    /// <param name="reach">How far the fault reaches.</param>
    public bool Shares(FailureDomains other, FaultReach reach)
    {
        ArgumentNullException.ThrowIfNull(other);
        return reach switch
        {
            FaultReach.Key => Same(KeyName, other.KeyName) && Same(Provider, other.Provider, true),
            FaultReach.Account => Same(Account, other.Account) && Same(Provider, other.Provider, true),
            FaultReach.Provider => Same(Provider, other.Provider),
            FaultReach.Model => Same(Model, other.Model) && Same(Provider, other.Provider),
            FaultReach.RateLimit => Same(Account, other.Account) && Same(Provider, other.Provider, true)
                && Same(Model, other.Model, true) && Same(Region, other.Region, true),
            FaultReach.Region => Same(Region, other.Region) && Same(Provider, other.Provider, true),
            _ => ReferenceEquals(this, other) && this != None,
        };
    }

    private static bool Same(string? a, string? b, bool bothAbsent = false) =>
        a is null || b is null ? bothAbsent && a is null && b is null : string.Equals(a, b, StringComparison.Ordinal);
}
