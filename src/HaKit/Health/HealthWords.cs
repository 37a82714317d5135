namespace HaKit.Health;

/// <summary>
/// Describes a state of health in words that agree with what the pool does: an endpoint that gets no ordinary traffic is never called Healthy, Suspect or
/// SlowStart, and an endpoint that gets traffic is never called Cooling down. Pure.
/// </summary>
internal static class HealthWords
{
    /// <summary>Describes the state at one moment, for example <c>Healthy</c>, <c>Ejected because of ConnectFailed</c>, <c>Cooling down because of Throttled (429)</c>.</summary>
    /// <param name="state">The state.</param>
    /// <param name="now">The current time on the pool's clock. A cooldown whose time has passed is not mentioned.</param>
    /// <param name="isUnreachable">True if no endpoint of the pool can be reached. No endpoint then serves, although none is ejected.</param>
    public static string Describe(HealthState state, TimeSpan now, bool isUnreachable = false)
    {
        if (state.IsInService)
            return InService(state, now, isUnreachable);
        var text = state.Status switch
        {
            EndpointHealthStatus.Draining => "Draining, so it gets no new calls",
            EndpointHealthStatus.ForcedDown => "Forced down by an operator",
            EndpointHealthStatus.Trial => $"Ejected{Because(state)}, on trial",
            _ => $"{state.Status}{Because(state)}",
        };
        return state.IsCooling(now) ? $"{text}, and cooling down because of {state.CooldownCause}" : text;
    }

    private static string InService(HealthState state, TimeSpan now, bool isUnreachable)
    {
        if (state.IsCooling(now))
            return $"Cooling down because of {state.CooldownCause}";
        if (isUnreachable)
            return $"Unreachable{Because(state)}";
        // The endpoint's share of the traffic also grows after a cooldown, so the cause of the cooldown is shown.
        var cause = state.Cause ?? (state.SlowStartShare(now) < 1 ? state.CooldownCause : null);
        return state.SlowStartShare(now) < 1 ? $"{nameof(EndpointHealthStatus.SlowStart)}{Because(cause)}" : $"{state.Status}{Because(cause)}";
    }

    private static string Because(HealthState state) => Because(state.Cause);

    private static string Because(Faults.Fault? cause) => cause is null ? "" : $" because of {cause}";
}
