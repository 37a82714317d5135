using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Tests.Failover;

/// <summary>Tests the faults that HaKit's own exceptions stand for, and the texts of these exceptions.</summary>
public sealed class KnownFaultsTests
{
    private static readonly Fault Throttled = new(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(7) };
    private static readonly AttemptRecord[] Attempts = [new("a", Throttled, TimeSpan.FromSeconds(1.25)), new("b", null, TimeSpan.FromSeconds(0.5))];

    [Fact]
    public void An_exception_that_is_nobodys_names_no_fault()
    {
        OwnFaults.In(null).Should().BeNull();
        OwnFaults.In(new InvalidOperationException("x", new FormatException("y"))).Should().BeNull();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(7, true)]
    [InlineData(8, false)]
    public void A_fault_is_found_within_seven_others_and_no_deeper(int depth, bool found)
    {
        Exception exception = new EndpointFaultException("a", Throttled);
        for (var i = 0; i < depth; i++)
            exception = new InvalidOperationException("around", exception);

        (OwnFaults.In(exception) is not null).Should().Be(found);
    }

    [Fact]
    public void A_cut_answer_is_the_fault_that_cut_it_and_a_pools_refusal_is_overload_for_as_long_as_it_says()
    {
        OwnFaults.In(new PartialResponseException("p", "a", Throttled, 3, AttemptTotals.None, null, null)).Should().BeSameAs(Throttled);
        OwnFaults.In(new DeadlineExceededException("p", TimeSpan.FromSeconds(9), [], TimeSpan.FromSeconds(4), null))
            .Should().Be(new Fault(FaultKind.Overloaded) { RetryAfter = TimeSpan.FromSeconds(4) });
        OwnFaults.In(new NoEndpointAvailableException("p", "why", [], [], null, null)).Should().Be(new Fault(FaultKind.Overloaded));
    }

    [Fact]
    public void A_refusal_says_what_was_tried_and_when_to_come_back()
    {
        var inner = new FormatException("inner");
        var refusal = new NoEndpointAvailableException("chat", "nothing is left.", Attempts, [], TimeSpan.FromSeconds(7.5), inner);
        refusal.Message.Should().Be($"Pool 'chat': nothing is left. Try again in 7.5 s.{Environment.NewLine}Tried:{Environment.NewLine}  a: {Throttled} after 1.3 s{Environment.NewLine}  b: no fault after 0.5 s");
        (refusal.Pool, refusal.RetryAfter, refusal.InnerException).Should().Be(("chat", TimeSpan.FromSeconds(7.5), inner));
        refusal.Attempts.Should().Equal(Attempts);

        new NoEndpointAvailableException("chat", "nothing is left.", [], [], null, null).Message.Should().Be("Pool 'chat': nothing is left.");
    }

    [Fact]
    public void A_deadline_and_a_cut_say_how_far_it_came()
    {
        var late = new DeadlineExceededException("chat", TimeSpan.FromSeconds(2.5), [], null, null);
        late.Message.Should().Be("Pool 'chat': the deadline of 2.5 s passed.");
        late.Deadline.Should().Be(TimeSpan.FromSeconds(2.5));

        var cut = new PartialResponseException("chat", "a", Throttled, 3, AttemptTotals.None, null, null);
        cut.Message.Should().Be($"Pool 'chat': the answer of 'a' was cut by {Throttled} after 3 items with content.");
        (cut.Endpoint, cut.Fault, cut.DeliveredItems).Should().Be(("a", Throttled, 3));
        (new EndpointFaultException("a", Throttled) is { Endpoint: "a" } fault && fault.Fault == Throttled).Should().BeTrue();
    }

    [Fact]
    public void Attempts_of_which_nobody_knows_whether_they_were_done_are_perhaps_billed()
    {
        Fault? With(FaultApplied applied) => new Fault(FaultKind.ServerError) { Applied = applied };
        new CallDetail
        {
            Endpoint = "a",
            AttemptCount = 5,
            Attempts =
            [
                .. new[] { With(FaultApplied.NotSent), With(FaultApplied.Rejected), With(FaultApplied.Ambiguous), With(FaultApplied.Partial), null }
                    .Select(fault => new AttemptRecord("a", fault, TimeSpan.Zero)),
            ],
        }.PerhapsBilled.Should().Be(2);
    }
}
