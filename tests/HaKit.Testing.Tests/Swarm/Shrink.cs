namespace HaKit.Testing.Tests.Swarm;

/// <summary>Removes every part of a case without which the case still breaks a promise.</summary>
internal static class Shrink
{
    private const int MostRuns = 200;

    public static SwarmCase Of(SwarmCase broken)
    {
        var runs = 0;
        for (var smaller = true; smaller;)
        {
            smaller = false;
            foreach (var candidate in Candidates(broken))
            {
                if (runs++ < MostRuns && SwarmRun.Of(candidate).Violations.Count > 0)
                {
                    (broken, smaller) = (candidate, true);
                    break;
                }
            }
        }
        return broken;
    }

    private static IEnumerable<SwarmCase> Candidates(SwarmCase whole)
    {
        for (var i = 0; i < whole.Faults.Count; i++)
            yield return whole with { Faults = [.. whole.Faults.Where((_, at) => at != i)] };
        if (whole.Endpoints.Count > 2)
        {
            for (var i = 0; i < whole.Endpoints.Count; i++)
            {
                var name = whole.Endpoints[i].Name;
                // The names stay the same, because they belong to the positions.
                if (i == whole.Endpoints.Count - 1)
                    yield return whole with { Endpoints = [.. whole.Endpoints.SkipLast(1)], Faults = [.. whole.Faults.Where(f => f.Endpoint != name)] };
            }
        }

        if (whole.BadRequests > 0)
            yield return whole with { BadRequests = 0 };
        if (whole.Cancelled > 0)
            yield return whole with { Cancelled = 0 };
        if (whole.Hedging)
            yield return whole with { Hedging = false };
        if (whole.Heartbeats)
            yield return whole with { Heartbeats = false };
        if (whole.Streams > 0)
            yield return whole with { Streams = 0 };
        if (whole.Pause is not null)
            yield return whole with { Pause = null };
        if (whole.Length > TimeSpan.FromSeconds(10))
            yield return whole with { Length = whole.Length * 0.7 };
        for (var i = 0; i < whole.Faults.Count; i++)
        {
            if (whole.Faults[i] is var fault && fault.Until - fault.From > TimeSpan.FromSeconds(1))
                yield return whole with { Faults = [.. whole.Faults.Select((f, at) => at == i ? f with { Until = f.From + (f.Until - f.From) / 2 } : f)] };
        }
    }
}
