using HaKit.Testing;

namespace HaKit.Tool.Rehearsals;

/// <summary>The plan of a rehearsal.</summary>
internal sealed record Plan
{
    public required string Title { get; init; }

    public required int Seed { get; init; }

    /// <summary>Gets whether a call may try a second endpoint.</summary>
    public required bool Failover { get; init; }

    /// <summary>The share of calls that ask for a stream.</summary>
    public required double StreamedShare { get; init; }

    /// <summary>Gets the period during which calls arrive.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The calls, in order of time.</summary>
    public required IEnumerable<Arrival> Arrivals { get; init; }

    /// <summary>The troubles, in order of time.</summary>
    public required IReadOnlyList<Act> Acts { get; init; }

    /// <summary>Gets the behaviour of the servers without trouble.</summary>
    public required FakeFault Usual { get; init; }

    /// <summary>Gets the additional time of a slowed server.</summary>
    public required TimeSpan Slowness { get; init; }

    public required TimeSpan AttemptTimeout { get; init; }

    public required TimeSpan Deadline { get; init; }
}

/// <summary>One call to be made.</summary>
/// <param name="At">When, counted from the beginning.</param>
/// <param name="PromptTokens">The least length of its prompt.</param>
/// <param name="AnswerTokens">The length of its answer; null for the server's choice.</param>
internal sealed record Arrival(TimeSpan At, int PromptTokens = 0, int? AnswerTokens = null);

internal static class Arrivals
{
    /// <summary>A Poisson process: calls that know nothing of each other.</summary>
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

/// <summary>One server's trouble, and its end.</summary>
internal sealed record Act(int Server, Trouble Trouble, TimeSpan From, TimeSpan Until)
{
    /// <summary>Killed, slowed and throttled in turn; one at a time, so that a call always has somewhere to go.</summary>
    public static IReadOnlyList<Act> Drill(TimeSpan duration) =>
    [
        new(0, Trouble.Killed, 0.10 * duration, 0.25 * duration),
        new(1, Trouble.Slowed, 0.32 * duration, 0.46 * duration),
        new(2, Trouble.Throttled, 0.53 * duration, 0.67 * duration),
        new(0, Trouble.Killed, 0.74 * duration, 0.88 * duration),
    ];

    /// <summary>One killed, then another slowed.</summary>
    public static IReadOnlyList<Act> Replay(TimeSpan duration) =>
    [
        new(0, Trouble.Killed, 0.15 * duration, 0.40 * duration),
        new(1, Trouble.Slowed, 0.50 * duration, 0.75 * duration),
    ];
}
