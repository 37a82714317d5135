using System.Diagnostics.CodeAnalysis;
using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Limits;
using HaKit.Peers;
using HaKit.Selection;

namespace HaKit.DependencyInjection;

/// <summary>Finds the right place in a pool's section for a setting that was written in a wrong place. Pure.</summary>
internal static class SettingPlaces
{
    // If a name occurs in more places than this, the intended place cannot be determined.
    private const int MostPlaces = 3;

    private static readonly (string Place, string[] Names)[] s_places =
    [
        ("", NamesOf<EndpointPoolOptions>()),
        ("Endpoints:0:", NamesOf<EndpointOptions>()),
        ("Endpoints:0:Limits:", NamesOf<LimitOptions>()),
        ("FirstContent:", NamesOf<FirstContentOptions>()),
        ("Selection:", NamesOf<SelectionOptions>()),
        ("Scale:", NamesOf<ScaleOptions>()),
        ("Retry:", NamesOf<RetryOptions>()),
        ("Streaming:", NamesOf<StreamingOptions>()),
        ("Http:", NamesOf<HttpOptions>()),
        ("Hedging:", NamesOf<HedgingOptions>()),
        ("RetryBudget:", NamesOf<RetryBudgetOptions>()),
        ("CircuitBreaker:", NamesOf<HealthOptions>()),
        ("Heartbeat:", NamesOf<HeartbeatOptions>()),
        ("Recovery:", NamesOf<RecoveryOptions>()),
        ("Sharing:", NamesOf<SharingOptions>()),
        ("Objective:", NamesOf<ObjectiveOptions>()),
    ];

    /// <summary>
    /// Gets a sentence to append to a message, for example <c> It belongs to 'Heartbeat:Interval' of the pool.</c>. Empty if the name occurs in no place, or in
    /// too many places.
    /// </summary>
    /// <param name="name">The name of a setting.</param>
    public static string Hint(string name)
    {
        string[] places =
        [
            .. from place in s_places
               from known in place.Names
               where known.Equals(name, StringComparison.OrdinalIgnoreCase)
               select $"'{place.Place}{known}'",
        ];
        return places.Length is 0 or > MostPlaces ? "" : $" It belongs to {string.Join(" or ", places)} of the pool.";
    }

    private static string[] NamesOf<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>() => [.. typeof(T).GetProperties().Select(static p => p.Name)];
}
