using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>The records of one fault of a drill. All times are on the drill's clock.</summary>
internal sealed record DrillEpisode
{
    public required DrillFault Fault { get; init; }
    public required IReadOnlyList<DrillStep> Steps { get; init; }

    /// <summary>Gets the calls before the fault.</summary>
    public required IReadOnlyList<DrillCall> Before { get; init; }

    /// <summary>Gets the calls from the start of the fault on.</summary>
    public required IReadOnlyList<DrillCall> Calls { get; init; }

    public required TimeSpan Began { get; init; }
    public required TimeSpan Ended { get; init; }

    /// <summary>Gets the requests that reached the upstreams after the start of the fault.</summary>
    public required IReadOnlyList<UpstreamRequest> Requests { get; init; }

    public required IReadOnlyList<UpstreamStrike> Strikes { get; init; }

    /// <summary>Gets the number of whole answers that the upstreams made after the start of the fault.</summary>
    public required long WholeAnswers { get; init; }
}

/// <summary>Plays the faults of a drill one after another under load.</summary>
internal static class DrillRun
{
    private static readonly TimeSpan WellWithin = TimeSpan.FromSeconds(30);

    public static async Task<DrillReport> RunAsync(DrillContender contender, DrillSettings settings, Action<FaultReport> done, CancellationToken cancellationToken)
    {
        var clock = new DrillClock();
        await using var upstreams = await DrillUpstreams.StartAsync(settings.Ports, settings.Seed, clock, cancellationToken);
        var load = new DrillLoad(clock, settings.Rate, settings.StreamedShare, settings.Patience);
        Uri[] addresses = [.. upstreams.Servers.Select(s => s.OpenAIAddress)];
        var episodes = new List<DrillEpisode>();
        var target = await contender.CreateAsync(addresses);
        try
        {
            // The first calls of a process include the time of compilation, so they are not measured.
            await load.RunAsync(target, TimeSpan.FromSeconds(1), cancellationToken);
            for (var i = 0; i < settings.Faults.Count; i++)
            {
                if (contender.IsFresh)
                {
                    await target.DisposeAsync();
                    target = await contender.CreateAsync(addresses);
                }
                await UntilWellAsync(load, target, clock, isFirst: i == 0, cancellationToken);
                var episode = await PlayAsync(settings.Faults[i], settings, clock, upstreams, load, target, cancellationToken);
                episodes.Add(episode);
                done(DrillFigures.Compute(episode, DrillFigures.HealthyMedian(episodes), settings.Rate));
            }
        }
        finally
        {
            await target.DisposeAsync();
        }
        return DrillReport.From(contender.Name, settings, episodes);
    }

    private static async Task<DrillEpisode> PlayAsync(
        DrillFault fault, DrillSettings settings, DrillClock clock, DrillUpstreams upstreams, DrillLoad load, IDrillTarget target, CancellationToken cancellationToken)
    {
        var steps = fault.Steps(settings.Length);
        var length = steps.Max(s => s.Until);
        upstreams.Requests.Clear();
        var before = await load.RunAsync(target, settings.Before, cancellationToken);
        // The fault must affect the upstream that serves most calls. A component that prefers another upstream would not notice the fault.
        var first = upstreams.Requests.CountBy(r => r.Upstream).OrderByDescending(c => c.Value).ThenBy(c => c.Key).Select(c => c.Key).FirstOrDefault();
        upstreams.Requests.Clear();
        upstreams.Strikes.Clear();
        var whole = upstreams.Servers.Sum(s => s.Counts.AnsweredWhole);
        var began = clock.Now;
        var play = upstreams.PlayAsync(fault, settings.Length, first, cancellationToken);
        var calls = await load.RunAsync(target, length + settings.After, cancellationToken);
        await play;
        return new DrillEpisode
        {
            Fault = fault,
            Steps = steps,
            Before = before,
            Calls = calls,
            Began = began,
            Ended = began + length,
            Requests = [.. upstreams.Requests],
            Strikes = [.. upstreams.Strikes],
            WholeAnswers = upstreams.Servers.Sum(s => s.Counts.AnsweredWhole) - whole,
        };
    }

    // The component under test may still avoid an upstream because of the previous fault.
    private static async Task UntilWellAsync(DrillLoad load, IDrillTarget target, DrillClock clock, bool isFirst, CancellationToken cancellationToken)
    {
        var until = clock.Now + WellWithin;
        DrillCall? last = null;
        for (var inARow = 0; inARow < 10;)
        {
            if (clock.Now > until)
            {
                if (isFirst)
                    throw new UsageException($"No right answer comes back, although every upstream is healthy: {last?.Why ?? "wrong answers"}. Check that the target is configured with the addresses of the upstreams.");
                return;
            }
            last = await load.CallAsync(target, cancellationToken);
            inARow = last.Outcome == DrillOutcome.Right ? inARow + 1 : 0;
            await Task.Delay(inARow > 0 ? 20 : 100, cancellationToken);
        }
    }
}
