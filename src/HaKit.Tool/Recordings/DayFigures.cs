using HaKit.Faults;
using HaKit.Health;
using HaKit.Recording;
using HaKit.Tool.WhatIf;

namespace HaKit.Tool.Recordings;

/// <summary>The figures of a recording. Shares are 0 to 1, times in seconds. Immutable.</summary>
internal sealed record DayFigures
{
    private const int Slices = 24;

    public required string Pool { get; init; }
    public required DateTimeOffset From { get; init; }
    public required DateTimeOffset Until { get; init; }
    public required int Files { get; init; }
    public required long Dropped { get; init; }
    public required IReadOnlyList<string> Problems { get; init; }
    public required SliceFigures Whole { get; init; }
    public required IReadOnlyList<SliceFigures> Parts { get; init; }
    public required IReadOnlyList<EndpointFigures> Endpoints { get; init; }

    /// <summary>Gets the number of lost calls by reason.</summary>
    public required IReadOnlyDictionary<string, int> Losses { get; init; }

    /// <summary>Gets the number of calls that waited, by the rule for which they waited.</summary>
    public required IReadOnlyDictionary<string, int> Waits { get; init; }

    public required IReadOnlyList<RecordedChange> Changes { get; init; }

    /// <summary>Calculates the figures of a part of a recording.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="from">The start of the part; null for the start of the recording.</param>
    /// <param name="until">The end of the part, exclusive; null for the end of the recording.</param>
    public static DayFigures FromRecording(FlightRecording recording, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        RecordedEvent[] events = [.. recording.Events.Where(e => (from is null || e.At >= from) && (until is null || e.At < until))];
        if (events.Length == 0)
            throw new UsageException("The recording has nothing in this time.");
        var (begin, end) = (from ?? events[0].At, until ?? events[^1].At + TimeSpan.FromMilliseconds(1));
        var calls = events.OfType<RecordedCall>().ToArray();
        var attempts = events.OfType<RecordedAttempt>().ToArray();
        var slice = (end - begin) / Slices;
        return new DayFigures
        {
            Pool = recording.Events.OfType<RecordedConfiguration>().FirstOrDefault() is { } configuration ? RecordingFile.PoolOf(configuration.Json) : "",
            From = begin,
            Until = end,
            Files = recording.Files,
            Dropped = events.OfType<RecordedGap>().Sum(static g => g.Dropped),
            Problems = recording.Problems,
            Whole = SliceFigures.FromRecords(begin, calls, attempts),
            Parts = [.. Enumerable.Range(0, Slices).Select(i => SliceFigures.FromRecords(
                begin + slice * i, [.. calls.Where(c => IsIn(c.At, begin, slice, i))], [.. attempts.Where(a => IsIn(a.At, begin, slice, i))]))],
            Endpoints = [.. attempts.Select(static a => a.Endpoint).Concat(events.OfType<RecordedProbe>().Select(static p => p.Endpoint)).Distinct().Order(StringComparer.Ordinal)
                .Select(e => EndpointFigures.FromEvents(e, begin, end, events))],
            Losses = Count(calls.Where(static c => c.Outcome == RecordedOutcome.Failed).Select(static c => c.Error ?? "unknown")),
            Waits = Count(calls.SelectMany(static c => c.WaitRules).Select(static r => r.ToString())),
            Changes = [.. events.OfType<RecordedChange>()],
        };
    }

    private static bool IsIn(DateTimeOffset at, DateTimeOffset begin, TimeSpan slice, int i) => (int)Math.Min(Slices - 1, (at - begin) / slice) == i;

    private static Dictionary<string, int> Count(IEnumerable<string> names) => names.CountBy(static n => n).OrderByDescending(static c => c.Value).ToDictionary();
}

/// <summary>The calls of one interval.</summary>
internal sealed record SliceFigures(DateTimeOffset From, int Calls, int Lost, int Waited, double P50, double P99, double AttemptsPerCall)
{
    public double Served => Calls == 0 ? 1 : 1 - (double)Lost / Calls;

    public static SliceFigures FromRecords(DateTimeOffset from, RecordedCall[] calls, RecordedAttempt[] attempts)
    {
        double[] took = [.. calls.Where(static c => c.Outcome == RecordedOutcome.Served).Select(static c => c.Took.TotalSeconds).Order()];
        return new(
            from, calls.Length, calls.Count(static c => c.Outcome == RecordedOutcome.Failed), calls.Count(static c => c.Waited > TimeSpan.Zero),
            PoolFigures.Quantile(took, 0.5), PoolFigures.Quantile(took, 0.99), calls.Length == 0 ? 0 : (double)attempts.Length / calls.Length);
    }
}

/// <summary>The observed state of an endpoint in a period.</summary>
internal enum StretchKind
{
    /// <summary>The endpoint answered.</summary>
    Well,

    /// <summary>The endpoint failed.</summary>
    Failing,

    /// <summary>The endpoint was ejected.</summary>
    Out,
}

/// <summary>A period, as shares of the whole time.</summary>
internal readonly record struct Stretch(StretchKind Kind, double From, double Until);

/// <summary>The figures of one endpoint.</summary>
internal sealed record EndpointFigures
{
    private const int Steps = 480;

    public required string Name { get; init; }
    public required int Attempts { get; init; }
    public required int Served { get; init; }
    public required double P50 { get; init; }
    public required double P99 { get; init; }
    public required long InputTokens { get; init; }
    public required long OutputTokens { get; init; }
    public required int Probes { get; init; }
    public required int ProbesFailed { get; init; }

    /// <summary>Gets the share of the time in which the endpoint was ejected.</summary>
    public required double OutShare { get; init; }

    /// <summary>Gets the faults of the endpoint's attempts, the most frequent first.</summary>
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    /// <summary>Gets the observed states of the endpoint over time. Nothing was observed between them.</summary>
    public required IReadOnlyList<Stretch> Stretches { get; init; }

    public static EndpointFigures FromEvents(string name, DateTimeOffset from, DateTimeOffset until, RecordedEvent[] events)
    {
        var attempts = events.OfType<RecordedAttempt>().Where(a => a.Endpoint == name).ToArray();
        var probes = events.OfType<RecordedProbe>().Where(p => p.Endpoint == name).ToArray();
        double[] firsts = [.. attempts.Where(static a => a.Fault is null).Select(static a => (a.FirstContent ?? a.Took).TotalSeconds).Order()];
        var outs = OutsOf([.. events.OfType<RecordedChange>().Where(c => c.Endpoint == name)], from, until);
        return new EndpointFigures
        {
            Name = name,
            Attempts = attempts.Length,
            Served = attempts.Count(static a => a.Fault is null),
            P50 = PoolFigures.Quantile(firsts, 0.5),
            P99 = PoolFigures.Quantile(firsts, 0.99),
            InputTokens = attempts.Sum(static a => (long)(a.InputTokens ?? 0)),
            OutputTokens = attempts.Sum(static a => (long)(a.OutputTokens ?? 0)),
            Probes = probes.Length,
            ProbesFailed = probes.Count(static p => p.Fault is not null),
            OutShare = outs.Sum(static o => o.Until - o.From),
            Faults = attempts.Where(static a => a.Fault is not null).CountBy(static a => Describe(a.Fault!)).OrderByDescending(static f => f.Value).ToDictionary(),
            Stretches = [.. SeenOf(attempts, probes, from, until), .. outs],
        };
    }

    private static string Describe(Fault fault) => fault.StatusCode == 0 ? fault.Kind.ToString() : $"{fault.Kind} ({fault.StatusCode})";

    private static List<Stretch> OutsOf(RecordedChange[] changes, DateTimeOffset from, DateTimeOffset until)
    {
        var outs = new List<Stretch>();
        double? began = null;
        foreach (var change in changes)
        {
            var at = (change.At - from) / (until - from);
            if (IsOut(change.After))
            {
                began ??= at;
            }
            else if (began is { } start)
            {
                outs.Add(new Stretch(StretchKind.Out, start, at));
                began = null;
            }
        }
        if (began is { } open)
            outs.Add(new Stretch(StretchKind.Out, open, 1));
        return outs;
    }

    private static bool IsOut(EndpointHealthStatus status) =>
        status is EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial or EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown;

    // The time is divided into steps. A step with at least one failure is shown as failing.
    private static IEnumerable<Stretch> SeenOf(RecordedAttempt[] attempts, RecordedProbe[] probes, DateTimeOffset from, DateTimeOffset until)
    {
        var seen = new StretchKind?[Steps];
        foreach (var probe in probes)
            See(probe.At, probe.Fault is not null);
        foreach (var attempt in attempts)
            See(attempt.At, attempt.Fault is { IsNeutral: false });
        for (var i = 0; i < Steps; i++)
        {
            if (seen[i] is { } kind)
                yield return new Stretch(kind, (double)i / Steps, (i + 1.0) / Steps);
        }

        void See(DateTimeOffset at, bool failed)
        {
            var step = (int)Math.Clamp((at - from) / (until - from) * Steps, 0, Steps - 1);
            seen[step] = failed || seen[step] == StretchKind.Failing ? StretchKind.Failing : StretchKind.Well;
        }
    }
}
