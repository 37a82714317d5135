using HaKit.Faults;

namespace HaKit.Tests.Situations;

/// <summary>
/// An endpoint that is back after an outage is found soon: the time is limited by the length of the outage and by a few seconds, at each rate of calls. The pool
/// has no heartbeats that could find the endpoint earlier.
/// </summary>
public sealed class TimeToReturnTests
{
    private const double OneAnHour = 1 / 3600.0;
    private const double AnswerTime = 0.5;
    private const double RefusalTime = 0.02;
    private const double OutageBegins = 130;

    // Waiting calls are released one after another over this time, so that they do not reach the endpoint together.
    private const double Spread = 2;

    // If the call with the right to the next trial ends, another waiting call takes the right when it examines the pool again (ServiceWait).
    private const double Handover = 1;

    // While another endpoint is admitted, an endpoint that was out before the outage gets its first trial after this time.
    private const double EarlierOut = 5;

    // The longest pause between two trials of an outage of this length (OutagePace).
    private static double PauseAt(double outage) => Math.Clamp(outage / 10, 0.5, 2);

    public static TheoryData<FaultKind, double, double> Outages()
    {
        var rows = new TheoryData<FaultKind, double, double>();
        foreach (var kind in new[] { FaultKind.Overloaded, FaultKind.ServerError, FaultKind.ConnectFailed })
        {
            foreach (var (outage, perSecond) in new[] { (1, OneAnHour), (1, 0.2), (1, 1), (1, 1000), (60, OneAnHour), (60, 0.2), (60, 1), (60, 100), (3600, 0.2), (3600, 1) })
                rows.Add(kind, outage, perSecond);
        }

        return rows;
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Outages))]
    public Task The_only_endpoint_is_found_within_one_pause_and_its_trials_are_few(FaultKind kind, double outage, double perSecond)
    {
        using var bench = new TrafficBench("a");
        var back = OutageBegins + outage;
        RunOutage(bench, kind, outage, perSecond, "a");

        FirstAnswerAfter(bench, back).Should().BeLessThanOrEqualTo(PauseAt(outage) + RefusalTime + AnswerTime + 0.01);
        LongestWaitAfter(bench, back).Should().BeLessThanOrEqualTo(PauseAt(outage) + RefusalTime + AnswerTime + Spread);
        bench.Rows.Count(r => r.Began >= back && perSecond <= 1 && !r.IsServed).Should().Be(0);
        if (outage >= 60 && perSecond is 0.2 or 1)
        {
            // The first attempt of each call is no trial. While the only endpoint is not ejected yet, each call makes one.
            var from = back - outage / 4;
            var calls = outage > 60 ? 0 : perSecond * outage / 4;
            bench.Sent.Count(s => s.At >= from && s.At < back).Should().BeLessThanOrEqualTo((int)(outage / 4 / (0.95 * 0.7 * PauseAt(outage)) + calls) + 2);
        }

        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Outages))]
    public Task If_one_of_two_endpoints_comes_back_it_is_found_within_two_pauses(FaultKind kind, double outage, double perSecond)
    {
        using var bench = new TrafficBench("a b");
        var back = OutageBegins + outage;
        RunOutage(bench, kind, outage, perSecond, "b");

        FirstAnswerAfter(bench, back).Should().BeLessThanOrEqualTo(2 * (PauseAt(outage) + RefusalTime) + AnswerTime + Handover);
        LongestWaitAfter(bench, back).Should().BeLessThanOrEqualTo(2 * (PauseAt(outage) + RefusalTime) + AnswerTime + Handover + Spread);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Silent trials end at the learned limit on silence, which grows in a long outage to at most 30 s. The next trial begins after a pause of the pace.
    /// </summary>
    [Theory(Timeout = 60_000)]
    [InlineData("a", 10, 1)]
    [InlineData("a", 60, OneAnHour)]
    [InlineData("a", 60, 0.2)]
    [InlineData("a", 60, 1)]
    [InlineData("a", 60, 20)]
    [InlineData("a", 300, 0.2)]
    [InlineData("a", 300, 1)]
    [InlineData("a", 3600, 1)]
    [InlineData("a b", 60, 1)]
    [InlineData("a b", 60, 20)]
    [InlineData("a b", 300, 1)]
    public Task Endpoints_that_were_silent_are_found_within_a_tenth_of_the_outage_and_at_most_one_limit(string endpoints, double outage, double perSecond)
    {
        using var bench = new TrafficBench(endpoints);
        RunOutage(bench, null, outage, perSecond, endpoints.Split(' '));

        FirstAnswerAfter(bench, OutageBegins + outage).Should().BeLessThanOrEqualTo(Math.Min(Math.Max(outage / 10, 5), 30) + 2 + AnswerTime);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Endpoint a was out for long and is back, but its ejection has not ended. Then endpoint b fails too. The calls need not wait for the end of the ejection.
    /// </summary>
    [Theory(Timeout = 60_000)]
    [InlineData(FaultKind.Overloaded, 0.1)]
    [InlineData(FaultKind.Overloaded, 1)]
    [InlineData(FaultKind.Overloaded, 20)]
    [InlineData(FaultKind.ConnectFailed, 0.1)]
    [InlineData(FaultKind.ConnectFailed, 1)]
    [InlineData(FaultKind.ConnectFailed, 20)]
    [InlineData(FaultKind.Throttled, 0.1)]
    [InlineData(FaultKind.Throttled, 1)]
    [InlineData(FaultKind.Throttled, 20)]
    public Task An_endpoint_that_is_back_is_found_when_the_last_other_endpoint_fails_however_it_failed_itself(FaultKind later, double perSecond)
    {
        foreach (FaultKind? earlier in new FaultKind?[] { null, FaultKind.Overloaded, FaultKind.ConnectFailed })
        {
            for (var i = 0; i < 6; i++)
            {
                using var bench = new TrafficBench("a b");
                var (back, fails) = (700 + 67 * i, 735 + 67 * i);
                bench.Let(() => bench.Now >= OutageBegins && bench.Now < back ? React(bench, earlier) : bench.Answer(AnswerTime), "a");
                bench.Let(() => bench.Now >= fails ? React(bench, later) : bench.Answer(AnswerTime), "b");
                WarmUp(bench);
                bench.Traffic(fails - 60 - bench.Now, Math.Min(perSecond, 1));
                bench.Traffic(fails + 40 - bench.Now, perSecond);
                bench.Advance(120);

                bench.Rows.Where(r => r.Ended > fails).ToArray().Longest().Should().BeLessThanOrEqualTo(EarlierOut + 2 + AnswerTime, "a was out with {0} for {1} s", earlier?.ToString() ?? "silence", back - OutageBegins);
                bench.Rows.Where(r => r.Began >= fails).Should().OnlyContain(static r => r.IsServed);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Endpoint a was silent for long, and its ejection lasts for minutes. Ten seconds after a is back, b fails.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData(FaultKind.Overloaded)]
    [InlineData(FaultKind.Throttled)]
    public Task Calls_do_not_wait_for_the_end_of_an_ejection_for_silence(FaultKind later)
    {
        using var bench = new TrafficBench("a b");
        bench.Let(() => bench.Now is >= 200 and < 3200 ? bench.Hang() : bench.Answer(AnswerTime), "a");
        bench.Let(() => bench.Now >= 3210 ? bench.Refuse(later) : bench.Answer(AnswerTime), "b");
        bench.Traffic(120, 0.5);
        bench.Advance(190 - bench.Now);
        bench.Traffic(3240 - bench.Now, 20);
        bench.Advance(120);

        bench.Rows.Where(static r => r.Began >= 3210).Should().OnlyContain(static r => r.IsServed && r.Took <= EarlierOut + 2 + AnswerTime);
        return Task.CompletedTask;
    }

    /// <summary>Nine endpoints stay out. The last endpoint fails for ten seconds. The trials of the nine do not delay the trials of the last endpoint.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData(FaultKind.Overloaded, FaultKind.Overloaded, 1)]
    [InlineData(FaultKind.Overloaded, FaultKind.Overloaded, 20)]
    [InlineData(FaultKind.Overloaded, FaultKind.Throttled, 1)]
    [InlineData(FaultKind.Overloaded, FaultKind.Throttled, 20)]
    [InlineData(FaultKind.ConnectFailed, FaultKind.Overloaded, 1)]
    [InlineData(FaultKind.ConnectFailed, FaultKind.Overloaded, 20)]
    public Task Many_endpoints_that_stay_out_do_not_delay_the_return_of_the_last_one(FaultKind earlier, FaultKind later, double perSecond)
    {
        const double Fails = 1500;
        using var bench = new TrafficBench("a b c d e f g h i last");
        bench.Let(() => bench.Now >= OutageBegins ? React(bench, earlier) : bench.Answer(AnswerTime));
        bench.Let(() => bench.Now is >= Fails and < Fails + 10 ? React(bench, later) : bench.Answer(AnswerTime), "last");
        WarmUp(bench);
        bench.Traffic(Fails - 20 - bench.Now, 1);
        bench.Traffic(60, perSecond);
        bench.Advance(120);

        FirstAnswerAfter(bench, Fails + 10).Should().BeLessThanOrEqualTo(2 * (PauseAt(10) + RefusalTime) + AnswerTime);
        bench.Rows.Where(static r => r.Began >= Fails).Should().OnlyContain(static r => r.IsServed);
        return Task.CompletedTask;
    }

    // All endpoints are out. The named endpoints come back at the end of the outage.
    private static void RunOutage(TrafficBench bench, FaultKind? kind, double outage, double perSecond, params string[] returning)
    {
        var back = OutageBegins + outage;
        bench.Let(() => bench.Now >= OutageBegins ? React(bench, kind) : bench.Answer(AnswerTime));
        bench.Let(() => bench.Now >= OutageBegins && bench.Now < back ? React(bench, kind) : bench.Answer(AnswerTime), returning);
        WarmUp(bench);
        if (perSecond == OneAnHour)
        {
            bench.Advance(Math.Max(OutageBegins + 0.01, back - 30) - bench.Now);
            bench.Begin();
        }
        else
        {
            bench.Advance(OutageBegins - 5 - bench.Now);
            bench.Traffic(back + 10 - bench.Now, perSecond);
        }

        bench.Advance(120);
    }

    // The pool learns the times of the endpoints.
    private static void WarmUp(TrafficBench bench) => bench.Traffic(120, 0.5 * bench.Options.Endpoints.Count);

    // Null: the endpoint stays silent.
    private static TrafficBench.Reaction React(TrafficBench bench, FaultKind? kind) => kind is { } fault ? bench.Refuse(fault) : bench.Hang();

    private static double FirstAnswerAfter(TrafficBench bench, double back) => bench.Rows.Where(r => r.IsServed && r.Ended >= back).Min(static r => r.Ended!.Value) - back;

    // Calls that reach their deadline soon after the outage are left out.
    private static double LongestWaitAfter(TrafficBench bench, double back) =>
        bench.Rows.Where(r => r.Began < back && r.Began + 90 > back && r.Ended >= back && r.IsServed).Select(r => r.Ended!.Value - back).DefaultIfEmpty(0).Max();
}
