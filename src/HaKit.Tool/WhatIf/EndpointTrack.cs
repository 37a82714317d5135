using HaKit.Faults;
using HaKit.Recording;

namespace HaKit.Tool.WhatIf;

/// <summary>
/// One endpoint of a recording, with predictions of its answers at any moment. Between two equal observations that are at most a minute apart, the endpoint had
/// the observed state. Between two different observations that are at most two seconds apart, the nearer observation applies. At all other times the state is
/// unknown, and the prediction follows one of the two assumptions of <see cref="Unknown"/>. Pure; immutable.
/// </summary>
internal sealed class EndpointTrack
{
    private static readonly TimeSpan s_longestGap = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_shortGap = TimeSpan.FromSeconds(2);

    // The times of answers are taken from the nearest observations, because endpoints become slower and faster during a day.
    private const int Neighbours = 40;

    // This many cancelled attempts in a row, without an answer between them, mean a silent endpoint, not a slow one.
    private const int SilenceInRow = 3;

    private readonly Observation[] _observations;
    private readonly Slowdown[] _slowdowns;
    private readonly ProbeObservation[] _probes;
    private readonly double[] _firsts;
    private readonly double[] _rests;

    private EndpointTrack(string name, Observation[] observations, Slowdown[] slowdowns, ProbeObservation[] probes, WorkModel work, QuotaModel? quota)
    {
        Name = name;
        (_observations, _slowdowns, _probes) = (observations, slowdowns, probes);
        (Work, Quota) = (work, quota);
        _firsts = [.. slowdowns.Where(static p => !p.IsCensored).Select(static p => p.First).Order()];
        _rests = [.. slowdowns.Where(static p => !p.IsCensored).Select(static p => p.Rest)];
    }

    public string Name { get; }

    public WorkModel Work { get; }

    public QuotaModel? Quota { get; }

    /// <summary>Gets whether the times of the endpoint are known, because it has answered an attempt.</summary>
    public bool HasTimes => _firsts.Length > 0;

    /// <summary>Gets the level of the endpoint's probes; reachability when there were none, as for the usual probe.</summary>
    public ProbeLevel ProbeLevel => _probes.Length > 0 ? _probes[^1].Level : ProbeLevel.Reachable;

    /// <summary>Gets the observations, in order.</summary>
    public IReadOnlyList<Observation> All => _observations;

    public static EndpointTrack FromRecords(
        string name, DateTimeOffset from, RecordedAttempt[] attempts, RecordedProbe[] probes, IReadOnlyDictionary<(int Recorder, long Call), (int Input, int Output)> tokens)
    {
        Array.Sort(attempts, static (a, b) => a.At.CompareTo(b.At));
        var quota = QuotaModel.Learn([.. attempts.Where(a => RecordedAttempts.IsAnswer(a) || RecordedAttempts.IsCensored(a) || RecordedAttempts.IsThrottle(a))
            .Select(a => new QuotaSample(a.At - from, SumOf(tokens.GetValueOrDefault((a.Recorder, a.Call))), RecordedAttempts.IsThrottle(a)))]);
        var answers = attempts.Where(static a => a.Fault is null).ToArray();
        WorkSample[] samples = [.. answers.Select(a => SampleOf(a, from))];
        var longest = LongestUsual(answers);
        var silences = SilencesOf(attempts, longest);
        (TimeSpan, TimeSpan)[] busy = [.. attempts.Where((a, i) => a.Fault is null || RecordedAttempts.IsCensored(a) && !silences[i]).Select(a => (a.At - from, a.At - from + a.Took))];
        var work = WorkModel.Learn(samples, busy);
        var load = new LoadHistory(busy);
        var observations = new List<Observation>(attempts.Length + probes.Length);
        var slowdowns = new List<Slowdown>(attempts.Length);
        for (var i = 0; i < attempts.Length; i++)
        {
            var attempt = attempts[i];
            if (quota is not null && RecordedAttempts.IsThrottle(attempt))
                continue;
            var isCensored = RecordedAttempts.IsCensored(attempt) && !silences[i];
            if (attempt.Fault is null || isCensored)
                slowdowns.Add(SlowdownOf(attempt, from, work, load, isCensored, tokens));
            observations.Add(ObservationOf(attempt, from, silences[i]));
        }
        observations.AddRange(probes.Select(p => ObservationOf(p, from)));
        return new EndpointTrack(
            name, WithoutNoise([.. observations.OrderBy(static s => s.At)]), [.. slowdowns.OrderBy(static p => p.At)],
            [.. probes.OrderBy(static p => p.At).Select(p => new ProbeObservation(p.At - from, p.Fault, p.Took, p.Level))], work, quota);
    }

    /// <summary>Predicts the endpoint's answer to an attempt.</summary>
    /// <param name="at">The start of the attempt.</param>
    /// <param name="input">The number of tokens of the prompt.</param>
    /// <param name="output">The number of tokens of the answer.</param>
    /// <param name="unknown">The assumption for times that the recording does not show.</param>
    /// <param name="random">Chooses among equally likely answers.</param>
    public PredictedAnswer At(TimeSpan at, int input, int output, Unknown unknown, Random random)
    {
        var (before, after) = Around(at);
        var observation = FindObservation(at, before, after);
        if (observation is { Kind: ObservationKind.Down } down)
            return Refusal(down);
        if (observation is null && unknown == Unknown.IsDown)
            return Assumed(before, after);
        return Answer(at, input, output, unknown, random) with { IsAssumed = observation is null };
    }

    /// <summary>Predicts the result of a probe; null when the recording does not show it.</summary>
    public (Fault? Fault, bool IsSilent, TimeSpan After) ProbeAt(TimeSpan at, ProbeLevel level, Unknown unknown)
    {
        var i = Array.BinarySearch(_probes, new ProbeObservation(at, null, default, level), ProbeObservation.ByTime);
        if (i < 0)
            i = ~i;
        ProbeObservation? nearest = null;
        foreach (var place in new[] { i - 1, i })
        {
            if (place >= 0 && place < _probes.Length && (nearest is null || (_probes[place].At - at).Duration() < (nearest.Value.At - at).Duration()))
                nearest = _probes[place];
        }
        if (nearest is { } probe && (probe.At - at).Duration() <= s_longestGap)
            return (probe.Fault, false, probe.Took);
        // Without a probe near this time, the attempts decide what a probe of the same level would find.
        var (before, after) = Around(at);
        if (FindObservation(at, before, after) is { } observation)
            return observation.Kind == ObservationKind.Down && (level == ProbeLevel.Generating || observation.Fault?.IsConnectClass == true) ? (observation.Fault, observation.Fault is null, observation.Took) : (null, false, default);
        return unknown == Unknown.IsDown ? (new Fault(FaultKind.ConnectFailed), false, default) : (null, false, default);
    }

    private (Observation? Before, Observation? After) Around(TimeSpan at)
    {
        var (low, high) = (0, _observations.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_observations[middle].At <= at)
                low = middle + 1;
            else
                high = middle;
        }
        return (low > 0 ? _observations[low - 1] : null, low < _observations.Length ? _observations[low] : null);
    }

    // Returns the observation that applies at a moment; null when there is none.
    private static Observation? FindObservation(TimeSpan at, Observation? before, Observation? after)
    {
        if (before is not { } first || after is not { } second)
            return (before ?? after) is { Kind: not ObservationKind.Reachable } only && (only.At - at).Duration() <= s_longestGap / 2 ? only : null;
        if (first.Kind == ObservationKind.Reachable || second.Kind == ObservationKind.Reachable)
            return null;
        var gap = second.At - first.At;
        if (gap > (first.Kind == second.Kind ? s_longestGap : s_shortGap))
            return null;
        return at - first.At <= second.At - at ? first : second;
    }

    private static PredictedAnswer Refusal(Observation down) => new()
    {
        Fault = down.Fault,
        IsSilent = down.Fault is null,
        After = down.Took,
        ContentBeforeFault = down.FirstContent,
    };

    // The prediction is the nearest known trouble. An endpoint about which nothing is known is assumed to refuse connections.
    private static PredictedAnswer Assumed(Observation? before, Observation? after)
    {
        if (before is { Kind: ObservationKind.Down } first)
            return Refusal(first) with { IsAssumed = true };
        if (after is { Kind: ObservationKind.Down } second)
            return Refusal(second) with { IsAssumed = true };
        return new PredictedAnswer { Fault = new Fault(FaultKind.ConnectFailed), IsAssumed = true };
    }

    private PredictedAnswer Answer(TimeSpan at, int input, int output, Unknown unknown, Random random)
    {
        if (_slowdowns.Length == 0)
            return new PredictedAnswer { IsAssumed = true };
        var slowdown = Nearby(at, random);
        var (first, rest) = (slowdown.First, slowdown.Rest);
        if (slowdown.IsCensored)
        {
            // Redistribution to the right (Efron 1967): a cancelled answer is assumed to take as long as one of the answers that took longer.
            var longer = FirstAbove(first);
            if (longer < _firsts.Length)
                first = _firsts[random.Next(longer, _firsts.Length)];
            else if (unknown == Unknown.IsDown)
                return new PredictedAnswer { IsSilent = true, IsAssumed = true };
            rest = _rests.Length > 0 ? _rests[random.Next(_rests.Length)] : 0;
        }
        return new PredictedAnswer
        {
            First = TimeSpan.FromSeconds(first * Work.First(input, output)),
            Rest = TimeSpan.FromSeconds(rest * Work.Rest(input, output)),
        };
    }

    private Slowdown Nearby(TimeSpan at, Random random)
    {
        var (low, high) = (0, _slowdowns.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_slowdowns[middle].At <= at)
                low = middle + 1;
            else
                high = middle;
        }
        var from = Math.Clamp(low - Neighbours / 2, 0, Math.Max(0, _slowdowns.Length - Neighbours));
        return _slowdowns[random.Next(from, Math.Min(_slowdowns.Length, from + Neighbours))];
    }

    private int FirstAbove(double value)
    {
        var place = Array.BinarySearch(_firsts, value);
        if (place < 0)
            return ~place;
        while (place < _firsts.Length && _firsts[place] <= value)
            place++;
        return place;
    }

    private static WorkSample SampleOf(RecordedAttempt a, DateTimeOffset from) =>
        new(a.At - from, a.FirstContent ?? a.Took, a.Took, a.InputTokens ?? 0, a.OutputTokens ?? 0);

    private static Slowdown SlowdownOf(
        RecordedAttempt attempt, DateTimeOffset from, WorkModel work, LoadHistory load, bool isCensored, IReadOnlyDictionary<(int, long), (int Input, int Output)> tokens)
    {
        var at = attempt.At - from;
        var whole = work.WorkOf(load, at, at + attempt.Took);
        var (input, output) = (attempt.InputTokens ?? 0, attempt.OutputTokens ?? 0);
        if (isCensored)
        {
            var call = tokens.GetValueOrDefault((attempt.Recorder, attempt.Call));
            return new Slowdown(at, whole / work.First(call.Input, call.Output), 0, IsCensored: true);
        }
        var first = attempt.FirstContent is { } content ? work.WorkOf(load, at, at + content) : whole;
        return new Slowdown(at, first / work.First(input, output), (whole - first) / work.Rest(input, output), IsCensored: false);
    }

    private static Observation ObservationOf(RecordedAttempt attempt, DateTimeOffset from, bool isSilence)
    {
        var isUp = RecordedAttempts.IsAnswer(attempt) || RecordedAttempts.IsCensored(attempt) && !isSilence;
        return new Observation(attempt.At - from, isUp ? ObservationKind.Up : ObservationKind.Down)
        {
            Fault = isUp || isSilence ? null : attempt.Fault,
            Took = attempt.Took,
            FirstContent = attempt.FirstContent,
        };
    }

    private static Observation ObservationOf(RecordedProbe probe, DateTimeOffset from)
    {
        if (probe.Fault is { } fault)
            return new Observation(probe.At - from, ObservationKind.Down) { Fault = fault.Kind == FaultKind.AttemptTimeout ? null : fault, Took = probe.Took };
        return new Observation(probe.At - from, probe.Level == ProbeLevel.Generating ? ObservationKind.Up : ObservationKind.Reachable);
    }

    private static int SumOf((int Input, int Output) tokens) => tokens.Input + tokens.Output;

    // A successful connection is evidence only about an endpoint that refused connections before.
    private static Observation[] WithoutNoise(Observation[] observations)
    {
        var kept = new List<Observation>(observations.Length);
        var wasOut = false;
        foreach (var observation in observations)
        {
            if (observation.Kind != ObservationKind.Reachable)
                wasOut = observation is { Kind: ObservationKind.Down, Fault: { IsConnectClass: true } or null };
            else if (!wasOut)
                continue;
            kept.Add(observation);
        }
        return [.. kept];
    }

    /// <summary>Creates an endpoint that the recording does not contain. When it is assumed to be up, it answers like another endpoint.</summary>
    public static EndpointTrack Unseen(string name, EndpointTrack like) => new(name, [], like._slowdowns, [], like.Work, null);

    private static TimeSpan LongestUsual(RecordedAttempt[] answers)
    {
        if (answers.Length == 0)
            return TimeSpan.Zero;
        double[] firsts = [.. answers.Select(static a => (a.FirstContent ?? a.Took).TotalSeconds).Order()];
        return TimeSpan.FromSeconds(3 * PoolFigures.Quantile(firsts, 0.99));
    }

    // Finds the cancelled attempts that show a silent endpoint, not a slow one.
    private static bool[] SilencesOf(RecordedAttempt[] attempts, TimeSpan longestUsual)
    {
        var silences = new bool[attempts.Length];
        var row = 0;
        for (var i = 0; i <= attempts.Length; i++)
        {
            if (i < attempts.Length && RecordedAttempts.IsCensored(attempts[i]) && attempts[i].FirstContent is null)
            {
                silences[i] = attempts[i].Took >= longestUsual;
                row++;
                continue;
            }
            if (row >= SilenceInRow)
                silences.AsSpan(i - row, row).Fill(true);
            row = 0;
        }
        return silences;
    }

    private readonly record struct ProbeObservation(TimeSpan At, Fault? Fault, TimeSpan Took, ProbeLevel Level)
    {
        public static IComparer<ProbeObservation> ByTime { get; } = Comparer<ProbeObservation>.Create(static (a, b) => a.At.CompareTo(b.At));
    }
}
