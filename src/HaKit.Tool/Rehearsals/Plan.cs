using HaKit.Testing;

namespace HaKit.Tool.Rehearsals;

/// <summary>The plan of a rehearsal.</summary>
internal sealed record Plan
{
    public required string Title { get; init; }

    public required int Seed { get; init; }

    /// <summary>Gets whether a call may try a second endpoint.</summary>
    public required bool Failover { get; init; }

    /// <summary>Gets the share of calls that ask for a stream, 0 to 1.</summary>
    public required double StreamedShare { get; init; }

    /// <summary>Gets the period during which calls arrive.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Gets the calls, in order of time.</summary>
    public required IEnumerable<Arrival> Arrivals { get; init; }

    /// <summary>Gets the troubles, in order of time.</summary>
    public required IReadOnlyList<Act> Acts { get; init; }

    /// <summary>Gets the behaviour of the servers without trouble.</summary>
    public required FakeFault Usual { get; init; }

    /// <summary>Gets the additional time of a slowed server.</summary>
    public required TimeSpan Slowness { get; init; }

    public required TimeSpan AttemptTimeout { get; init; }

    public required TimeSpan Deadline { get; init; }
}

/// <summary>One planned call.</summary>
/// <param name="At">The time of the call, counted from the start.</param>
/// <param name="PromptTokens">The minimum length of the prompt, in tokens.</param>
/// <param name="AnswerTokens">The length of the answer, in tokens; null lets the server choose.</param>
internal sealed record Arrival(TimeSpan At, int PromptTokens = 0, int? AnswerTokens = null);

internal static class Arrivals
{
    /// <summary>Creates a Poisson process: independent calls.</summary>
    public static IEnumerable<Arrival> AtRandom(double rate, TimeSpan duration, int seed)
    {
        var random = new Random(seed);
        var seconds = 0.0;
        while ((seconds -= Math.Log(1 - random.NextDouble()) / rate) < duration.TotalSeconds)
            yield return new Arrival(TimeSpan.FromSeconds(seconds));
    }
}

/// <summary>The kind of trouble of a server.</summary>
internal enum Trouble
{
    Killed,
    Slowed,
    Throttled,
}

/// <summary>The trouble of one server, and the end of the trouble.</summary>
internal sealed record Act(int Server, Trouble Trouble, TimeSpan From, TimeSpan Until)
{
    /// <summary>
    /// Creates troubles in which a server is killed, slowed or throttled. Only one server has trouble at a time, so that another endpoint can always serve.
    /// </summary>
    public static IReadOnlyList<Act> Drill(TimeSpan duration) =>
    [
        new(0, Trouble.Killed, 0.10 * duration, 0.25 * duration),
        new(1, Trouble.Slowed, 0.32 * duration, 0.46 * duration),
        new(2, Trouble.Throttled, 0.53 * duration, 0.67 * duration),
        new(0, Trouble.Killed, 0.74 * duration, 0.88 * duration),
    ];

    /// <summary>Creates two troubles: one server is killed, then another is slowed.</summary>
    public static IReadOnlyList<Act> Replay(TimeSpan duration) =>
    [
        new(0, Trouble.Killed, 0.15 * duration, 0.40 * duration),
        new(1, Trouble.Slowed, 0.50 * duration, 0.75 * duration),
    ];
}
