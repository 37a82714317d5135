using HaKit.Peers;

namespace HaKit.AspNetCore.Status;

/// <summary>The other replicas of a pool, as the page shows them.</summary>
internal sealed record FleetView
{
    /// <summary>The replica that sends this answer.</summary>
    public required string Replica { get; init; }

    public required bool Connected { get; init; }

    /// <summary>The reason why the link is down, without secrets; null while it is up.</summary>
    public string? Problem { get; init; }

    /// <summary>The seconds since the store's last answer.</summary>
    public double? Age { get; init; }

    /// <summary>The milliseconds that the store's latest answer took.</summary>
    public double? Lag { get; init; }

    public required IReadOnlyList<FleetReplicaView> Replicas { get; init; }

    public required IReadOnlyList<FleetOrderView> Orders { get; init; }

    /// <summary>Returns null for a pool without a link.</summary>
    public static FleetView? From(FleetStatus fleet) => fleet.Link is not { } link ? null : new FleetView
    {
        Replica = fleet.Replica,
        Connected = link.IsConnected,
        Problem = link.Problem,
        Age = link.Age is { } age ? Math.Round(age.TotalSeconds, 1) : null,
        Lag = link.Lag is { } lag ? Math.Round(lag.TotalMilliseconds, 1) : null,
        Replicas = [.. fleet.Replicas.Select(static r => new FleetReplicaView(
            r.Replica, r.IsThis, [.. r.Endpoints.Select(static v => new FleetOpinionView(v.Endpoint, v.Opinion.ToString(), v.Fault?.ToString(), v.Since, v.Counts))]))],
        Orders = [.. fleet.Orders.Select(static o => new FleetOrderView(o.Order.ToString(), o.Endpoint, o.Tier, o.By, o.Reason, o.Replica, o.GivenAt))],
    };
}

internal sealed record FleetReplicaView(string Name, bool IsThis, IReadOnlyList<FleetOpinionView> Endpoints);

internal sealed record FleetOpinionView(string Endpoint, string Opinion, string? Fault, DateTimeOffset Since, bool Counts);

internal sealed record FleetOrderView(string Order, string? Endpoint, int? Tier, string By, string? Reason, string Replica, DateTimeOffset At);
