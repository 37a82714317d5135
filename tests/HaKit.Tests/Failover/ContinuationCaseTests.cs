using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Tests.Failover;

/// <summary>The decision whether a cut answer may be continued, as a table.</summary>
public sealed class ContinuationCaseTests
{
    private static readonly ContinuationCase Good = new()
    {
        IsAllowed = true,
        MayRepeat = true,
        Obstacle = null,
        Cut = new Fault(FaultKind.PartialResponse),
        Seams = 0,
        Endpoints = 1,
    };

    [Fact]
    public void Plain_text_that_was_cut_is_continued_where_another_endpoint_can() => Good.FindReason().Should().BeNull();

    [Theory]
    [InlineData(FaultKind.PartialResponse)]
    [InlineData(FaultKind.IdleTimeout)]
    [InlineData(FaultKind.Overloaded)]
    [InlineData(FaultKind.ServerError)]
    [InlineData(FaultKind.Throttled)]
    public void Cuts_silences_and_error_events_are_continued(FaultKind kind) => (Good with { Cut = new Fault(kind) }).FindReason().Should().BeNull();

    [Fact]
    public void Whatever_stands_in_the_way_is_told()
    {
        (Good with { IsAllowed = false }).FindReason().Should().Be(NotContinuedReason.Off);
        (Good with { MayRepeat = false }).FindReason().Should().Be(NotContinuedReason.MustNotRepeat);
        (Good with { Cut = new Fault(FaultKind.ContentFilter) }).FindReason().Should().Be(NotContinuedReason.ContentFilter);
        (Good with { Cut = new Fault(FaultKind.InvalidRequest) }).FindReason().Should().Be(NotContinuedReason.RequestRefused);
        (Good with { Seams = 1 }).FindReason().Should().BeNull();
        (Good with { Seams = 2 }).FindReason().Should().Be(NotContinuedReason.TooManySeams);
        (Good with { Endpoints = 0 }).FindReason().Should().Be(NotContinuedReason.NoEndpoint);
        foreach (var obstacle in Enum.GetValues<NotContinuedReason>())
            (Good with { Obstacle = obstacle }).FindReason().Should().Be(obstacle);
    }

    [Fact]
    public void An_obstacle_in_the_answer_is_told_before_the_lack_of_an_endpoint() =>
        (Good with { Obstacle = NotContinuedReason.ToolCall, Endpoints = 0, Seams = 2 }).FindReason().Should().Be(NotContinuedReason.ToolCall);
}
