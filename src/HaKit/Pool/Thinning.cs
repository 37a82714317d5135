using HaKit.Limits;

namespace HaKit.Pool;

/// <summary>A large pool made smaller in proportion. Pure functions.</summary>
internal static class Thinning
{
    /// <summary>The same scene with no more than so many calls a minute: limits, what was taken of them and calls in flight become less by the same factor.</summary>
    public static ReplayScene Thin(ReplayScene scene, double mostCallsPerMinute)
    {
        if (scene.Load.CallsPerMinute <= mostCallsPerMinute)
            return scene;
        var by = scene.Load.CallsPerMinute / mostCallsPerMinute;
        return scene with
        {
            Load = scene.Load.Thinned(by),
            Endpoints = [.. scene.Endpoints.Select(e => e with { InFlight = (int)(e.InFlight / by) })],
            Limiters = [.. scene.Limiters.Select(l => new LimiterReading(Thin(l.Requests, by), Thin(l.Tokens, by), l.Places is { } places ? (int)Math.Round(places / by) : null))],
        };
    }

    private static WindowReading? Thin(WindowReading? window, double by) =>
        window is null ? null : new((long)Math.Round(window.Limit / by), [.. window.Taken.Select(taken => (uint)(taken / by))]);
}
