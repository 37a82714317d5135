using HaKit.Faults;
using HaKit.Recording;

namespace HaKit.Tool.WhatIf;

/// <summary>The state of an endpoint that one attempt or probe shows.</summary>
internal enum ObservationKind
{
    /// <summary>The endpoint answered.</summary>
    Up,

    /// <summary>The endpoint failed, or was silent for longer than any of its answers took.</summary>
    Down,

    /// <summary>The endpoint accepts connections; nothing more is known.</summary>
    Reachable,
}

/// <summary>One observation of an endpoint. Times are counted from the start of the recording.</summary>
internal readonly record struct Observation(TimeSpan At, ObservationKind Kind)
{
    /// <summary>Gets the observed fault; null when the endpoint answered or was silent.</summary>
    public Fault? Fault { get; init; }

    /// <summary>Gets the time that the refusal took.</summary>
    public TimeSpan Took { get; init; }

    /// <summary>Gets the number of chunks of content before the fault; null when there was none.</summary>
    public TimeSpan? FirstContent { get; init; }
}

/// <summary>The time of one answer, divided by the time that an idle endpoint needs for an answer of that size.</summary>
/// <param name="At">The start of the attempt.</param>
/// <param name="First">The ratio for the time to the first content.</param>
/// <param name="Rest">The ratio for the time from the first content to the end.</param>
/// <param name="IsCensored">True if the attempt was cancelled, so the answer would have taken longer by an unknown time.</param>
internal readonly record struct Slowdown(TimeSpan At, double First, double Rest, bool IsCensored);

/// <summary>Converts attempts to observations.</summary>
internal static class RecordedAttempts
{
    /// <summary>Returns true if the duration of the answer is unknown, because the client cancelled the attempt.</summary>
    public static bool IsCensored(RecordedAttempt attempt) => attempt.Fault?.Kind is FaultKind.FirstContentTimeout or FaultKind.AttemptTimeout or FaultKind.IdleTimeout
        or FaultKind.DeadlineExceeded or FaultKind.Superseded or FaultKind.CallerCancelled;

    /// <summary>Returns true if the endpoint answered, also when it refused the request.</summary>
    public static bool IsAnswer(RecordedAttempt attempt) => attempt.Fault is null || attempt.Fault.Blame == FaultBlame.Request;

    public static bool IsThrottle(RecordedAttempt attempt) => attempt.Fault is { Kind: FaultKind.Throttled };
}
