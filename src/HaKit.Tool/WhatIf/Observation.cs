using HaKit.Faults;
using HaKit.Recording;

namespace HaKit.Tool.WhatIf;

/// <summary>What one attempt or probe showed of an endpoint.</summary>
internal enum ObservationKind
{
    /// <summary>It answered.</summary>
    Up,

    /// <summary>It failed, or was silent for longer than its answers ever take.</summary>
    Down,

    /// <summary>It accepts connections, and nothing more is known.</summary>
    Reachable,
}

/// <summary>One observation of an endpoint. Times are from the beginning of the recording.</summary>
internal readonly record struct Observation(TimeSpan At, ObservationKind Kind)
{
    /// <summary>What was wrong; null while it answered, or was silent.</summary>
    public Fault? Fault { get; init; }

    /// <summary>How long the refusal took.</summary>
    public TimeSpan Took { get; init; }

    /// <summary>Content that came before the fault; null for none.</summary>
    public TimeSpan? FirstContent { get; init; }
}

/// <summary>How long one answer took, divided by the time that an answer of its size takes an idle endpoint.</summary>
/// <param name="At">When the attempt began.</param>
/// <param name="First">To the first content.</param>
/// <param name="Rest">From the first content to the end.</param>
/// <param name="IsCensored">The attempt was given up: the answer would have taken longer, and how much is not recorded.</param>
internal readonly record struct Slowdown(TimeSpan At, double First, double Rest, bool IsCensored);

/// <summary>Sorts attempts by what they show.</summary>
internal static class RecordedAttempts
{
    /// <summary>An attempt was given up by its own side: how long the answer would have taken is not known.</summary>
    public static bool IsCensored(RecordedAttempt attempt) => attempt.Fault?.Kind is FaultKind.FirstContentTimeout or FaultKind.AttemptTimeout or FaultKind.IdleTimeout
        or FaultKind.DeadlineExceeded or FaultKind.Superseded or FaultKind.CallerCancelled;

    /// <summary>The endpoint answered, whatever it said of the request.</summary>
    public static bool IsAnswer(RecordedAttempt attempt) => attempt.Fault is null || attempt.Fault.Blame == FaultBlame.Request;

    public static bool IsThrottle(RecordedAttempt attempt) => attempt.Fault is { Kind: FaultKind.Throttled };
}
