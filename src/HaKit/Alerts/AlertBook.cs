using System.Globalization;
using HaKit.Availability;
using HaKit.Faults;
using HaKit.Health;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.Alerts;

/// <summary>
/// Keeps the active alerts and the notices that were sent, and computes from the difference the notices that are due. So each alert is sent once, a flapping
/// endpoint sends one alert per quiet time, and the end of an alert is sent too. The quiet time is measured with the monotonic clock, because the wall clock may
/// be set. Not thread-safe; the caller must hold a lock.
/// </summary>
internal sealed class AlertBook(TimeSpan quiet, TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();
    private readonly Dictionary<(string Pool, string? Endpoint, AlertKind Kind, string Name), Entry> _entries = [];
    private readonly List<AlertNotice> _passed = [];

    private sealed class Entry
    {
        public bool IsOn;
        public bool IsSent;
        public bool IsGone;
        public string Detail = "";
        public DateTimeOffset Since;
        public DateTimeOffset Changed;
        public TimeSpan? SentAt;
    }

    /// <summary>Gets the number of alerts that are kept: active alerts, and ended alerts within their quiet time.</summary>
    public int Count => _entries.Count;

    private TimeSpan Now => time.GetElapsedTime(_origin);

    /// <summary>Records an event of a pool.</summary>
    public void RecordEvent(PoolEvent happened)
    {
        switch (happened)
        {
            case EndpointChanged e:
                SetHealth(e, e.Endpoint, e.After, (e as EndpointEjected)?.Fault);
                break;
            case EndpointRemoved e:
                Set(e, e.Endpoint, AlertKind.Ejected, false);
                Set(e, e.Endpoint, AlertKind.NeedsAttention, false);
                break;
            case OutageBegan:
                Set(happened, null, AlertKind.Outage, true);
                break;
            case OutageEnded:
                Set(happened, null, AlertKind.Outage, false);
                break;
            case StatusRead read:
                SetStatus(read);
                break;
            case RedundancyRead read:
                SetRedundancy(read);
                break;
            case PanelRead { Panel: var panel }:
                // The change from degraded to unhealthy sends only one notice, because it does not end the alert about the degraded state.
                if (panel.State != HealthStatus.Unhealthy)
                    Set(happened, null, AlertKind.PanelDegraded, panel.State == HealthStatus.Degraded, panel.Summary);
                Set(happened, null, AlertKind.PanelUnhealthy, panel.State == HealthStatus.Unhealthy, panel.Summary);
                break;
            case BudgetAlert { Status: var status }:
                SetBudget(happened, status);
                break;
        }
    }

    /// <summary>Gets the notices that are due, and the time until the next check. Null: no check is needed before the next event.</summary>
    public (List<AlertNotice> Notices, TimeSpan? CheckIn) Due()
    {
        var now = Now;
        List<AlertNotice> notices = [.. _passed];
        _passed.Clear();
        TimeSpan? checkIn = null;
        foreach (var (key, entry) in _entries)
        {
            if (entry.IsOn == entry.IsSent)
            {
                if (!entry.IsOn && !(entry.SentAt + quiet > now))
                    _entries.Remove(key);
                continue;
            }
            if (entry.IsOn && entry.SentAt + quiet is { } quietUntil && quietUntil > now)
            {
                checkIn = checkIn is { } sooner && sooner < quietUntil - now ? sooner : quietUntil - now;
                continue;
            }
            entry.IsSent = entry.IsOn;
            if (entry.IsOn)
                entry.SentAt = now;
            notices.Add(NoticeOf(key, entry, isResolved: !entry.IsOn));
        }
        notices.Sort(static (a, b) => a.At.CompareTo(b.At));
        return (notices, checkIn);
    }

    // A trial, and a change within the ejection, do not change the alert about the ejection.
    private void SetHealth(PoolEvent happened, string endpoint, HealthState health, Fault? fault)
    {
        if (health.Status == EndpointHealthStatus.Ejected)
            Set(happened, endpoint, AlertKind.Ejected, true, (fault ?? health.Cause)?.ToString() ?? "");
        else if (health.IsInService || health.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown)
            Set(happened, endpoint, AlertKind.Ejected, false);
        Set(happened, endpoint, AlertKind.NeedsAttention, health.CooldownUntil == TimeSpan.MaxValue, health.CooldownCause?.ToString() ?? "");
    }

    private void SetBudget(PoolEvent happened, in BurnRateStatus status) =>
        Set(happened, null, AlertKind.BudgetBurn, status.Firing,
            string.Create(CultureInfo.InvariantCulture, $"{status.Alert.Name}: {status.LongBurn:0.#} times"), status.Alert.Name);

    private void SetStatus(StatusRead read)
    {
        var status = read.Status;
        foreach (var endpoint in status.Endpoints)
        {
            var isOut = endpoint.Health.Status == EndpointHealthStatus.Ejected || endpoint.Health.CooldownUntil == TimeSpan.MaxValue;
            SetHealth(isOut && endpoint.OutSince is { } since ? read with { At = since } : read, endpoint.Name, endpoint.Health, null);
        }
        foreach (var burn in read.Budget)
            SetBudget(read, burn);
        Set(read.OutageSince is { } began ? read with { At = began } : read, null, AlertKind.Outage, read.OutageSince is not null);
        foreach (var key in _entries.Keys)
        {
            if (key.Pool != read.Pool)
                continue;
            if (key.Endpoint is { } name && !status.Endpoints.Any(e => e.Name == name))
                Set(read, name, key.Kind, false, isGone: true);
            else if (key.Kind == AlertKind.BudgetBurn && !read.Budget.Any(b => b.Alert.Name == key.Name))
                Set(read, null, AlertKind.BudgetBurn, false, name: key.Name);
        }
    }

    private void SetRedundancy(RedundancyRead read)
    {
        if (read.MostLost is { } most)
        {
            foreach (var loss in read.Losses)
                Set(read, null, AlertKind.RedundancyLost, loss.LostShare > most, loss.ToString(), NameOf(loss));
        }

        // Nothing is computed any more for a domain that has left the pool or contains the whole pool now, so its alert ends.
        foreach (var key in _entries.Keys)
        {
            if (key.Kind == AlertKind.RedundancyLost && key.Pool == read.Pool && !read.Losses.Any(loss => NameOf(loss) == key.Name))
                Set(read, null, AlertKind.RedundancyLost, false, name: key.Name, isGone: true);
        }
    }

    private static string NameOf(DomainLoss loss) => $"{loss.Domain.ToString().ToLowerInvariant()} {loss.Name}";

    private void Set(PoolEvent happened, string? endpoint, AlertKind kind, bool isOn, string detail = "", string name = "", bool isGone = false)
    {
        var key = (happened.Pool, endpoint, kind, name);
        if (!_entries.TryGetValue(key, out var entry))
        {
            if (!isOn)
                return;
            _entries.Add(key, entry = new Entry());
        }
        if (isOn == entry.IsOn)
            return;
        entry.IsOn = isOn;
        entry.IsGone = isGone || happened is EndpointRemoved;
        entry.Changed = happened.At;
        if (isOn)
        {
            (entry.Since, entry.Detail) = (happened.At, detail);
        }
        else if (!entry.IsSent && Now is var now && !(entry.SentAt + quiet > now))
        {
            // The alert began and ended before it was sent: it is sent once, as ended.
            entry.SentAt = now;
            _passed.Add(NoticeOf(key, entry, isResolved: true));
        }
    }

    private static AlertNotice NoticeOf((string Pool, string? Endpoint, AlertKind Kind, string Name) key, Entry entry, bool isResolved) => new()
    {
        Kind = key.Kind,
        IsResolved = isResolved,
        IsGone = entry.IsGone,
        Pool = key.Pool,
        Endpoint = key.Endpoint,
        BudgetAlert = key.Kind == AlertKind.BudgetBurn ? key.Name : null,
        Domain = key.Kind == AlertKind.RedundancyLost ? key.Name : null,
        Detail = entry.Detail,
        Since = entry.Since,
        At = entry.Changed,
    };
}

/// <summary>Reports the state of a pool. It is read when alerts begin, and when events of the pool were dropped.</summary>
internal sealed record StatusRead : PoolEvent
{
    public required PoolStatus Status { get; init; }

    /// <summary>Gets the alerts of the pool's objective.</summary>
    public required IReadOnlyList<BurnRateStatus> Budget { get; init; }

    /// <summary>
    /// Gets the start of the outage that the pool has reported in an event. The pool will also report its end. Null: there is no such outage. <see
    /// cref="Status"/> may show an outage without such an event, because its endpoints are read one after another.
    /// </summary>
    public DateTimeOffset? OutageSince { get; init; }
}

/// <summary>Reports that the losses of a pool's failure domains were computed.</summary>
internal sealed record RedundancyRead : PoolEvent
{
    /// <summary>Gets the losses of the domains that do not contain the whole pool.</summary>
    public required IReadOnlyList<DomainLoss> Losses { get; init; }

    /// <summary>Gets the share of calls above which the redundancy is lost. Null: calls find no capacity even now, so no loss is reported.</summary>
    public required double? MostLost { get; init; }
}

/// <summary>Reports that a status panel was read. The event's pool is the name of the panel.</summary>
internal sealed record PanelRead : PoolEvent
{
    public required StatusPanel Panel { get; init; }
}
