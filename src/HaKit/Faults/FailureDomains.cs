namespace HaKit.Faults;

/// <summary>
/// Describes the failure domains of an endpoint: the account, key, region, provider and model that it may share with other endpoints. A failure of one of them
/// affects all endpoints that share it. A null value is shared with no other endpoint. Immutable; compared by ordinal value.
/// </summary>
public sealed record FailureDomains
{
    /// <summary>Gets the domains of an endpoint that shares nothing.</summary>
    public static FailureDomains None { get; } = new();

    /// <summary>Gets the account that is billed. Quotas and spend limits affect all endpoints of the account.</summary>
    public string? Account { get; init; }

    /// <summary>Gets a name for the credential, never the credential itself. A 401 affects all endpoints that use it.</summary>
    public string? KeyName { get; init; }

    /// <summary>Gets the provider's region or data centre.</summary>
    public string? Region { get; init; }

    /// <summary>
    /// Gets the company or server that runs the model: <c>openai</c>, <c>azure</c>, <c>anthropic</c>, <c>gemini</c>, or the name of your own cluster.
    /// </summary>
    public string? Provider { get; init; }

    /// <summary>Gets the model, by the provider's name.</summary>
    public string? Model { get; init; }

    /// <summary>Checks whether a fault of the given reach on one of the two endpoints applies to the other as well.</summary>
    /// <param name="other">The other endpoint's domains.</param>
    /// <param name="reach">The reach of the fault.</param>
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
