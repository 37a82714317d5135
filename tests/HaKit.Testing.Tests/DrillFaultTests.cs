namespace HaKit.Testing.Tests;

/// <summary>The faults and tiers of a drill: what is derived from a fault keeps its properties, and wrong ones are refused by name.</summary>
public sealed class DrillFaultTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    public static TheoryData<string> Names => [.. DrillFaults.All.Select(static f => f.Name)];

    [Theory, MemberData(nameof(Names))]
    public void A_fault_at_a_rate_lasts_as_long_as_the_whole_fault(string name)
    {
        var fault = DrillFaults.All.Single(f => f.Name == name);
        var rated = fault.AtRate(0.1);
        rated.LengthFactor.Should().Be(fault.LengthFactor);
        rated.Steps(S(5)).Select(static s => (s.From, s.Until, s.Upstream, s.RetryAfter)).Should().Equal(fault.Steps(S(5)).Select(static s => (s.From, s.Until, s.Upstream, s.RetryAfter)));
    }

    [Fact]
    public void A_long_outage_at_a_rate_is_three_times_as_long_as_the_other_faults() =>
        DrillFaults.LongOutage.AtRate(0.1).Steps(S(5)).Should().ContainSingle().Which.Until.Should().Be(S(15));

    [Fact]
    public void A_total_fault_is_total_only_at_a_rate_of_all_requests()
    {
        DrillFaults.All503.AtRate(0.99).IsTotal.Should().BeFalse("some requests are served");
        DrillFaults.All503.AtRate(1).IsTotal.Should().BeTrue();
        DrillFaults.Slow.AtRate(1).IsTotal.Should().BeFalse();
    }

    public static TheoryData<string, Action<HaDrillOptions>> WrongOptions() => new()
    {
        { "Tiers has no tier", static o => o.Tiers = [] },
        { "Tiers has a tier without endpoints", static o => o.Tiers = [["openai"], []] },
        { "Tiers has a tier without endpoints", static o => o.Tiers = [null!] },
        { "Tiers has an endpoint without a name", static o => o.Tiers = [[""]] },
        { "Tiers has an endpoint without a name", static o => o.Tiers = [["openai", null!]] },
        { "Faults is null", static o => o.Faults = null! },
        { "Faults has an entry that is null", static o => o.Faults = [DrillFaults.Refused, null!] },
        { "The fault 'empty' has no steps", static o => o.Faults = [new DrillFault("empty", "does nothing", static _ => [])] },
        { "The fault 'wrong' has a step with Upstream -1", static o => o.Faults = [new DrillFault("wrong", "is wrong", static length => [new(FakeFault.Refused, TimeSpan.Zero, length, Upstream: -1)])] },
    };

    [Theory(Timeout = 120_000), MemberData(nameof(WrongOptions))]
    public async Task Wrong_faults_and_tiers_of_a_drill_are_refused_by_name(string message, Action<HaDrillOptions> configure)
    {
        await Task.CompletedTask;
        FluentActions.Invoking(() => HaDrill.Run(HaDrillTests.Application(), "chat", configure)).Should().Throw<ArgumentException>().WithMessage($"*{message}*");
    }
}
