using HaKit.Recording;

namespace HaKit.Tool.WhatIf;

/// <summary>A call of the recording, which a run makes again.</summary>
/// <param name="At">When the call arrived, counted from the start of the recording.</param>
/// <param name="Profile">The request profile of the call, as far as it is recorded.</param>
/// <param name="IsStream">True if the call asked for a stream.</param>
/// <param name="InputTokens">The tokens of the prompt: the measured number, or else the estimate.</param>
/// <param name="OutputTokens">The tokens of the answer: the measured number, or else the limit.</param>
/// <param name="Refusal">The fault of the call itself, because of which every endpoint would refuse it; null for none.</param>
/// <param name="Counts">True if the call counts in the pool's availability. It does not count if the call itself was invalid or its caller cancelled it.</param>
/// <param name="WasServed">True if the call succeeded.</param>
internal sealed record PastCall(
    TimeSpan At, RequestProfile Profile, bool IsStream, int InputTokens, int OutputTokens, Faults.Fault? Refusal, bool Counts, bool WasServed);

/// <summary>The content of a recording: its calls, and the observations of each endpoint. Immutable.</summary>
internal sealed record RecordedWorld
{
    public required DateTimeOffset From { get; init; }

    public required TimeSpan Length { get; init; }

    public required IReadOnlyList<PastCall> Calls { get; init; }

    public required IReadOnlyDictionary<string, EndpointTrack> Endpoints { get; init; }

    /// <summary>Gets the real results.</summary>
    public required PoolFigures Actual { get; init; }

    /// <summary>Gets the deadline of most calls, which is the pool's deadline.</summary>
    public required TimeSpan UsualDeadline { get; init; }

    /// <summary>Gets the first configuration of the recording, as JSON; null when none is recorded.</summary>
    public string? Configuration { get; init; }

    /// <summary>Gets the reasons that make the forecast less certain, one sentence each.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }

    public static RecordedWorld FromRecording(FlightRecording recording)
    {
        var calls = recording.Events.OfType<RecordedCall>().ToArray();
        var attempts = recording.Events.OfType<RecordedAttempt>().ToArray();
        if (calls.Length == 0)
            throw new UsageException("The recording has no calls.");
        var from = calls[0].At;
        var length = calls[^1].At - from + TimeSpan.FromSeconds(1);
        var byCall = attempts.ToLookup(static a => (a.Recorder, a.Call));
        PastCall[] past = [.. calls.Select(c => PastOf(c, [.. byCall[(c.Recorder, c.Number)]], from))];
        var tokens = new Dictionary<(int, long), (int, int)>(past.Length);
        for (var i = 0; i < past.Length; i++)
            tokens[(calls[i].Recorder, calls[i].Number)] = (past[i].InputTokens, past[i].OutputTokens);
        var probes = recording.Events.OfType<RecordedProbe>().ToLookup(static p => p.Endpoint);
        var seen = attempts.ToLookup(static a => a.Endpoint);
        return new RecordedWorld
        {
            From = from,
            Length = length,
            Calls = past,
            Endpoints = seen.Select(static g => g.Key).Concat(probes.Select(static g => g.Key)).Distinct()
                .ToDictionary(static n => n, n => EndpointTrack.FromRecords(n, from, [.. seen[n]], [.. probes[n]], tokens), StringComparer.Ordinal),
            UsualDeadline = calls.CountBy(static c => c.Deadline).MaxBy(static d => d.Value).Key,
            Actual = PoolFigures.OfRecording(calls, past, attempts, recording.Events.OfType<RecordedConfiguration>().FirstOrDefault()?.Json),
            Configuration = recording.Events.OfType<RecordedConfiguration>().FirstOrDefault()?.Json,
            Remarks = RemarksOf(recording, calls),
        };
    }

    private static PastCall PastOf(RecordedCall call, RecordedAttempt[] attempts, DateTimeOffset from)
    {
        var served = Array.FindLast(attempts, static a => a.Fault is null && a.OutputTokens is not null);
        var refusal = call.Outcome == RecordedOutcome.Request ? Array.FindLast(attempts, static a => a.Fault is { Blame: FaultBlame.Request })?.Fault : null;
        var (input, output) = (served?.InputTokens ?? call.InputTokens, served?.OutputTokens ?? call.MaxOutputTokens);
        var profile = new RequestProfile
        {
            InputTokens = call.InputTokens,
            // The recording does not say whether the number is an estimate. A call that was served must not be refused because of its size.
            IsInputEstimated = call.Outcome == RecordedOutcome.Served,
            MaxOutputTokens = call.MaxOutputTokens,
            Model = call.Model,
            Tools = call.NeedsTools,
            Vision = call.NeedsVision,
            Priority = call.Priority,
            MayRepeat = call.MayRepeat,
            MayHedge = call.MayHedge,
            MaxWait = call.MaxWait,
            Deadline = call.Deadline,
        };
        return new PastCall(
            call.At - from, profile, call.IsStream, input, output, refusal, call.Outcome is RecordedOutcome.Served or RecordedOutcome.Failed, call.Outcome == RecordedOutcome.Served);
    }

    private static string[] RemarksOf(FlightRecording recording, RecordedCall[] calls)
    {
        var remarks = new List<string>();
        if (recording.Events.OfType<RecordedGap>().Sum(static g => g.Dropped) is > 0 and var dropped)
            remarks.Add($"{dropped} entries were dropped while it was recorded.");
        if (calls.Count(static c => c.IsRestricted) is > 0 and var restricted)
            remarks.Add($"{restricted} calls could use only certain endpoints. The recording does not contain these endpoints, so the calls are repeated without this restriction.");
        remarks.AddRange(recording.Problems);
        return [.. remarks];
    }
}

/// <summary>The results of the calls. Shares are 0 to 1, times in seconds.</summary>
internal sealed record PoolFigures
{
    public required long Calls { get; init; }

    public required long Lost { get; init; }

    public required double AttemptsPerCall { get; init; }

    public required double P50 { get; init; }

    public required double P99 { get; init; }

    /// <summary>Gets the cost of all attempts by the endpoints' prices, including attempts of lost calls.</summary>
    public required double Money { get; init; }

    public double Availability => Calls == 0 ? 1 : 1 - (double)Lost / Calls;

    public static PoolFigures OfRecording(RecordedCall[] calls, PastCall[] past, RecordedAttempt[] attempts, string? configuration)
    {
        double[] took = [.. calls.Where(static c => c.Outcome == RecordedOutcome.Served).Select(static c => c.Took.TotalSeconds).Order()];
        return new PoolFigures
        {
            Calls = past.Count(static c => c.Counts),
            Lost = past.Count(static c => c.Counts && !c.WasServed),
            AttemptsPerCall = (double)attempts.Length / calls.Length,
            P50 = Quantile(took, 0.5),
            P99 = Quantile(took, 0.99),
            Money = configuration is null ? double.NaN : attempts.Where(static a => a.Fault is null || RecordedAttempts.IsCensored(a)).Sum(CostOf(RecordedSettings.FromJson(configuration))),
        };
    }

    private static Func<RecordedAttempt, double> CostOf(EndpointPoolOptions options)
    {
        var prices = options.Endpoints.ToDictionary(static e => e.Name, static e => (e.InputTokenPrice, e.OutputTokenPrice), StringComparer.Ordinal);
        return attempt => prices.TryGetValue(attempt.Endpoint, out var price)
            ? ((attempt.InputTokens ?? 0) * price.InputTokenPrice + (attempt.OutputTokens ?? 0) * price.OutputTokenPrice) / 1e6
            : 0;
    }

    public static double Quantile(double[] sorted, double share) => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
}
