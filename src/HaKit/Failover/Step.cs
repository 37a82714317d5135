using HaKit.Attempts;

namespace HaKit.Failover;

/// <summary>The next action of a call that has no attempt in flight, or only an attempt that is kept although it is silent.</summary>
internal enum StepKind
{
    Start,
    Wait,
    GiveUp,
}

/// <summary>One decision: the next step of a call.</summary>
internal readonly record struct Step(StepKind Kind, Lease? Lease = null, TimeSpan Until = default, string Why = "")
{
    public static Step Start(Lease lease) => new(StepKind.Start, lease);

    public static Step Wait(TimeSpan until) => new(StepKind.Wait, Until: until);

    public static Step EndCall(string why) => new(StepKind.GiveUp, Why: why);
}
