using HaKit.Faults;
using HaKit.Recording;

namespace HaKit.Tool.WhatIf;

/// <summary>
/// One endpoint as a recording shows it, and how it would have answered at any moment. Between two observations that agree the endpoint was as they say, if they lie at
/// most a minute apart; between two that do not, the nearer decides if they lie at most two seconds apart. Everything else is unknown, and answered as one of the two
/// bounds says. Pure; immutable.
/// </summary>
internal sealed class EndpointTrack
{
    private static readonly TimeSpan s_longestGap = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_shortGap = TimeSpan.FromSeconds(2);

    // Times of answers are taken from the nearest ones: endpoints become slower and faster with the hour.
    private const int Neighbours = 40;

    // So many attempts in a row that were given up, with no answer between them, are a silence and no slow answers.
    private const int SilenceInRow = 3;

    private readonly Sight[] _sights;
    private readonly Pace[] _paces;
    private readonly ProbeSight[] _probes;
    private readonly double[] _firsts;
    private readonly double[] _rests;

    private EndpointTrack(string name, Sight[] sights, Pace[] paces, ProbeSight[] probes, WorkModel work, QuotaModel? quota)
    {
        Name = name;
        (_sights, _paces, _probes) = (sights, paces, probes);
        (Work, Quota) = (work, quota);
        _firsts = [.. paces.Where(static p => !p.IsCut).Select(static p => p.First).Order()];
        _rests = [.. paces.Where(static p => !p.IsCut).Select(static p => p.Rest)];
    }

    public string Name { get; }

    public WorkModel Work { get; }

    public QuotaModel? Quota { get; }

    /// <summary>Has it ever answered an attempt, so that its times are known?</summary>
    public bool HasTimes => _firsts.Length > 0;

    /// <summary>What its probes exercised; reachability where there were none, as the usual probe does.</summary>
    public ProbeLevel ProbeLevel => _probes.Length > 0 ? _probes[^1].Level : ProbeLevel.Reachable;

    /// <summary>The observations, in order.</summary>
    public IReadOnlyList<Sight> All => _sights;

    public static EndpointTrack Of(
        string name, DateTimeOffset from, RecordedAttempt[] attempts, RecordedProbe[] probes, IReadOnlyDictionary<(int Recorder, long Call), (int Input, int Output)> tokens)
    {
        Array.Sort(attempts, static (a, b) => a.At.CompareTo(b.At));
        var quota = QuotaModel.Learn([.. attempts.Where(a => Sights.IsAnswer(a) || Sights.IsCut(a) || Sights.IsThrottle(a))
            .Select(a => new QuotaSample(a.At - from, SumOf(tokens.GetValueOrDefault((a.Recorder, a.Call))), Sights.IsThrottle(a)))]);
        var answers = attempts.Where(static a => a.Fault is null).ToArray();
        WorkSample[] samples = [.. answers.Select(a => SampleOf(a, from))];
        var longest = LongestUsual(answers);
        var silences = SilencesOf(attempts, longest);
        (TimeSpan, TimeSpan)[] busy = [.. attempts.Where((a, i) => a.Fault is null || Sights.IsCut(a) && !silences[i]).Select(a => (a.At - from, a.At - from + a.Took))];
        var work = WorkModel.Learn(samples, busy);
        var load = new LoadHistory(busy);
        var sights = new List<Sight>(attempts.Length + probes.Length);
        var paces = new List<Pace>(attempts.Length);
        for (var i = 0; i < attempts.Length; i++)
        {
            var attempt = attempts[i];
            if (quota is not null && Sights.IsThrottle(attempt))
                continue;
            var isCut = Sights.IsCut(attempt) && !silences[i];
            if (attempt.Fault is null || isCut)
                paces.Add(PaceOf(attempt, from, work, load, isCut, tokens));
            sights.Add(SightOf(attempt, from, silences[i]));
        }
        sights.AddRange(probes.Select(p => SightOf(p, from)));
        return new EndpointTrack(
            name, WithoutNoise([.. sights.OrderBy(static s => s.At)]), [.. paces.OrderBy(static p => p.At)],
            [.. probes.OrderBy(static p => p.At).Select(p => new ProbeSight(p.At - from, p.Fault, p.Took, p.Level))], work, quota);
    }

    /// <summary>How the endpoint would have answered an attempt.</summary>
    /// <param name="at">When the attempt begins.</param>
    /// <param name="input">Tokens of the prompt.</param>
    /// <param name="output">Tokens of the answer.</param>
    /// <param name="unknown">What is assumed where the recording shows nothing.</param>
    /// <param name="random">Draws among what is equally likely.</param>
    public Prospect At(TimeSpan at, int input, int output, Unknown unknown, Random random)
    {
        var (before, after) = Around(at);
        var sight = Known(at, before, after);
        if (sight is { Kind: SightKind.Down } down)
            return Refusal(down);
        if (sight is null && unknown == Unknown.IsDown)
            return Assumed(before, after);
        return Answer(at, input, output, unknown, random) with { IsAssumed = sight is null };
    }

    /// <summary>What a probe would have found; null where nothing is recorded that tells.</summary>
    public (Fault? Fault, bool IsSilent, TimeSpan After) ProbeAt(TimeSpan at, ProbeLevel level, Unknown unknown)
    {
        var i = Array.BinarySearch(_probes, new ProbeSight(at, null, default, level), ProbeSight.ByTime);
        if (i < 0)
            i = ~i;
        ProbeSight? nearest = null;
        foreach (var place in new[] { i - 1, i })
        {
            if (place >= 0 && place < _probes.Length && (nearest is null || (_probes[place].At - at).Duration() < (nearest.Value.At - at).Duration()))
                nearest = _probes[place];
        }
        if (nearest is { } probe && (probe.At - at).Duration() <= s_longestGap)
            return (probe.Fault, false, probe.Took);
        // No probe was near: what attempts show is what a probe of the same level would find.
        var (before, after) = Around(at);
        if (Known(at, before, after) is { } sight)
            return sight.Kind == SightKind.Down && (level == ProbeLevel.Generating || sight.Fault?.IsConnectClass == true) ? (sight.Fault, sight.Fault is null, sight.Took) : (null, false, default);
        return unknown == Unknown.IsDown ? (new Fault(FaultKind.ConnectFailed), false, default) : (null, false, default);
    }

    private (Sight? Before, Sight? After) Around(TimeSpan at)
    {
        var (low, high) = (0, _sights.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_sights[middle].At <= at)
                low = middle + 1;
            else
                high = middle;
        }
        return (low > 0 ? _sights[low - 1] : null, low < _sights.Length ? _sights[low] : null);
    }

    // The observation that holds at a moment; null when none does.
    private static Sight? Known(TimeSpan at, Sight? before, Sight? after)
    {
        if (before is not { } first || after is not { } second)
            return (before ?? after) is { Kind: not SightKind.Reachable } only && (only.At - at).Duration() <= s_longestGap / 2 ? only : null;
        if (first.Kind == SightKind.Reachable || second.Kind == SightKind.Reachable)
            return null;
        var gap = second.At - first.At;
        if (gap > (first.Kind == second.Kind ? s_longestGap : s_shortGap))
            return null;
        return at - first.At <= second.At - at ? first : second;
    }

    private static Prospect Refusal(Sight down) => new()
    {
        Fault = down.Fault,
        IsSilent = down.Fault is null,
        After = down.Took,
        ContentBeforeFault = down.FirstContent,
    };

    // As the nearest trouble that is known; an endpoint of which nothing is known refuses connections.
    private static Prospect Assumed(Sight? before, Sight? after)
    {
        if (before is { Kind: SightKind.Down } first)
            return Refusal(first) with { IsAssumed = true };
        if (after is { Kind: SightKind.Down } second)
            return Refusal(second) with { IsAssumed = true };
        return new Prospect { Fault = new Fault(FaultKind.ConnectFailed), IsAssumed = true };
    }

    private Prospect Answer(TimeSpan at, int input, int output, Unknown unknown, Random random)
    {
        if (_paces.Length == 0)
            return new Prospect { IsAssumed = true };
        var pace = Nearby(at, random);
        var (first, rest) = (pace.First, pace.Rest);
        if (pace.IsCut)
        {
            // Redistributed to the right (Efron 1967): an answer that was given up would have taken as long as one of those that took longer.
            var longer = FirstAbove(first);
            if (longer < _firsts.Length)
                first = _firsts[random.Next(longer, _firsts.Length)];
            else if (unknown == Unknown.IsDown)
                return new Prospect { IsSilent = true, IsAssumed = true };
            rest = _rests.Length > 0 ? _rests[random.Next(_rests.Length)] : 0;
        }
        return new Prospect
        {
            First = TimeSpan.FromSeconds(first * Work.First(input, output)),
            Rest = TimeSpan.FromSeconds(rest * Work.Rest(input, output)),
        };
    }

    private Pace Nearby(TimeSpan at, Random random)
    {
        var (low, high) = (0, _paces.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_paces[middle].At <= at)
                low = middle + 1;
            else
                high = middle;
        }
        var from = Math.Clamp(low - Neighbours / 2, 0, Math.Max(0, _paces.Length - Neighbours));
        return _paces[random.Next(from, Math.Min(_paces.Length, from + Neighbours))];
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

    private static Pace PaceOf(
        RecordedAttempt attempt, DateTimeOffset from, WorkModel work, LoadHistory load, bool isCut, IReadOnlyDictionary<(int, long), (int Input, int Output)> tokens)
    {
        var at = attempt.At - from;
        var whole = work.WorkOf(load, at, at + attempt.Took);
        var (input, output) = (attempt.InputTokens ?? 0, attempt.OutputTokens ?? 0);
        if (isCut)
        {
            var call = tokens.GetValueOrDefault((attempt.Recorder, attempt.Call));
            return new Pace(at, whole / work.First(call.Input, call.Output), 0, IsCut: true);
        }
        var first = attempt.FirstContent is { } content ? work.WorkOf(load, at, at + content) : whole;
        return new Pace(at, first / work.First(input, output), (whole - first) / work.Rest(input, output), IsCut: false);
    }

    private static Sight SightOf(RecordedAttempt attempt, DateTimeOffset from, bool isSilence)
    {
        var isUp = Sights.IsAnswer(attempt) || Sights.IsCut(attempt) && !isSilence;
        return new Sight(attempt.At - from, isUp ? SightKind.Up : SightKind.Down)
        {
            Fault = isUp || isSilence ? null : attempt.Fault,
            Took = attempt.Took,
            FirstContent = attempt.FirstContent,
        };
    }

    private static Sight SightOf(RecordedProbe probe, DateTimeOffset from)
    {
        if (probe.Fault is { } fault)
            return new Sight(probe.At - from, SightKind.Down) { Fault = fault.Kind == FaultKind.AttemptTimeout ? null : fault, Took = probe.Took };
        return new Sight(probe.At - from, probe.Level == ProbeLevel.Generating ? SightKind.Up : SightKind.Reachable);
    }

    private static int SumOf((int Input, int Output) tokens) => tokens.Input + tokens.Output;

    // That an endpoint accepts connections is news only while it was out because it did not.
    private static Sight[] WithoutNoise(Sight[] sights)
    {
        var kept = new List<Sight>(sights.Length);
        var wasOut = false;
        foreach (var sight in sights)
        {
            if (sight.Kind != SightKind.Reachable)
                wasOut = sight is { Kind: SightKind.Down, Fault: { IsConnectClass: true } or null };
            else if (!wasOut)
                continue;
            kept.Add(sight);
        }
        return [.. kept];
    }

    /// <summary>An endpoint that the recording does not show. Where it is assumed well, it answers as another does.</summary>
    public static EndpointTrack Unseen(string name, EndpointTrack like) => new(name, [], like._paces, [], like.Work, null);

    private static TimeSpan LongestUsual(RecordedAttempt[] answers)
    {
        if (answers.Length == 0)
            return TimeSpan.Zero;
        double[] firsts = [.. answers.Select(static a => (a.FirstContent ?? a.Took).TotalSeconds).Order()];
        return TimeSpan.FromSeconds(3 * PoolFigures.Quantile(firsts, 0.99));
    }

    // Which of the attempts that were given up show an endpoint that was silent, and not one that was slow.
    private static bool[] SilencesOf(RecordedAttempt[] attempts, TimeSpan longestUsual)
    {
        var silences = new bool[attempts.Length];
        var row = 0;
        for (var i = 0; i <= attempts.Length; i++)
        {
            if (i < attempts.Length && Sights.IsCut(attempts[i]) && attempts[i].FirstContent is null)
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

    private readonly record struct ProbeSight(TimeSpan At, Fault? Fault, TimeSpan Took, ProbeLevel Level)
    {
        public static IComparer<ProbeSight> ByTime { get; } = Comparer<ProbeSight>.Create(static (a, b) => a.At.CompareTo(b.At));
    }
}
