using HaKit.Limits;

namespace HaKit.Pool;

/// <summary>Scales a large pool down in proportion. Pure functions.</summary>
internal static class Thinning
{
    /// <summary>Scales a scene down to the given number of calls per minute. Limits, used amounts and calls in flight are divided by the same factor.</summary>
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
