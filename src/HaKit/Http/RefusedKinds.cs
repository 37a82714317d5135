using System.Collections.Concurrent;
using HaKit.Attempts;
using HaKit.Health;

namespace HaKit.Http;

/// <summary>
/// Remembers which endpoints refuse requests with a feature (images, tools, embeddings) that other endpoints serve. Requests with this feature then avoid the
/// endpoint for 30 s. All other requests still use it, because its health does not count these refusals. Bounded; thread-safe.
/// </summary>
/// <param name="time">The pool's time.</param>
internal sealed class RefusedKinds(TimeProvider time)
{
    private const int MostKept = 512;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(30);

    // While any refusal is remembered, every call examines its body for these features.
    private static readonly TimeSpan s_memory = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<(string Endpoint, string Kind), Row> _rows = new();

    /// <summary>Removes expired refusals. Returns whether any refusal is left.</summary>
    public bool RemembersAny()
    {
        if (_rows.IsEmpty)
        {
            return false;
        }
        foreach (var (key, row) in _rows)
        {
            if (row.LapsesAt <= time.GetTimestamp())
            {
                _rows.TryRemove(KeyValuePair.Create(key, row));
            }
        }
        return !_rows.IsEmpty;
    }

    /// <summary>Records the refusals of a call that another endpoint has served.</summary>
    public void AddRefusals(CallDetail detail, HealthOptions options)
    {
        if (detail.AttemptCount == 1)
        {
            return;
        }
        foreach (var attempt in detail.Attempts)
        {
            if (attempt.Fault?.RequestFeature is { } kind)
            {
                AddRefusal(attempt.Endpoint, kind, options);
            }
        }
    }

    /// <summary>Records that the endpoint refused a request of this kind, and that another endpoint then served it.</summary>
    public void AddRefusal(string endpoint, string kind, HealthOptions options)
    {
        if (options.RefusalsRule != RuleMode.Enforce || _rows.Count >= MostKept && !_rows.ContainsKey((endpoint, kind)))
        {
            return;
        }
        var (until, lapses) = (After(s_pause), After(s_memory));
        _rows.AddOrUpdate((endpoint, kind), new Row(1, 0, lapses), (_, row) => row.Refusals + 1 is var more && more >= options.FailuresToEject ? new Row(more, until, lapses) : new Row(more, 0, lapses));
    }

    /// <summary>Records that the endpoint served a request of these kinds, which ends its consecutive refusals.</summary>
    public void AddSuccess(string endpoint, IReadOnlyList<string> kinds)
    {
        foreach (var kind in kinds)
        {
            _rows.TryRemove((endpoint, kind), out _);
        }
    }

    /// <summary>
    /// Makes the profile prefer the endpoints that do not refuse requests of such kinds now. The profile stays the same if no endpoint would be left. The
    /// endpoints that refuse stay in the profile, because the refused requests may have had something else in common, and the other endpoints may go down.
    /// </summary>
    public RequestProfile Avoid(RequestProfile profile, IReadOnlyList<EndpointState> members, IReadOnlyList<string> kinds)
    {
        if (kinds.Count == 0)
        {
            return profile;
        }
        var names = profile.Endpoints.Count > 0 ? profile.Endpoints : [.. members.Select(m => m.Endpoint.Name)];
        string[] left = [.. names.Where(name => !kinds.Any(kind => IsRefused(name, kind)))];
        return left.Length == 0 || left.Length == names.Count ? profile : profile with { Preferred = profile with { Endpoints = left } };
    }

    private long After(TimeSpan wait) => time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);

    private bool IsRefused(string endpoint, string kind) =>
        _rows.TryGetValue((endpoint, kind), out var row) && row.Until > time.GetTimestamp();

    /// <param name="Refusals">The number of consecutive refusals.</param>
    /// <param name="Until">The time until which requests of the kind avoid the endpoint; 0: they do not.</param>
    /// <param name="LapsesAt">The time at which the row is removed, unless the endpoint refuses again.</param>
    private readonly record struct Row(int Refusals, long Until, long LapsesAt);
}
