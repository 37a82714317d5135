using HaKit.Faults;
using HaKit.Health;

namespace HaKit.AspNetCore.Status;

/// <summary>
/// Groups the endpoints that do not serve, or serve badly, for the same reason. Each group states the problem, its start, and the remedy for an operator. The page
/// shows one line per group, so a hundred endpoints behind one broken network are one line. A group contains only the names of endpoints, the kinds of faults and
/// times, so it cannot show a secret.
/// </summary>
internal static class Troubles
{
    // A group names only its first endpoints. The page lists all of them below.
    private const int Named = 6;

    private static readonly TimeSpan s_together = TimeSpan.FromSeconds(1);

    public static IReadOnlyList<TroubleView> Find(PoolStatus status) =>
    [
        .. status.Endpoints.Select(e => (Endpoint: e, Cause: CauseOf(e, status))).Where(static e => e.Cause is not null)
            .GroupBy(static e => e.Cause!)
            .Select(static g => Group(g.Key, [.. g.Select(static e => e.Endpoint)]))
            .OrderBy(static t => t.Level switch { "bad" => 0, "warn" => 1, _ => 2 }).ThenByDescending(static t => t.Count),
    ];

    private static TroubleView Group(Cause cause, EndpointStatus[] endpoints)
    {
        var (first, last) = (endpoints.Min(SinceOf), endpoints.Max(SinceOf));
        return new(cause.Level, [.. endpoints.Take(Named).Select(static e => e.Endpoint.Name)], endpoints.Length, cause.What, cause.Advice, Truncate(first))
        {
            LastSince = last - first > s_together ? Truncate(last) : null,
        };
    }

    private static DateTimeOffset SinceOf(EndpointStatus endpoint) => endpoint.OutSince ?? endpoint.Since;

    /// <summary>Returns the problem of an endpoint; null when there is none.</summary>
    private static Cause? CauseOf(EndpointStatus endpoint, PoolStatus pool)
    {
        var health = endpoint.Health;
        if (health.Status == EndpointHealthStatus.ForcedDown)
            return new("idle", "forced down by an operator", "Bring it up when it may serve again.");
        if (health.Status == EndpointHealthStatus.Draining)
            return new("idle", "drained by an operator", "Bring it up when it may serve again.");
        if (health.CooldownUntil > pool.Now && health.CooldownCause is { } cooling)
            return Cooling(cooling, health.CooldownUntil == TimeSpan.MaxValue);
        if (endpoint.LacksModel)
            return new("bad", "healthy, but it does not have the requested model", "Check the model's name in the endpoint's settings, or load the model.");
        if (pool.IsUnreachable)
            return new("bad", "cannot be reached, like every other endpoint", "Check this machine's network first: DNS, firewall, proxy.");
        if (health.Status == EndpointHealthStatus.Healthy && endpoint.Heartbeat?.Fault is { } missed)
            return new("warn", $"serving, but the latest heartbeat failed: {Describe(missed)}", null);
        return health.Status switch
        {
            EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial => Out(health.Cause),
            EndpointHealthStatus.Suspect => new("warn", $"serving, but the latest call failed: {Describe(health.Cause)}", null),
            EndpointHealthStatus.SlowStart => new("cool", "back in service, its traffic grows step by step (slow start)", null),
            _ => null,
        };
    }

    private static Cause Cooling(Fault fault, bool isForGood) => fault.Kind switch
    {
        FaultKind.Unauthorized or FaultKind.Forbidden => new("bad", $"the key is refused: {Describe(fault)}", "Renew the key, or its rights, at the provider. The pool asks again by itself."),
        FaultKind.QuotaExhausted => new("bad", $"no quota or credit is left: {Describe(fault)}", "Raise the quota, or pay, at the provider. The pool asks again by itself."),
        _ when isForGood => new("bad", $"out until the cause is repaired: {Describe(fault)}", "Repair the cause, then bring the endpoint up."),
        FaultKind.BreakerOpen => new("warn", $"paused by the application's own strategies: {Describe(fault)}", "Look at the application's circuit breaker or rate limiter for this endpoint."),
        _ when fault.RetryAfter is null => new("warn", $"paused: {Describe(fault)}", "If this happens rarely, do nothing: the pool asks again by itself. If it happens often, raise the limit or add endpoints."),
        _ => new("warn", $"paused, as the server asked: {Describe(fault)}", "If this happens rarely, do nothing: the pool asks again at the time that the server named. If it happens often, raise the limit or add endpoints."),
    };

    private static Cause Out(Fault? fault) => fault?.Kind switch
    {
        FaultKind.DnsFailed => new("bad", "out, the name does not resolve (DnsFailed)", "Check DNS, and the address in the settings."),
        FaultKind.TlsFailed => new("bad", $"out, {Describe(fault)}", "Check the certificate, and the clocks of both machines."),
        FaultKind.ConnectFailed or FaultKind.ConnectTimeout or FaultKind.ConnectionReset =>
            new("bad", $"out, {Describe(fault)}", "Check that the server runs, and that this machine reaches it."),
        FaultKind.FirstContentTimeout or FaultKind.AttemptTimeout or FaultKind.IdleTimeout =>
            new("bad", $"out, {Describe(fault)}", "Check the server's load and logs: it accepts requests and does not answer."),
        FaultKind.ModelNotFound => new("bad", $"out, {Describe(fault)}", "Check the model's name in the endpoint's settings."),
        FaultKind.InvalidRequest or FaultKind.NotServed => new("bad", $"out, it refuses what other endpoints serve: {Describe(fault)}", "Compare its settings, path and model with the settings of the other endpoints."),
        null => new("bad", "out", null),
        _ => new("bad", $"out, {Describe(fault)}", "Look at the provider's status page, or at the server's logs."),
    };

    private static string Describe(Fault? fault) => fault?.Kind switch
    {
        FaultKind.ConnectFailed => "connections are refused (ConnectFailed)",
        FaultKind.ConnectTimeout => "connections time out (ConnectTimeout)",
        FaultKind.ConnectionReset => "connections break (ConnectionReset)",
        FaultKind.TlsFailed => "TLS fails (TlsFailed)",
        FaultKind.FirstContentTimeout => "no answer comes (FirstContentTimeout)",
        null => "unknown",
        _ => fault.ToString(),
    };

    private static DateTimeOffset Truncate(DateTimeOffset time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerMillisecond, time.Offset);

    private sealed record Cause(string Level, string What, string? Advice);
}
