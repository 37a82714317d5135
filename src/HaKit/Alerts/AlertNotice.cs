using System.Globalization;

namespace HaKit.Alerts;

/// <summary>What an alert is about.</summary>
public enum AlertKind
{
    /// <summary>An endpoint was taken out of service for what it did.</summary>
    Ejected,

    /// <summary>An endpoint has a quota or a key that a person must repair.</summary>
    NeedsAttention,

    /// <summary>No endpoint of the pool can take traffic.</summary>
    Outage,

    /// <summary>The pool's error budget burns too fast.</summary>
    BudgetBurn,

    /// <summary>The pool works, but could not bear the loss of a failure domain that it is built to bear.</summary>
    RedundancyLost,

    /// <summary>What the application has beside its pools, such as a vault, is not as it should be: an <see cref="IStatusPanel"/> that is not healthy.</summary>
    PanelDegraded,

    /// <summary>The same, and it does not do its work: an <see cref="IStatusPanel"/> that is unhealthy, such as a vault whose last good snapshot is too old.</summary>
    PanelUnhealthy,
}

/// <summary>One alert that began or ended. Immutable; names, kinds and times only.</summary>
public sealed record AlertNotice
{
    /// <summary>What it is about.</summary>
    public required AlertKind Kind { get; init; }

    /// <summary>True: it ended.</summary>
    public required bool IsResolved { get; init; }

    /// <summary>True: it ended because its endpoint was removed from the pool, or replaced by another of its name.</summary>
    public bool IsGone { get; init; }

    /// <summary>The pool's name, or that of the panel.</summary>
    public required string Pool { get; init; }

    /// <summary>The endpoint's name, for an alert about one.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Which of the alerts on the error budget, for one of them: a pool has several.</summary>
    public string? BudgetAlert { get; init; }

    /// <summary>The failure domain, for an alert about the redundancy: <c>account openai-eu</c>.</summary>
    public string? Domain { get; init; }

    /// <summary>Why: the fault, or the alert on the budget and its burn rate; empty for nothing to add.</summary>
    public required string Detail { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>When this came to be.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The same for the beginning and the end of one alert, so that receivers can put them together.</summary>
    public string Key => (BudgetAlert ?? Domain) is not { } name ? $"{Pool}/{Endpoint}/{Kind}" : $"{Pool}/{Endpoint}/{Kind}/{name}";

    /// <summary>It in one line.</summary>
    public string Text
    {
        get
        {
            var pool = Kind is AlertKind.PanelDegraded or AlertKind.PanelUnhealthy ? Pool : $"Pool {Pool}";
            var subject = Endpoint is null ? pool : $"{pool}, endpoint {Endpoint}";
            var text = Detail.Length == 0 ? $"{subject} {What}" : $"{subject} {What} ({Detail})";
            return IsResolved ? string.Create(CultureInfo.InvariantCulture, $"{text}, after {(At - Since).TotalSeconds:0} s.") : text + ".";
        }
    }

    private string What => (Kind, IsResolved) switch
    {
        (_, true) when IsGone => "was removed or replaced",
        (AlertKind.Ejected, false) => "is out of service",
        (AlertKind.Ejected, true) => "is back in service",
        (AlertKind.NeedsAttention, false) => "needs a person's attention",
        (AlertKind.NeedsAttention, true) => "was put right",
        (AlertKind.Outage, false) => "has an outage: no endpoint can take traffic",
        (AlertKind.Outage, true) => "can serve again",
        (AlertKind.RedundancyLost, false) => $"could not bear the loss of {Domain}",
        (AlertKind.RedundancyLost, true) => $"can bear the loss of {Domain} again",
        (AlertKind.PanelDegraded, false) => "is degraded",
        (AlertKind.PanelDegraded, true) => "is well again",
        (AlertKind.PanelUnhealthy, false) => "does not do its work",
        (AlertKind.PanelUnhealthy, true) => "does its work again",
        (_, false) => "burns its error budget too fast",
        _ => "no longer burns its error budget too fast",
    };
}

/// <summary>What a receiver is sent: one notice, or of a flood a digest of many. Immutable.</summary>
/// <param name="Notices">In the order in which they came to be; at least one.</param>
/// <param name="At">When it was written.</param>
public sealed record AlertMessage(IReadOnlyList<AlertNotice> Notices, DateTimeOffset At)
{
    /// <summary>Does it stand for many?</summary>
    public bool IsDigest => Notices.Count > 1;

    /// <summary>It in one line, or of a digest in one line for each of the first ten.</summary>
    public string Text => Notices.Count == 1
        ? Notices[0].Text
        : $"{Notices.Count} alerts:\n{string.Join('\n', Notices.Take(10).Select(n => n.Text))}{(Notices.Count > 10 ? $"\nand {Notices.Count - 10} more." : "")}";
}
