using HaKit.Availability;

namespace HaKit.Pool;

/// <summary>The limits of the endpoints of one tier, those of one kind put together, as a loss system. Immutable.</summary>
internal sealed class TierLimits
{
    private const int MostExactPlaces = 20_000;
    private const int FixedPointSteps = 40;

    private readonly CallLimit? _windows;
    private readonly CallLimit? _places;
    private readonly double _shareOfWindows;

    public TierLimits(CallLimit[] limits)
    {
        _windows = Together(limits.Where(static l => l.IsWindow));
        _places = Together(limits.Where(static l => !l.IsWindow));
        // While both have room, calls are spread over all endpoints of the tier.
        _shareOfWindows = (double)limits.Count(static l => l.IsWindow) / limits.Length;
    }

    /// <summary>The share of the calls that is lost if full windows let calls through evenly.</summary>
    /// <remarks>
    /// With both kinds it is a fixed point (Kelly, Loss networks, 1991): each is offered its share of the calls and those that find the other full, and a call is lost
    /// that finds both full.
    /// </remarks>
    public double LostWhenEven(double offered)
    {
        if (_windows is not { } windows || _places is not { } places)
            return (_windows ?? _places) is { } only ? Blocked(only, offered) : 1;
        double full = 0.5, busy = 0.5;
        for (var i = 0; i < FixedPointSteps; i++)
        {
            busy = (busy + Blocked(places, offered * (1 - (1 - full) * _shareOfWindows))) / 2;
            full = (full + Blocked(windows, offered * (_shareOfWindows + (1 - _shareOfWindows) * busy))) / 2;
        }
        return full * busy;
    }

    /// <summary>The share of the calls that is lost if windows are open and shut in turn: a call is lost that finds them shut and, at the rate of that time, no place.</summary>
    /// <param name="offered">The calls that are offered to the tier in the mean.</param>
    /// <param name="burst">The calls that are offered while windows are shut.</param>
    public double LostInBursts(double offered, double burst)
    {
        if (_windows is not { } windows)
            return PlacesBusy(burst);
        var offeredToPlaces = offered * (1 - _shareOfWindows);
        var beside = offeredToPlaces * (1 - PlacesBusy(offeredToPlaces));
        return PlacesBusy(burst) * Blocked(windows, Math.Max(0, offered - beside));
    }

    /// <summary>The share of the calls that find no place for a call in flight; 1 where there is no such limit.</summary>
    public double PlacesBusy(double offered) => _places is { } places ? Blocked(places, offered) : 1;

    private static CallLimit? Together(IEnumerable<CallLimit> limits)
    {
        double places = 0, rate = 0;
        var name = "";
        foreach (var limit in limits)
        {
            places += limit.Places;
            rate += limit.CallsPerMinute;
            name = limit.Name;
        }
        return rate > 0 ? new CallLimit(name, places, places / rate) : null;
    }

    // Between two whole numbers of places the formula is interpolated; beyond the exact range the fluid limit is taken.
    private static double Blocked(CallLimit limit, double callsPerMinute)
    {
        var load = callsPerMinute * limit.HeldMinutes;
        if (load <= 0)
            return 0;
        if (limit.Places > MostExactPlaces)
            return Math.Max(0, 1 - limit.Places / load);
        var floor = (int)limit.Places;
        var blocked = Queueing.ErlangB(floor, load);
        return limit.Places == floor ? blocked : blocked + (limit.Places - floor) * (Queueing.ErlangB(floor + 1, load) - blocked);
    }
}
