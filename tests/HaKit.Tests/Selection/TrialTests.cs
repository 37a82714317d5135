using HaKit.Faults;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class TrialTests
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(6.1);

    [Fact]
    public void The_next_request_after_the_period_is_the_trial_and_nobody_else_is()
    {
        var bench = new SelectionBench("abcd");
        bench.Eject("a");
        bench.Shares(500)["a"].Should().Be(0);
        bench.Now += s_period;
        var choice = bench.Choose();
        choice.Should().Be(new Choice(bench["a"], Admission.Trial));
        bench.Begin(choice.State!, BeginMode.Trial);
        bench.Shares(500)["a"].Should().Be(0);
    }

    [Fact]
    public void What_may_not_be_repeated_is_no_trial()
    {
        var bench = new SelectionBench("ab");
        bench.Eject("a");
        bench.Now += s_period;
        bench.Choose(new RequestProfile { MayRepeat = false }).Should().Be(Choice.Normal(bench["b"]));
    }

    [Fact]
    public void A_call_that_has_failed_once_is_no_trial_as_long_as_somebody_is_admitted()
    {
        var bench = new SelectionBench("abc");
        bench.Eject("a");
        bench.Now += s_period;
        bench.After(("b", new Fault(FaultKind.ServerError))).Choose().Should().Be(Choice.Normal(bench["c"]));
        bench.After(("b", new Fault(FaultKind.ServerError)), ("c", new Fault(FaultKind.ServerError))).Choose().Should().Be(new Choice(bench["a"], Admission.Trial));
    }

    [Fact]
    public void A_standby_is_not_tried_while_the_primaries_serve()
    {
        var bench = new SelectionBench([new() { Name = "a" }, new() { Name = "standby", Tier = 1 }]);
        bench.Eject("standby");
        bench.Now += s_period;
        bench.Choose().Should().Be(Choice.Normal(bench["a"]));
    }

    [Fact]
    public void A_lost_primary_is_tried_while_the_standby_serves()
    {
        var bench = new SelectionBench([new() { Name = "a" }, new() { Name = "standby", Tier = 1 }]);
        bench.Eject("a");
        bench.Choose().Should().Be(Choice.Normal(bench["standby"]));
        bench.Now += s_period;
        bench.Choose().Should().Be(new Choice(bench["a"], Admission.Trial));
    }

    [Fact]
    public void The_trial_is_of_the_one_that_is_ready_and_not_of_another_that_is_out()
    {
        var bench = new SelectionBench("abcd");
        bench.Order("a", HealthOrder.ForceDown);
        bench.Eject("b");
        bench.Now += s_period;
        bench.Choose(new RequestProfile()).Should().Be(new Choice(bench["b"], Admission.Trial), "and a request may be repeated unless it says otherwise");
    }

    [Fact]
    public void A_call_is_no_trial_of_an_endpoint_that_has_failed_it()
    {
        var bench = new SelectionBench("ab");
        bench.Eject("a");
        bench.Now += s_period;
        var failed = new Fault(FaultKind.ServerError);
        bench.After(("a", failed), ("b", failed)).Choose().Should().Be(Choice.None);
    }

    [Fact]
    public void Call_that_must_not_be_repeated_makes_a_trial_that_has_been_due_for_the_longest_ejection()
    {
        var bench = new SelectionBench("ab");
        bench.Eject("a");
        var due = bench["a"].Health.State.Until!.Value;
        var once = new RequestProfile { MayRepeat = false };
        bench.Now = due + TimeSpan.FromSeconds(299);
        bench.Choose(once).Should().Be(Choice.Normal(bench["b"]));
        bench.Now = due + TimeSpan.FromSeconds(300);
        bench.Choose(once).Should().Be(new Choice(bench["a"], Admission.Trial), "otherwise the endpoint stays out for ever if no call may be repeated");
        bench.Begin(bench["a"], BeginMode.Trial).Complete(new Fault(FaultKind.ServerError), bench.Now);
        bench.Now = bench["a"].Health.State.Until!.Value + TimeSpan.FromSeconds(299);
        bench.Choose(once).Should().Be(Choice.Normal(bench["b"]));
    }

    [Fact]
    public void Call_that_must_not_be_repeated_makes_the_trial_of_a_cooldown_that_has_been_due_for_the_longest_ejection()
    {
        var bench = new SelectionBench("ab");
        bench.Fail("a", 1, FaultKind.Unauthorized);
        var due = bench["a"].Health.State.Cooldown!.TrialAt;
        var once = new RequestProfile { MayRepeat = false };
        bench.Now = due + TimeSpan.FromSeconds(299);
        bench.Choose(once).Should().Be(Choice.Normal(bench["b"]));
        bench.Now = due + TimeSpan.FromSeconds(300);
        bench.Choose(once).Should().Be(new Choice(bench["a"], Admission.Trial));
    }
}
