using System.Globalization;
using HaKit.Health;

namespace HaKit.AspNetCore.Status;

/// <summary>Formats an event as one line for people. It contains only names, kinds and times.</summary>
internal static class EventText
{
    public static EventView Describe(PoolEvent happened, long number)
    {
        var (severity, endpoint, text) = DescribeParts(happened);
        return new EventView(number, happened.At, happened.Pool, happened.GetType().Name, endpoint, severity, text);
    }

    /// <summary>Returns true if the event is a failed trial: the endpoint was ejected before it and still is.</summary>
    public static bool IsFailedTrial(PoolEvent happened) => happened is EndpointEjected { Before.Status: EndpointHealthStatus.Trial };

    /// <summary>Returns the key that events of several endpoints must share to become one line; null for an event that always has its own line.</summary>
    public static string? KindOf(PoolEvent happened) => happened switch
    {
        EndpointEjected e => $"ejected {e.Fault?.Kind} {e.Source}",
        EndpointRecovered e => $"back {e.Source}",
        EndpointChanged { After: var after, Before: var before } e when after.Status != before.Status => $"{before.Status} {after.Status} {e.Fault?.Kind}",
        EndpointChanged e when PoolWatch.IsNewCooldown(e) => $"cooling {e.After.CooldownCause?.Kind}",
        _ => null,
    };

    /// <summary>Formats the failed trials of a pool as one line, with the number of endpoints and the result of the latest trial.</summary>
    public static EventView DescribeTrials(EndpointChanged latest, long number, DateTimeOffset first, int endpoints, int trials)
    {
        var text = (trials, endpoints) switch
        {
            (1, _) => $"a trial failed: {latest.Fault}",
            (_, 1) => $"{trials} trials failed; the latest: {latest.Fault}",
            _ => $"{trials} trials of {endpoints} endpoints failed; the latest: {latest.Endpoint}, {latest.Fault}",
        };
        return new EventView(number, first, latest.Pool, "TrialsFailed", endpoints == 1 ? latest.Endpoint : null, "bad", text) { Count = trials, Until = trials > 1 ? latest.At : null };
    }

    /// <summary>Formats the same change of one or several endpoints as one line. The first three endpoints are named.</summary>
    public static string DescribeTogether(EventView line, string first, IReadOnlyCollection<string> names, int total)
    {
        if (names.Count == 1)
            return $"{first} ({total} times)";
        var others = names.Where(n => n != line.Endpoint).Take(2).ToArray();
        var more = names.Count - 1 - others.Length;
        return $"with {string.Join(", ", others)}{(more > 0 ? $" and {more} more" : "")}: {first}";
    }

    private static (string Severity, string? Endpoint, string Text) DescribeParts(PoolEvent happened) => happened switch
    {
        EndpointEjected e => ("bad", e.Endpoint, $"ejected for {Seconds((e.After.Until ?? e.After.Since) - e.After.Since)}: {e.Fault}, seen by {SourceName(e.Source)}"),
        EndpointRecovered e => ("good", e.Endpoint, $"back in service, seen by {SourceName(e.Source)}"),
        EndpointChanged { After: var after, Before: var before } e when after.Status != before.Status =>
            ("info", e.Endpoint, $"{before.Status} → {after.Status}{(e.Fault is { } fault ? $": {fault}" : "")}"),
        EndpointChanged e when PoolWatch.IsNewCooldown(e) => ("warn", e.Endpoint, $"cooling down: {e.After.CooldownCause}"),
        EndpointChanged e => ("info", e.Endpoint, $"{e.After.Status}{(e.Fault is { } fault ? $": {fault}" : "")}"),
        OrderGiven { Replica: { } replica } e => ("order", e.Endpoint, $"ordered by {e.By} at {replica}: {Words(e.Order, e.Tier)}"),
        OrderOverruled e => ("order", e.Endpoint, $"the order to {Words(e.Order, e.Tier)} no longer holds: {e.By} ordered at {e.Replica} to {Words(e.OverruledBy, e.OverruledByTier)}"),
        OrderGiven { Endpoint: { } endpoint } e => ("order", endpoint, $"ordered: {Words(e.Order)}"),
        OrderGiven e => ("order", null, $"ordered: {Words(e.Order, e.Tier)}"),
        EndpointDrained e => ("order", e.Endpoint, "drained: no attempt is in flight"),
        EndpointRemoved e => ("info", e.Endpoint, "was removed or replaced"),
        AnswerContinued { Seam: var s } => ("warn", s.From, $"an answer was cut ({s.Why.Kind}), and {s.To ?? "the application"} continued it after {Seconds(s.Took)}"),
        OutageBegan => ("bad", null, "outage: no endpoint can take traffic"),
        OutageEnded e => ("good", null, $"the outage is over after {Seconds(e.Lasted)}"),
        RecoveryEnded e => (e.Failure is null ? "good" : "bad", e.Endpoint, e.Failure is null ? "recovery action done" : $"recovery action failed: {e.Failure.GetType().Name}"),
        BudgetAlert { Status: var s } => s.Firing
            ? ("bad", null, string.Create(CultureInfo.InvariantCulture, $"error budget burns {s.LongBurn:0.#}× too fast ({s.Alert.Name})"))
            : ("good", null, $"error budget no longer burns too fast ({s.Alert.Name})"),
        ScaleChanged e => ("info", null, $"{e.Signal.WantedEndpoints?.ToString(CultureInfo.InvariantCulture) ?? "no"} endpoints wanted"),
        EventsDropped e => ("warn", null, $"{e.Count} events were dropped"),
        _ => ("info", null, happened.GetType().Name),
    };

    private static string SourceName(ChangeSource source) => source switch
    {
        ChangeSource.Traffic => "a call",
        ChangeSource.Heartbeat => "its heartbeat",
        ChangeSource.Order => "an operator",
        ChangeSource.SharedDomain => "an endpoint that shares its fault",
        ChangeSource.SelfSuspicion => "a pause of this process",
        ChangeSource.Peer => "other replicas",
        _ => "time",
    };

    private static string Words(PoolOrder order, int? tier) => tier is null ? Words(order) : $"{Words(order)}, tier {tier}";

    private static string Words(PoolOrder order) => order switch
    {
        PoolOrder.ForceDown => "force down",
        PoolOrder.BringUp => "bring up",
        PoolOrder.FailBack => "fail back",
        PoolOrder.Promote => "promote",
        _ => "drain",
    };

    private static string Seconds(TimeSpan time) => DurationText.Write(time);
}
