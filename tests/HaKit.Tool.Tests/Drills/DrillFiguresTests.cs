using HaKit.Testing;
using HaKit.Tool.Drills;

namespace HaKit.Tool.Tests.Drills;

public sealed class DrillFiguresTests
{
    private static readonly TimeSpan Healthy = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void Well_again_is_the_call_after_the_last_one_that_spoils_a_second()
    {
        // 50 calls a second for 4 s; those of the first second and one at 1.5 s fail.
        var calls = Calls(200, (n, _) => n is <= 50 or 76 ? DrillOutcome.Failed : DrillOutcome.Right);

        DrillFigures.WellAgain(calls, TimeSpan.Zero, rate: 50).Should().Be(TimeSpan.FromSeconds(76 * 0.02));
    }

    [Fact]
    public void One_failure_in_more_than_a_hundred_calls_of_a_second_leaves_all_well()
    {
        DrillFigures.WellAgain(Calls(600, (n, _) => n == 200 ? DrillOutcome.Failed : DrillOutcome.Right), TimeSpan.Zero, rate: 200).Should().Be(TimeSpan.Zero);
        DrillFigures.WellAgain(Calls(600, (n, _) => n == 200 ? DrillOutcome.Failed : DrillOutcome.Right), TimeSpan.Zero, rate: 50).Should().BePositive();
    }

    [Fact]
    public void Where_the_last_second_is_still_spoilt_nothing_is_well_again()
    {
        DrillFigures.WellAgain(Calls(200, (n, _) => n == 190 ? DrillOutcome.Wrong : DrillOutcome.Right), TimeSpan.Zero, rate: 50).Should().BeNull();
    }

    [Fact]
    public void A_send_before_the_named_time_is_early_and_one_that_was_on_its_way_is_not()
    {
        UpstreamStrike[] refusals = [new(S(1), 0, 1, RetryAfter: S(2))];

        DrillFigures.EarlySends([new(S(1), 0, 1), new(S(1.045), 0, 2), new(S(1.06), 0, 3), new(S(1.5), 0, 3), new(S(1.5), 1, 4), new(S(2.995), 0, 5), new(S(3.1), 0, 6)], refusals, S(0.03))
            .Should().Be(2, "an answer takes 30 ms, and only the requests at 1.06 s and 1.5 s to the same upstream were early");
    }

    [Fact]
    public void Added_delay_is_that_of_the_right_calls_that_met_the_fault()
    {
        var report = Figures(Calls(100, (n, _) => n == 3 ? DrillOutcome.Failed : DrillOutcome.Right, n => n == 2 ? S(1.01) : S(0.01)), strikes: [new(S(0.02), 0, 2, null), new(S(0.04), 0, 3, null), new(S(0.06), 0, 4, null)]);

        (report.Met, report.Right, report.Failed).Should().Be((3, 99, 1));
        report.AddedLongest.Should().BeApproximately(1000, 1e-6);
        report.AddedP50.Should().BeApproximately(0, 1e-6);
        report.Success.Should().Be(0.99);
        report.SuccessLow.Should().BeInRange(0.94, 0.98);
    }

    [Fact]
    public void Answers_beyond_one_for_each_right_call_were_made_in_vain()
    {
        var calls = Calls(100, (n, _) => n <= 10 ? DrillOutcome.Failed : DrillOutcome.Right);

        Figures(calls, wholeAnswers: 97).Duplicates.Should().Be(7);
        Figures(calls, wholeAnswers: 90).Duplicates.Should().Be(0);
    }

    [Fact]
    public void Where_upstreams_refuse_connections_every_call_of_that_time_met_the_fault()
    {
        var report = Figures(Calls(300, (_, _) => DrillOutcome.Right), fault: DrillFaults.Refused);

        report.Met.Should().Be(250, "the fault lasts for 5 s of 50 calls each");
    }

    [Theory]
    [InlineData("""{ "success": 1 }""", "error-500: success is 0.99")]
    [InlineData("""{ "addedLongest": 500 }""", "error-500: addedLongest is 1000")]
    [InlineData("""{ "wellAgainSeconds": 0 }""", "error-500: wellAgainSeconds is")]
    [InlineData("""{ "success": 1, "faults": { "error-500": { "success": 0.98 } } }""", null)]
    [InlineData("""{ "success": 0.99, "wrongOrHalf": 0, "earlySends": 0, "amplification": 1.1, "duplicates": 0 }""", null)]
    [InlineData("""{ "faults": { "compound": { "success": 0.98 } } }""", "compound: no such fault was drilled")]
    public void What_is_asserted_and_missed_is_told(string json, string? miss)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, json);
        var fault = Figures(Calls(100, (n, _) => n == 3 ? DrillOutcome.Failed : DrillOutcome.Right, n => n == 2 ? S(1.01) : S(0.01)), strikes: [new(S(0.02), 0, 2, null)], wholeAnswers: 99);

        var misses = DrillAssertions.Read(file).Misses(ReportOf(fault));

        File.Delete(file);
        if (miss is null)
            misses.Should().BeEmpty();
        else
            misses.Should().ContainSingle().Which.Should().StartWith(miss);
    }

    [Fact]
    public void A_run_whose_generator_was_late_misses_whatever_is_asserted()
    {
        new DrillAssertions().Misses(ReportOf() with { LagP99 = 5.1 }).Should().ContainSingle().Which.Should().Contain("void");
    }

    [Fact]
    public void An_assertion_that_is_misspelt_is_refused()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, """{ "sucess": 1 }""");

        FluentActions.Invoking(() => DrillAssertions.Read(file)).Should().Throw<UsageException>().WithMessage("*sucess*");
        File.Delete(file);
    }

    internal static DrillReport ReportOf(params FaultReport[] faults) => new()
    {
        Target = "<target>",
        CallsPerSecond = 50,
        StreamedShare = 0.5,
        FaultSeconds = 5,
        PatienceSeconds = 10,
        Upstreams = 3,
        Seed = 1,
        HealthyMedian = 10,
        LagP99 = 1,
        LagLongest = 2,
        Faults = faults,
    };

    internal static FaultReport Figures(IReadOnlyList<DrillCall> calls, UpstreamStrike[]? strikes = null, long wholeAnswers = 0, DrillFault? fault = null)
    {
        fault ??= DrillFaults.Error500;
        return DrillFigures.Compute(new DrillEpisode
        {
            Fault = fault,
            Steps = fault.Steps(S(5)),
            Before = [],
            Calls = calls,
            Began = TimeSpan.Zero,
            Ended = S(5),
            Requests = [.. calls.Select(c => new UpstreamRequest(c.Began, 0, c.Number))],
            Strikes = strikes ?? [],
            WholeAnswers = wholeAnswers,
        }, Healthy, rate: 50);
    }

    internal static IReadOnlyList<DrillCall> Calls(int count, Func<int, TimeSpan, DrillOutcome> outcome, Func<int, TimeSpan>? time = null) =>
    [
        .. Enumerable.Range(1, count).Select(n =>
        {
            var due = S(0.02 * (n - 1));
            return new DrillCall(n, due, due, due + (time?.Invoke(n) ?? Healthy), Streamed: false, outcome(n, due));
        }),
    ];

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
