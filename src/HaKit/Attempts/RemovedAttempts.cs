namespace HaKit.Attempts;

/// <summary>
/// Counts, for each endpoint, the attempts of a call that its <see cref="AttemptHistory"/> no longer lists, because there were too many. Owned by one call; not
/// thread-safe.
/// </summary>
internal sealed class RemovedAttempts
{
    private readonly List<(EndpointState State, AttemptHistory.Findings Findings)> _counts = [];

    public void Add(in AttemptHistory.Entry entry)
    {
        var at = IndexOf(entry.State);
        var findings = at < 0 ? default : _counts[at].Findings;
        findings.Add(in entry);
        findings.IsUnderWay = false; // the end of an attempt that is no longer listed is not recorded
        if (at < 0)
            _counts.Add((entry.State, findings));
        else
            _counts[at] = (entry.State, findings);
    }

    /// <summary>Gets the findings from these attempts about one endpoint, without its faults.</summary>
    public AttemptHistory.Findings FindingsOf(EndpointState state) => IndexOf(state) is >= 0 and var at ? _counts[at].Findings : default;

    private int IndexOf(EndpointState state)
    {
        for (var i = 0; i < _counts.Count; i++)
        {
            if (ReferenceEquals(_counts[i].State, state))
                return i;
        }

        return -1;
    }
}
