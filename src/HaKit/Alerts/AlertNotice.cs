
namespace HaKit.Alerts;

/// <summary>The subject of an alert.</summary>
public enum AlertKind
{
    /// <summary>An endpoint was ejected because its attempts or probes failed.</summary>
    Ejected,

    /// <summary>An endpoint has a quota or a key that a person must repair.</summary>
    NeedsAttention,

    /// <summary>No endpoint of the pool can take traffic.</summary>
    Outage,

    /// <summary>The pool's error budget burns too fast.</summary>
    BudgetBurn,

    /// <summary>
    /// The pool works, but it has lost its redundancy: if a failure domain were lost now, calls would wait or fail. Domains that contain every endpoint of the
    /// pool do not count.
    /// </summary>
    RedundancyLost,

    /// <summary>A status panel beside the pools, such as a vault's, is degraded (<see cref="IStatusPanel"/>).</summary>
    PanelDegraded,

    /// <summary>A status panel beside the pools is unhealthy, for example a vault whose last good snapshot is too old (<see cref="IStatusPanel"/>).</summary>
    PanelUnhealthy,
}

/// <summary>Represents one alert that began or ended. Immutable; contains names, kinds and times only.</summary>
public sealed record AlertNotice
{
    /// <summary>Gets the subject of the alert.</summary>
    public required AlertKind Kind { get; init; }

    /// <summary>Gets whether the alert has ended.</summary>
    public required bool IsResolved { get; init; }

    /// <summary>
    /// Gets whether the alert ended because its endpoint was removed from the pool, or replaced by another endpoint of the same name. For an alert about
    /// redundancy: because its failure domain has left the pool, or contains the whole pool now.
    /// </summary>
    public bool IsGone { get; init; }

    /// <summary>Gets the name of the pool, or of the status panel.</summary>
    public required string Pool { get; init; }

    /// <summary>Gets the endpoint's name, for an alert about one endpoint.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Gets the name of the burn-rate alert, because a pool has several. Null unless the kind is <see cref="AlertKind.BudgetBurn"/>.</summary>
    public string? BudgetAlert { get; init; }

    /// <summary>Gets the failure domain, for an alert about redundancy, for example <c>account openai-eu</c>.</summary>
    public string? Domain { get; init; }

    /// <summary>Gets the reason: the fault, or the burn-rate alert with its burn rate. Empty if the kind alone is the reason.</summary>
    public required string Detail { get; init; }

    /// <summary>Gets when the alert began.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Gets when this notice was created.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Gets a key that is the same for the beginning and the end of one alert, so that receivers can match them.</summary>
    public string Key => (BudgetAlert ?? Domain) is not { } name ? $"{Pool}/{Endpoint}/{Kind}" : $"{Pool}/{Endpoint}/{Kind}/{name}";

    /// <summary>Gets the notice as one line of text.</summary>
    public string Text
    {
        get
        {
            var pool = Kind is AlertKind.PanelDegraded or AlertKind.PanelUnhealthy ? Pool : $"Pool {Pool}";
            var subject = Endpoint is null ? pool : $"{pool}, endpoint {Endpoint}";
            var text = Detail.Length == 0 ? $"{subject} {What}" : $"{subject} {What} ({Detail})";
            return IsResolved ? $"{text}, after {DurationText.Write(At - Since)}." : text + ".";
        }
    }

    private string What => (Kind, IsResolved) switch
    {
        (AlertKind.RedundancyLost, true) when IsGone => $"no longer checks the loss of {Domain}, which has left the pool or contains the whole pool",
        (_, true) when IsGone => "was removed or replaced",
        (AlertKind.Ejected, false) => "is out of service",
        (AlertKind.Ejected, true) => "is back in service",
        (AlertKind.NeedsAttention, false) => "needs a person's attention",
        (AlertKind.NeedsAttention, true) => "was repaired",
        (AlertKind.Outage, false) => "has an outage: no endpoint can take traffic",
        (AlertKind.Outage, true) => "can serve again",
        (AlertKind.RedundancyLost, false) => $"could not bear the loss of {Domain}",
        (AlertKind.RedundancyLost, true) => $"can bear the loss of {Domain} again",
        (AlertKind.PanelDegraded, false) => "is degraded",
        (AlertKind.PanelDegraded, true) => "has recovered",
        (AlertKind.PanelUnhealthy, false) => "is unhealthy",
        (AlertKind.PanelUnhealthy, true) => "is healthy again",
        (_, false) => "burns its error budget too fast",
        _ => "no longer burns its error budget too fast",
    };
}

/// <summary>Represents one message to a receiver of alerts. It contains one notice, or a digest of several notices. Immutable.</summary>
/// <param name="Notices">The notices in the order of their creation; at least one.</param>
/// <param name="At">The time at which the message was written.</param>
public sealed record AlertMessage(IReadOnlyList<AlertNotice> Notices, DateTimeOffset At)
{
    /// <summary>Gets whether the message is a digest of several notices.</summary>
    public bool IsDigest => Notices.Count > 1;

    /// <summary>Gets the message as text: one line, or for a digest one line for each of the first ten notices.</summary>
    public string Text => Notices.Count == 1
        ? Notices[0].Text
        : $"{Notices.Count} alerts:\n{string.Join('\n', Notices.Take(10).Select(n => n.Text))}{(Notices.Count > 10 ? $"\nand {Notices.Count - 10} more." : "")}";
}
