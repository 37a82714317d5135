using System.CommandLine;
using System.Globalization;
using HaKit.Availability;

namespace HaKit.Tool.Planning;

/// <summary>
/// <c>plan</c>: the availability of a pool, its losses by cause, and the cheapest changes for a target. The endpoints come
/// from the command line or are estimated from a history of incidents.
/// </summary>
internal static class PlanCommand
{
    public static Command Create()
    {
        var options = new PlanCommandOptions();
        var json = JsonOutput.CreateOption();
        var pool = CommandOptions.Text("--pool", "FILE", "a JSON file with a pool, as in your configuration; the command then calculates only the effect of losing each failure domain of this pool");
        var calls = CommandOptions.Number("--calls-per-minute", "N", "with --pool: the load, in calls per minute", 60, 0, 1e9);
        var tokens = CommandOptions.Number("--tokens-per-call", "N", "with --pool: the tokens of each call, input and output together", 1000, 0, 1e9);
        var most = CommandOptions.Number("--lost-share", "SHARE", "with --pool: the share of calls that may wait or fail after a loss, 0 to 1", 0.05, 0, 1);
        var command = new Command("plan", """
            Calculates the availability of a pool, the losses by cause, and the cheapest changes that reach a target.
            The endpoints come from the command line, or are estimated from a history of incidents. With --pool, the command
            calculates something else: the effect of losing each endpoint, key, account, provider, model and region under your
            load. Times are written 500ms, 20s, 5m, 1h, 30d.
            Exit code 1 if no change reaches the target. With --pool, exit code 1 if more calls than --lost-share would wait or
            fail after a loss (the loss of the whole pool does not count).
            """);
        foreach (var option in options.All.Concat([pool, calls, tokens, most, json]))
            command.Options.Add(option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ThrowIfWithoutEffect(parsed, options, pool, [calls, tokens, most]);
            await using var figures = JsonOutput.Open(parsed, json);
            if (parsed.GetValue(pool) is not { } file)
                return await RunAsync(options.Read(parsed), figures, cancellationToken);
            var report = RedundancyCheck.Run(file, new PoolDemand(parsed.GetValue(calls), parsed.GetValue(tokens)));
            await RedundancyCheck.WriteAsync(report, figures.Text);
            await figures.WriteAsync(report, cancellationToken);
            return report.Domains.Any(d => !d.IsWholePool && d.LostShare > parsed.GetValue(most)) ? HakitTool.Bad : HakitTool.Good;
        });
        return command;
    }

    private static void ThrowIfNamesAreAlike(PlanOptions options)
    {
        if (options.Endpoints.GroupBy(static e => e.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(static g => g.Count() > 1) is { Key: var twice })
            throw new UsageException($"--endpoint names '{twice}' twice. Give each endpoint a name of its own, such as {twice}-1 and {twice}-2.");
        if (options.IncidentFile is null && options.Required > options.Endpoints.Count)
            throw new UsageException($"--required is {options.Required}, and there are {options.Endpoints.Count} endpoints. Require fewer, or add endpoints with --endpoint.");
    }

    // An option that belongs to another way of planning would be ignored silently.
    private static void ThrowIfWithoutEffect(ParseResult parsed, PlanCommandOptions options, Option pool, Option[] ofPool)
    {
        bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };
        if (IsGiven(pool) && options.All.FirstOrDefault(IsGiven) is { } ignored)
            throw new UsageException($"{ignored.Name} has no effect with --pool. Leave one of them out.");
        if (!IsGiven(pool) && ofPool.FirstOrDefault(IsGiven) is { } needsPool)
            throw new UsageException($"{needsPool.Name} needs --pool FILE. Give the pool, or leave {needsPool.Name} out.");
        if (IsGiven(options.Incidents) && IsGiven(options.Endpoints))
            throw new UsageException("--endpoint has no effect with --incidents, which gives the endpoints. Leave one of them out.");
        if (!IsGiven(options.Incidents) && options.OfIncidents.FirstOrDefault(IsGiven) is { } needsFile)
            throw new UsageException($"{needsFile.Name} needs --incidents FILE. Give the file, or leave {needsFile.Name} out.");
    }

    private static async Task<int> RunAsync(PlanOptions options, JsonOutput json, CancellationToken cancellationToken)
    {
        ThrowIfNamesAreAlike(options);
        try
        {
            var design = options.IncidentFile is null ? Design(options, options.Endpoints, options.Beta ?? 0.1) : FromIncidents(options, json.Text);
            var figures = Plan(options, design, json.Text);
            await json.WriteAsync(figures, cancellationToken);
            return figures.IsReachable ? HakitTool.Good : HakitTool.Bad;
        }
        catch (Exception wrong) when (wrong is FormatException or ArgumentException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"plan: {wrong.Message}");
        }
    }

    private static PoolDesign Design(PlanOptions options, IReadOnlyList<PlannedEndpoint> endpoints, double beta) => new()
    {
        Endpoints = endpoints,
        Required = options.Required,
        Beta = beta,
        Detection = options.Detection,
        Rescued = options.Rescued,
        Coverage = options.Coverage,
        UncoveredRecovery = options.Uncovered,
        Routing = options.Routing,
    };

    private static PoolDesign FromIncidents(PlanOptions options, TextWriter output)
    {
        IReadOnlyList<Incident> all;
        try
        {
            using var reader = File.OpenText(options.IncidentFile!);
            all = Incidents.Read(reader);
        }
        catch (FormatException e)
        {
            throw new FormatException($"{options.IncidentFile}, {e.Message}", e);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--incidents is '{options.IncidentFile}', which cannot be read: {unreadable.Message} Give a CSV file with the columns start, end, service, impact.");
        }

        foreach (var service in options.Services)
        {
            if (all.All(i => i.Service != service))
                throw new FormatException($"--service {service}: not in {options.IncidentFile}");
        }

        var chosen = all.Where(i => options.Services.Count == 0 || options.Services.Contains(i.Service)).ToList();
        if (chosen.Count == 0)
            throw new FormatException($"{options.IncidentFile} holds no incident");
        var (from, to) = (options.From ?? all.Min(i => i.Start), options.To ?? all.Max(i => i.End));
        if (to <= from)
            throw new FormatException($"--to {to:u} does not lie after --from {from:u}");
        var services = Incidents.ToHistories(chosen, options.Impact, from, to)
            .Select(s => (s.Service, Uptime: s.History.Summarize(to - from))).ToList();
        output.WriteLine($"Incidents of impact {options.Impact} or more, {from:yyyy-MM-dd HH:mm} to {to:yyyy-MM-dd HH:mm} UTC ({(to - from).TotalDays:0.#} days)");
        foreach (var (service, uptime) in services)
            Describe(service, uptime, output);
        var joint = JointDowntime.Measure([.. services.Select(s => s.Uptime)], Math.Min(options.Required, services.Count));
        output.WriteLine($"  together       all down {Share(joint.AllDown / joint.Observed)} of the time; beta {Estimated(joint.Beta)}, correlation {Estimated(joint.Correlation)}");
        output.WriteLine();
        return Design(options, [.. services.Select(s => Endpoint(s.Service, s.Uptime, options.Mttr))], options.Beta ?? joint.Beta ?? 0);
    }

    private static PlannedEndpoint Endpoint(string service, UptimeSummary uptime, TimeSpan mttr) =>
        new(service, uptime.Observed ?? AvailabilityRatio.Always) { Mttr = uptime.Mttr is { } m && m > TimeSpan.Zero ? m : mttr };

    private static void Describe(string service, UptimeSummary uptime, TextWriter output)
    {
        var bounds = uptime.Bounds();
        var (mttf, mttr) = (uptime.MttfBounds(), uptime.MttrBounds());
        output.WriteLine($"  {service,-14} {uptime.Observed} up (95%: {bounds.Lower} to {bounds.Upper}), {uptime.Failures} outages"
            + (uptime.Failures == 0 ? " (taken as always up: nothing is known against it)" : "")
            + $"; MTTF {Span(uptime.Mttf)} ({Span(mttf?.Lower)} to {Span(mttf?.Upper)}), MTTR {Span(uptime.Mttr)} ({Span(mttr?.Lower)} to {Span(mttr?.Upper)})");
    }

    private static PlanFigures Plan(PlanOptions options, PoolDesign design, TextWriter output)
    {
        var (target, forecast) = (options.Target, design.Evaluate());
        var met = forecast.Availability.Meets(target);
        output.WriteLine($"Target      {target} ({target:W}), {Span(target.Downtime(options.Period))} down in {Span(options.Period)}");
        output.WriteLine($"Pool        {string.Join(", ", design.Endpoints.Select(e => $"{e.Name} {e.Availability}"))}; {design.Required} required, {Text(design.Routing)}; beta {design.Beta:0.###}; detection {Span(design.Detection)}");
        output.WriteLine($"Delivers    {forecast.Availability} ({forecast.Availability:W}), {Span(forecast.Availability.Downtime(options.Period))} down in {Span(options.Period)}: {(met ? "meets the target" : "misses the target")}");
        output.WriteLine("Loses");
        foreach (var loss in forecast.Losses)
            output.WriteLine($"  {Span(loss.Without.Downtime(options.Period)),-10} {loss.Unavailability:0.0E+0}  {Text(loss.Cause)}");
        output.WriteLine("Alone would do it");
        var best = design.Endpoints.MaxBy(e => e.Availability)!;
        Alone(output, $"endpoints like {best.Name}, failures noticed at once", Planner.EndpointsFor(best.Availability, target, design.Required, design.Beta), n => $"{n}");
        Alone(output, "detection within", Planner.DetectionFor(design, target), t => Span(t));
        Alone(output, "beta of at most", Planner.BetaFor(design, target), b => b.ToString("0.####", CultureInfo.InvariantCulture));
        var plan = Ways(options, design, best, output);
        return new PlanFigures(
            target.ToString(), forecast.Availability.ToString(), met, forecast.Availability.Downtime(options.Period).TotalSeconds,
            [.. forecast.Losses.Select(loss => new PlanLoss(loss.Cause, loss.Unavailability))],
            plan.Way?.Changes.Select(change => change.Name).ToArray(), plan.Way?.Cost, (plan.Way?.Availability ?? plan.Limit).ToString());
    }

    private static CheapestPlan Ways(PlanOptions options, PoolDesign design, PlannedEndpoint best, TextWriter output)
    {
        PlanChange[] once =
        [
            new($"one more endpoint like {best.Name}", options.Costs.Endpoint, d => OneMore(d, best)),
            new("halve beta (other provider, account, region)", options.Costs.Beta, d => d with { Beta = d.Beta / 2 }),
            new("halve detection", options.Costs.Detection, d => d with { Detection = d.Detection / 2 }),
            new("save half of the calls that are lost before detection", options.Costs.Rescue, d => d with { Rescued = 1 - (1 - d.Rescued) / 2 }),
            new("halve the share of failures that are never detected", options.Costs.Coverage, d => d with { Coverage = 1 - (1 - d.Coverage) / 2 }),
        ];
        PlanChange[] twice = [.. once, .. once.Select(change => new PlanChange(change.Name + ", again", change.Cost, change.Apply))];
        output.WriteLine("What if (most gain for its cost first)");
        foreach (var outcome in Planner.WhatIfByCost(design, once).Where(o => o.Gain > 0))
            output.WriteLine($"  {Span(Downtime(outcome.Gain, options.Period)),-10} saved for {outcome.Cost,4:0.##}: {outcome.Changes[0].Name} ({outcome.Availability})");
        var plan = Planner.Cheapest(design, options.Target, twice);
        if (plan.Way is not { } way)
        {
            output.WriteLine($"Cheapest    unreachable with these changes; the limit is {plan.Limit} ({plan.Limit:W})");
            return plan;
        }

        output.WriteLine(way.Changes.Count == 0
            ? "Cheapest    nothing: the target is met"
            : $"Cheapest    {string.Join(" + ", way.Changes.Select(c => c.Name))}: {way.Availability} for {way.Cost:0.##}");
        return plan;
    }

    private static PoolDesign OneMore(PoolDesign design, PlannedEndpoint like)
    {
        var added = new PlannedEndpoint($"{like.Name} #{design.Endpoints.Count + 1}", like.Availability) { Mttr = like.Mttr };
        return design with { Endpoints = [.. design.Endpoints, added] };
    }

    private static void Alone<T>(TextWriter output, string what, PlanAnswer<T> answer, Func<T, string> text)
        where T : struct =>
        output.WriteLine(answer.Value is { } value
            ? $"  {what}: {text(value)} ({answer.Reached})"
            : $"  {what}: unreachable, the limit is {answer.Reached}");

    private static TimeSpan Downtime(double gain, TimeSpan period) => AvailabilityRatio.FromUnavailability(gain).Downtime(period);

    private static string Text(PoolRouting routing) => routing == PoolRouting.Balanced ? "balanced" : "by priority";

    private static string Text(PoolLossCause cause) => cause switch
    {
        PoolLossCause.IndependentFailures => "too many endpoints down at once, by chance",
        PoolLossCause.CommonCause => "one cause takes all endpoints down (beta)",
        PoolLossCause.Detection => "calls to an endpoint that is down, before this is detected",
        _ => "failures that are never detected",
    };

    private static string Share(double share) => share.ToString(share < 0.001 ? "0.####%" : "0.##%", CultureInfo.InvariantCulture);

    private static string Estimated(double? value) => value is { } v ? v.ToString("0.###", CultureInfo.InvariantCulture) : "unknown";

    private static string Span(TimeSpan? span) => span switch
    {
        null => "unknown",
        { Ticks: 0 } => "0",
        { TotalSeconds: < 1 } s => $"{s.TotalMilliseconds:0.##} ms",
        { TotalMinutes: < 2 } s => $"{s.TotalSeconds:0.##} s",
        { TotalHours: < 2 } s => $"{s.TotalMinutes:0.#} min",
        { TotalDays: < 2 } s => $"{s.TotalHours:0.#} h",
        { } s => $"{s.TotalDays:0.#} d",
    };
}
