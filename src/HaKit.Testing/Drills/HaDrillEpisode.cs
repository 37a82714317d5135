using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Testing;

/// <summary>Plays one fault against one build of the application in virtual time.</summary>
internal sealed class HaDrillEpisode(IServiceCollection services, string pool, HaDrillOptions options, IReadOnlyList<DrillMember> members, HaDrillScene scene)
{
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(4);

    // If a call has not ended after this time, it waits for an event that does not use the drill's clock.
    private static readonly TimeSpan Settling = TimeSpan.FromMinutes(30);

    // The latency of a healthy endpoint: 50 ms to the headers and up to 50 ms more. All endpoints have the same distribution, so that no endpoint seems faster.
    private static readonly (double Probability, TimeSpan Latency)[] Usual = [(1, TimeSpan.FromMilliseconds(50)), (0.5, TimeSpan.FromMilliseconds(25)), (0.25, TimeSpan.FromMilliseconds(25))];

    private readonly Random _random = new(options.Seed);
    // The fake of a client object does not get the prompt, so the prompt of its call is in the execution context.
    private readonly AsyncLocal<string?> _prompt = new();
    private readonly HashSet<string> _struck = new(StringComparer.Ordinal);
    private readonly List<Call> _ended = [];
    private int _number;
    private int _inFlight;

    private sealed record Call(string Prompt, DrillOutcome Outcome, TimeSpan Time, string? Why = null, bool IsCut = false);

    /// <summary>Plays the fault.</summary>
    /// <param name="healthyMedian">The median time of a call without faults.</param>
    /// <returns>The row of the table, and the median time of the right calls.</returns>
    public (HaDrillRow Row, TimeSpan Median) Run(TimeSpan healthyMedian)
    {
        using var application = new DrilledApplication(services, pool, options, members);
        foreach (var member in members)
        {
            foreach (var (probability, latency) in Usual)
                application.FaultsOf(member.Name).WithProbability(probability, FakeFault.Latency(toHeaders: latency));
        }
        // These calls fill the learned latencies and open connections, as in an application that has run for a while.
        Load(application, Before);
        _ended.Clear();
        // The fault must affect the endpoint that serves most calls. A pool that prefers another endpoint would not notice the fault.
        string[] busiestFirst = [.. members.OrderByDescending(m => application.CountsOf(m.Name).Received).Select(static m => m.Name)];
        var requests = members.Sum(m => application.CountsOf(m.Name).Received);
        var answered = members.ToDictionary(static m => m.Name, m => application.CountsOf(m.Name).AnsweredWhole, StringComparer.Ordinal);
        foreach (var (endpoint, step) in scene.StepsOn(busiestFirst))
            application.FaultsOf(endpoint).Add(RuleOf(step));
        // The serving endpoint is recorded during the fault. The effect on calls is recorded for some time longer.
        Load(application, scene.Length);
        var servers = members.Where(m => application.CountsOf(m.Name).AnsweredWhole > answered[m.Name]).Select(static m => m.Name).ToArray();
        Load(application, After);
        var calls = _number - (int)(Before.TotalSeconds * options.CallsPerSecond);
        FinishCalls(application);
        if (scene.IsHealthy)
            servers = [.. members.Where(m => application.CountsOf(m.Name).AnsweredWhole > answered[m.Name]).Select(static m => m.Name)];
        var times = _ended.Where(static c => c.Outcome == DrillOutcome.Right).Select(static c => c.Time).Order().ToArray();
        return (RowOf(application, servers, members.Sum(m => application.CountsOf(m.Name).Received) - requests, calls, healthyMedian), times.Length == 0 ? TimeSpan.Zero : times[times.Length / 2]);
    }

    private FaultRule RuleOf(DrillStep step) => new(step.Fault)
    {
        From = step.From,
        Until = step.Until,
        Where = request =>
        {
            // An endpoint that refuses connections also refuses the connections of probes. Other faults affect only calls.
            if (request.IsProbe)
                return step.IsRefusal;
            if (step.Probability < 1 && _random.NextDouble() >= step.Probability)
                return false;
            _struck.Add(_prompt.Value ?? request.Prompt);
            return true;
        },
    };

    private void Load(DrilledApplication application, TimeSpan length)
    {
        var spacing = TimeSpan.FromSeconds(1 / options.CallsPerSecond);
        var until = application.Time.Elapsed + length;
        for (var due = application.Time.Elapsed; due < until; due += spacing)
        {
            application.Time.Advance(due - application.Time.Elapsed);
            _inFlight++;
            _ = application.Time.Run(() => BeginAsync(application));
        }
        application.Time.Advance(until - application.Time.Elapsed);
    }

    private Task<bool> BeginAsync(DrilledApplication application)
    {
        _ = CallAsync(application, string.Create(CultureInfo.InvariantCulture, $"drill {++_number}: which of them answers?"));
        return Task.FromResult(true);
    }

    private void FinishCalls(DrilledApplication application)
    {
        var until = application.Time.Elapsed + Settling;
        while (_inFlight > 0 && application.Time.Elapsed < until && application.Time.AdvanceToNextTimer())
        {
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Each exception that ends a call is a result.")]
    private async Task CallAsync(DrilledApplication application, string prompt)
    {
        _prompt.Value = prompt;
        var began = application.Time.Elapsed;
        var streamed = options.Call is null && (int)(_number * options.StreamedShare) != (int)((_number - 1) * options.StreamedShare);
        Call call;
        try
        {
            var answer = await application.CallAsync(prompt, streamed, CancellationToken.None).ConfigureAwait(false);
            call = new(prompt, answer.OutcomeFor(prompt), application.Time.Elapsed - began);
        }
        catch (Exception exception)
        {
            call = new(prompt, DrillOutcome.Failed, application.Time.Elapsed - began, $"{exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}", IsCut(exception));
        }
        lock (_ended)
            _ended.Add(call);
        Interlocked.Decrement(ref _inFlight);
    }

    private HaDrillRow RowOf(DrilledApplication application, IReadOnlyList<string> servers, long requests, int calls, TimeSpan healthyMedian)
    {
        // A call that began before the fault counts as a call before the fault, even if it ended after the fault.
        var right = _ended.Where(static c => c.Outcome == DrillOutcome.Right).ToArray();
        var added = right.Where(c => _struck.Contains(c.Prompt)).Select(c => c.Time - healthyMedian).Order().ToArray();
        var row = new HaDrillRow
        {
            Fault = scene.Name,
            Calls = _ended.Count,
            Right = right.Length,
            Failed = _ended.Count(static c => c.Outcome == DrillOutcome.Failed && !c.IsCut),
            Cut = _ended.Count(static c => c.IsCut),
            WrongOrHalf = _ended.Count(static c => c.Outcome is DrillOutcome.Wrong or DrillOutcome.Half),
            Met = _struck.Count,
            AddedMedian = added.Length == 0 ? null : added[added.Length / 2],
            AddedLongest = added.Length == 0 ? null : added[^1],
            RequestsPerCall = (double)requests / Math.Max(1, calls),
            Misses = [],
        };
        return row with { Misses = [.. Misses(row, application, servers)] };
    }

    private IEnumerable<string> Misses(HaDrillRow row, DrilledApplication application, IReadOnlyList<string> servers)
    {
        if (_inFlight > 0)
            yield return $"{_inFlight} calls did not end on the drill's clock: code between the application and the pool waits in real time. Use the container's TimeProvider there.";
        var lost = row.Failed + row.WrongOrHalf + (options.AllowCuts ? 0 : row.Cut);
        if (lost > (1 - options.MinimumSuccess) * row.Calls + 1e-9 || row.Calls == 0)
            yield return $"{lost} of {row.Calls} calls were lost{WhyOf()}";
        if (row.WrongOrHalf > 0)
            yield return $"{row.WrongOrHalf} calls got a wrong answer, or half an answer that looks complete";
        if (row.AddedLongest > options.MaxAddedDelay)
            yield return $"a call was delayed by {DurationText.OfSetting(row.AddedLongest)}, and at most {DurationText.OfSetting(options.MaxAddedDelay)} is allowed";
        if (row.RequestsPerCall > options.MaxRequestsPerCall)
            yield return string.Create(CultureInfo.InvariantCulture, $"{row.RequestsPerCall:0.00} requests for each call, at most {options.MaxRequestsPerCall:0.00} are allowed: something outside the pool repeats its calls");
        foreach (var unexpected in Unexpected(servers))
            yield return unexpected;
        if (scene.IsHealthy && !options.AllowOuterResilience)
        {
            foreach (var handler in application.OuterResilience)
                yield return $"{handler} is outside the pool, and repeats and times out the pool's work. Remove it, or allow it with AllowOuterResilience.";
        }
    }

    private IEnumerable<string> Unexpected(IReadOnlyList<string> servers)
    {
        if (scene.ServedBy is not { } expected)
            yield break;
        foreach (var name in expected.Where(name => members.All(m => m.Name != name)))
            yield return $"endpoint '{name}' is not in the pool; there are {string.Join(", ", members.Select(static m => m.Name))}";
        if (servers.Except(expected).ToArray() is { Length: > 0 } others && members.Any(m => expected.Contains(m.Name)))
            yield return $"{string.Join(", ", others)} served, but only {string.Join(", ", expected)} should have served";
    }

    private string WhyOf() => _ended.Where(c => c.Why is not null && !(options.AllowCuts && c.IsCut)).GroupBy(static c => Shorten(c.Why!)).MaxBy(static g => g.Count()) is { } most
        ? $": {most.Count()} × {most.Key}"
        : "";

    private static bool IsCut(Exception? exception) => exception is PartialResponseException || exception?.InnerException is { } inner && IsCut(inner);

    private static string Shorten(string why) => why.Length > 220 ? why[..220] + "…" : why;
}
