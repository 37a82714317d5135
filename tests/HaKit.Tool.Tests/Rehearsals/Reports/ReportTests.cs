using HaKit.Testing;
using HaKit.Tool.Rehearsals;
using HaKit.Tool.Rehearsals.Reports;

namespace HaKit.Tool.Tests.Reports;

public sealed class ReportTests
{
    private static readonly Act Killing = new(0, Trouble.Killed, S(1), S(2));

    [Theory]
    [InlineData(3, 3, true)]
    [InlineData(4, 4, true)] // the broken one was received and answered, but the answer did not arrive
    [InlineData(4, 3, true)]
    [InlineData(2, 2, false)] // an answer came from nowhere
    [InlineData(5, 3, false)] // a request that no attempt explains, such as a retry of the SDK's own
    [InlineData(3, 5, false)]
    public void Client_and_server_agree_when_only_broken_attempts_are_in_doubt(long received, long whole, bool agree)
    {
        Attempt[] attempts = [Good("alpha"), Good("alpha"), Good("alpha"), Bad("alpha", AttemptOutcome.Refused), Bad("alpha", AttemptOutcome.Broken)];

        Book.From(new FakeCounts { Received = received, AnsweredWhole = whole }, attempts).Agrees.Should().Be(agree);
    }

    [Fact]
    public void A_request_still_in_flight_at_the_end_is_no_agreement()
    {
        Book.From(new FakeCounts { Received = 1, AnsweredWhole = 1, InFlight = 1 }, [Good("alpha")]).Agrees.Should().BeFalse();
    }

    [Fact]
    public void A_refused_answer_is_received_but_not_whole()
    {
        var attempt = Good("alpha");
        attempt.Status = 429;

        Book.From(new FakeCounts { Received = 1, AnsweredWhole = 0 }, [attempt]).Agrees.Should().BeTrue();
        Book.From(new FakeCounts { Received = 1, AnsweredWhole = 1 }, [attempt]).Agrees.Should().BeFalse();
    }

    [Fact]
    public void The_time_from_a_fault_is_that_of_the_first_call_that_met_it_and_was_served_elsewhere()
    {
        Call[] calls =
        [
            Served("bravo", S(1.05), Good("bravo")), // this call did not meet the fault
            Served("charlie", S(1.4), Bad("alpha", AttemptOutcome.Refused, S(1.3), S(1.31)), Good("charlie")),
            Served("bravo", S(1.2), Bad("alpha", AttemptOutcome.Refused, S(1.1), S(1.11)), Good("bravo")),
            Served("bravo", S(0.8), Bad("alpha", AttemptOutcome.Broken, S(0.5), S(0.6)), Good("bravo")), // this attempt failed before the fault began
        ];

        var figures = FaultFigures.From(Killing, S(1), "alpha", calls);

        figures.MetBy.Should().Be(2);
        figures.FirstServedElsewhere.Should().BeApproximately(200, 1e-9);
        FaultFigures.From(Killing, S(1), "charlie", calls).FirstServedElsewhere.Should().BeNull();
    }

    [Fact]
    public void The_time_to_move_is_counted_from_the_refusal_to_the_whole_answer()
    {
        var figures = MoveFigures.OfRefused(
        [
            Served("bravo", S(1.2), Bad("alpha", AttemptOutcome.Refused, S(1.1), S(1.15)), Good("bravo")),
            Served("bravo", S(2.3), Bad("alpha", AttemptOutcome.Refused, S(2.1), S(2.2)), Good("bravo")),
            Served("bravo", S(3.9), Bad("alpha", AttemptOutcome.Refused, S(3.1), S(3.2)), Good("bravo")),
            Served("bravo", S(9), Bad("alpha", AttemptOutcome.Broken, S(4), S(5)), Good("bravo")),
        ]);

        figures.Calls.Should().Be(3);
        figures.Median.Should().BeApproximately(100, 1e-9);
        figures.Worst.Should().BeApproximately(700, 1e-9);
    }

    [Fact]
    public void Percentiles_are_values_that_occurred()
    {
        var times = Enumerable.Range(1, 100).Select(i => S(i)).ToArray();

        Statistics.Percentile(times, 0.5).Should().Be(S(50));
        Statistics.Percentile(times, 0.99).Should().Be(S(99));
        Statistics.Percentile(times, 1).Should().Be(S(100));
        Statistics.Percentile(times[..1], 0.01).Should().Be(S(1));
        Statistics.Percentile([], 0.5).Should().BeNull();
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static Attempt Good(string endpoint) => new(endpoint, default) { Outcome = AttemptOutcome.Answered, Status = 200 };

    private static Attempt Bad(string endpoint, AttemptOutcome outcome, TimeSpan started = default, TimeSpan ended = default) =>
        new(endpoint, started) { Outcome = outcome, Ended = ended };

    private static Call Served(string by, TimeSpan ended, params Attempt[] attempts)
    {
        var call = new Call(attempts[0].Started) { Ended = ended, Outcome = CallOutcome.Served, ServedBy = by };
        call.Attempts.AddRange(attempts);
        return call;
    }
}
