using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.AspNetCore.Status;

// The schema hakit.status/1. Fields may be added. A field is removed or gets another meaning only with a new schema number. docs/dashboard.md describes the
// schema.

/// <summary>
/// The whole content of the page. A full message has each endpoint's history and the events; an update has only each endpoint's latest point.
/// </summary>
internal sealed record StatusView
{
    public string Schema { get; init; } = "hakit.status/1";

    public required DateTimeOffset At { get; init; }

    /// <summary>The seconds that one point of the history covers.</summary>
    public required double Step { get; init; }

    /// <summary>The seconds between two updates if there are no events. After three missing updates, the page reports that the connection is lost.</summary>
    public required double Refresh { get; init; }

    /// <summary>The number of the latest point.</summary>
    public required long Point { get; init; }

    public required IReadOnlyList<PoolView> Pools { get; init; }

    /// <summary>Other components of the application. Null: none.</summary>
    public IReadOnlyList<PanelView>? Panels { get; init; }

    public IReadOnlyList<EventView>? Events { get; init; }
}

/// <summary>A component beside the pools. Its state is <c>well</c>, <c>degraded</c> or <c>outage</c>, as for a pool.</summary>
internal sealed record PanelView(string Name, string State, string Summary, IReadOnlyList<PanelRowView> Rows)
{
    /// <exception cref="InvalidOperationException">The panel, or a part of it, is null.</exception>
    public static PanelView Create(StatusPanel? panel)
    {
        var (name, state, summary, rows) = Given(panel);
        return new(Given(name), Word(state), Given(summary), [.. Given(rows).Select(static r => new PanelRowView(Given(Given(r).Name), Word(r.State), Given(r.Text)))]);
    }

    // The panel is created by the application's code, where the compiler's warnings about null may be off.
    private static T Given<T>(T? value)
        where T : class => value ?? throw new InvalidOperationException("A part of the panel is null.");

    private static string Word(HealthStatus state) => state switch
    {
        HealthStatus.Healthy => "well",
        HealthStatus.Degraded => "degraded",
        _ => "outage",
    };
}

internal sealed record PanelRowView(string Name, string State, string Text);

internal sealed record PoolView
{
    public required string Name { get; init; }

    /// <summary>The state: <c>well</c>, <c>degraded</c> or <c>outage</c>.</summary>
    public required string State { get; init; }

    public required int Serving { get; init; }

    public required int FirstTier { get; init; }

    public int? ServingTier { get; init; }

    public required int InFlight { get; init; }

    /// <summary>True if connecting fails at every endpoint. This machine's network may then be at fault.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Unreachable { get; init; }

    /// <summary>The time since which no endpoint serves. Absent while an endpoint serves.</summary>
    public DateTimeOffset? OutageSince { get; init; }

    /// <summary>The number of calls that failed since the outage began; absent when there is no outage.</summary>
    public long? LostInOutage { get; init; }

    /// <summary>The time of the latest answer of an endpoint to a call.</summary>
    public DateTimeOffset? LastAnsweredAt { get; init; }

    public required int Waiting { get; init; }

    /// <summary>The largest number of calls that may wait. Further calls fail at once.</summary>
    public int MaxWaiting { get; init; }

    /// <summary>The waiting time of the oldest waiting call in seconds. Absent if no call waits.</summary>
    public double? OldestWait { get; init; }

    /// <summary>The seconds until the first waiting call fails if no endpoint serves it. Absent if no call waits.</summary>
    public double? FirstGivesUpIn { get; init; }

    public required double RetryBudget { get; init; }

    public double? Utilization { get; init; }

    public int? WantedEndpoints { get; init; }

    public required AvailabilityView Availability { get; init; }

    /// <summary>The effect of the loss of each failure domain now. Domains that contain the whole pool are left out.</summary>
    public required IReadOnlyList<LossView> Losses { get; init; }

    /// <summary>The problems of endpoints, one for each cause, the most severe first.</summary>
    public required IReadOnlyList<TroubleView> Troubles { get; init; }

    public required IReadOnlyList<EndpointView> Endpoints { get; init; }

    /// <summary>The other replicas; null for a pool without a link to them.</summary>
    public FleetView? Fleet { get; init; }
}

internal sealed record AvailabilityView
{
    public double? Delivered { get; init; }

    public double? Observed { get; init; }

    public double? Predicted { get; init; }

    public required double Target { get; init; }

    public required double BudgetLeft { get; init; }

    public required long Calls { get; init; }

    public required long Failures { get; init; }

    /// <summary><see cref="Delivered"/> if each waiting call counts as not served.</summary>
    public double? DeliveredNow { get; init; }

    /// <summary><see cref="BudgetLeft"/> if each waiting call counts as failed.</summary>
    public required double BudgetLeftNow { get; init; }

    public required IReadOnlyList<BurnView> Burn { get; init; }
}

/// <summary>The loss of a failure domain: its kind, its name, the share of calls that would wait or fail, and a sentence about it.</summary>
internal sealed record LossView(string Domain, string Name, double LostShare, string Text);

/// <summary>A burn-rate alert, with its long and its short window. <c>LongNow</c> counts each waiting call as failed.</summary>
internal sealed record BurnView(string Alert, bool Firing, double Threshold, double Long, double Short, double LongNow);

/// <summary>
/// Endpoints with the same problem: the severity (<c>bad</c>, <c>warn</c>, <c>cool</c>, <c>idle</c>), the first of their names, their number, the problem,
/// the remedy (absent for none), and the start.
/// </summary>
internal sealed record TroubleView(string Level, IReadOnlyList<string> Endpoints, int Count, string What, string? Advice, DateTimeOffset Since)
{
    /// <summary>Gets when the last endpoint joined the group. Null if all joined within a second.</summary>
    public DateTimeOffset? LastSince { get; init; }
}

internal sealed record EndpointView
{
    public required string Name { get; init; }

    public string? Address { get; init; }

    public required int Tier { get; init; }

    public required double Weight { get; init; }

    public string? Zone { get; init; }

    public string? Provider { get; init; }

    public string? Model { get; init; }

    public required string State { get; init; }

    public required bool Serves { get; init; }

    /// <summary>The time since which the endpoint is in its state; a trial changes it.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The time since which the endpoint does not serve; trials do not change it. Absent while it serves.</summary>
    public DateTimeOffset? OutSince { get; init; }

    /// <summary>True if the endpoint has answered that it does not have the requested model.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool LacksModel { get; init; }

    public string? Cause { get; init; }

    public DateTimeOffset? Until { get; init; }

    public DateTimeOffset? CooldownUntil { get; init; }

    /// <summary>True if the state lasts until a person repairs the cause.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool CooldownForGood { get; init; }

    public string? CooldownCause { get; init; }

    public required double SlowStartShare { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Ejections { get; init; }

    public required int InFlight { get; init; }

    public required long Attempts { get; init; }

    public required long Faults { get; init; }

    public required double FailureEstimate { get; init; }

    /// <summary>The share of calls that would wait or fail if this endpoint were lost now; absent for the only endpoint.</summary>
    public double? LostShare { get; init; }

    public double? Availability { get; init; }

    public IReadOnlyList<LimitUse>? Limits { get; init; }

    public HeartbeatView? Heartbeat { get; init; }

    public LoadView? Load { get; init; }

    /// <summary>
    /// The median and the 95th percentile of the time to the first content of recent streams, in milliseconds. Absent until 20 times are known.
    /// </summary>
    public IReadOnlyList<long>? StreamTimes { get; init; }

    /// <summary>
    /// The median and the 95th percentile of the duration of recent answers that are not streams, in milliseconds. Absent until 20 times are known.
    /// </summary>
    public IReadOnlyList<long>? AnswerTimes { get; init; }

    public HistoryView? History { get; init; }

    /// <summary>The latest point: answers, mean milliseconds, faults.</summary>
    public IReadOnlyList<long>? Last { get; init; }
}

internal sealed record HeartbeatView(double Seconds, double Milliseconds, string Level, string? Fault);

internal sealed record LoadView(int Running, int Waiting, int? Capacity);

/// <summary>The points, oldest first: answers, mean milliseconds to the first content (−1 without answers), faults.</summary>
internal sealed record HistoryView(IReadOnlyList<int> Calls, IReadOnlyList<int> Milliseconds, IReadOnlyList<int> Faults);

/// <summary>
/// One event, or several events of the same kind in one line. <c>Count</c> is the number of events, <c>At</c> the time of the first event, and <c>Until</c> the
/// time of the latest event. A line keeps its number when an event is added.
/// </summary>
internal sealed record EventView(long Number, DateTimeOffset At, string Pool, string Kind, string? Endpoint, string Severity, string Text)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Count { get; init; }

    public DateTimeOffset? Until { get; init; }
}

internal sealed record ExplainView(string Schema, string Pool, IReadOnlyList<ExplainedView> Endpoints);

internal sealed record ExplainedView(
    string Endpoint, int Tier, string State, string? NotAdmittedBy, double? AvailableIn, double SlowStartShare, int InFlight, double FailureEstimate,
    double? FirstContentSeconds, double? OutputTokenSeconds, double Time, double Failure, double Zone, double Price, double Total);

[JsonSourceGenerationOptions(Converters = [typeof(UtcTimeConverter)], PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusView))]
[JsonSerializable(typeof(EventView))]
[JsonSerializable(typeof(ExplainView))]
[JsonSerializable(typeof(Operations.TokenView))]
[JsonSerializable(typeof(Operations.OrderView))]
internal sealed partial class StatusJson : JsonSerializerContext;

/// <summary>Writes times in UTC with a Z, which is shorter than an offset.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value.UtcDateTime);
}
