using HaKit.Faults;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class RetryChoiceTests
{
    private static readonly Fault s_error = new(FaultKind.ServerError);

    private static SelectionBench Bench(SelectionPreset preset = SelectionPreset.Adaptive) => new([
        new() { Name = "a1", Account = "A", Region = "east", Provider = "openai" },
        new() { Name = "a2", Account = "A", Region = "west", Provider = "openai" },
        new() { Name = "b1", Account = "B", Region = "east", Provider = "openai" },
        new() { Name = "b2", Account = "B", Region = "west", Provider = "openai" },
        new() { Name = "other", Account = "C", Region = "east", Provider = "anthropic", Tier = 1 }], new SelectionOptions { Preset = preset });

    [Theory]
    [InlineData(SelectionPreset.Adaptive)]
    [InlineData(SelectionPreset.RoundRobin)]
    [InlineData(SelectionPreset.Sticky)]
    public void After_a_failure_the_next_choice_shares_the_least_with_what_failed(SelectionPreset preset)
    {
        var bench = Bench(preset);
        for (var i = 0; i < 50; i++)
        {
            bench.After(("a1", s_error)).Pick().Should().Be("other", "another provider");
            bench.After(("a1", s_error), ("other", s_error)).Pick().Should().Be("b2", "another account in another region");
            bench.After(("a1", s_error), ("other", s_error), ("b2", s_error)).Pick().Should().BeOneOf("a2", "b1");
        }
    }

    [Fact]
    public void Strict_tiers_come_before_domains_but_not_before_an_account_that_was_throttled()
    {
        var bench = Bench(SelectionPreset.Priority);
        bench.After(("a1", s_error)).Pick().Should().Be("b2");
        bench.After(("a1", new Fault(FaultKind.Throttled)), ("b1", s_error), ("b2", s_error)).Pick().Should().Be("other");
    }

    [Fact]
    public void Siblings_of_a_throttled_account_are_the_last_resort()
    {
        var bench = Bench();
        var throttled = new Fault(FaultKind.Throttled);
        bench.After(("a1", throttled), ("other", s_error), ("b2", s_error)).Pick().Should().Be("b1", "its account failed but was not throttled");
        bench.After(("a1", throttled), ("other", s_error), ("b2", s_error), ("b1", s_error)).Pick().Should().Be("a2");
    }

    [Fact]
    public void What_the_call_found_broken_is_no_choice_at_all()
    {
        var bench = Bench();
        var exhausted = new Fault(FaultKind.QuotaExhausted);
        bench.After(("a1", exhausted), ("b1", exhausted), ("other", s_error)).Choose().Should().Be(Choice.None);
    }

    [Fact]
    public void A_silent_attempt_counts_like_a_failed_one() =>
        Bench().After(("a1", null)).Pick().Should().Be("other");

    [Fact]
    public void A_fault_of_the_request_puts_no_domain_in_doubt_and_needs_a_larger_window()
    {
        var bench = new SelectionBench([
            new() { Name = "small", Account = "A", ContextWindow = 1000 }, new() { Name = "small2", Account = "B", ContextWindow = 1000 },
            new() { Name = "large", Account = "A", ContextWindow = 2000 }]);
        for (var i = 0; i < 50; i++)
            bench.After(("small", new Fault(FaultKind.ContextLength))).Pick().Should().Be("large");
    }

    [Fact]
    public void In_round_robin_a_failing_endpoint_is_followed_by_the_next_one()
    {
        var bench = new SelectionBench("abcd", SelectionPreset.RoundRobin);
        bench.Pick().Should().Be("a");
        bench.After(("a", s_error)).Pick().Should().Be("b");
    }

    [Fact]
    public void A_retry_prefers_the_least_loaded_of_those_left()
    {
        var bench = new SelectionBench("abcde");
        bench.Load("b", 2);
        bench.Load("c", 2);
        bench.Load("d", 2);
        for (var i = 0; i < 20; i++)
            bench.After(("a", s_error)).Pick().Should().Be("e");
    }

    [Fact]
    public void What_ended_by_the_requests_own_fault_is_nobodys_kin()
    {
        var bench = Bench();
        for (var i = 0; i < 50; i++)
            bench.After(("a1", new Fault(FaultKind.ContentFilter))).Pick().Should().BeOneOf("a2", "b1", "b2");
    }

    [Fact]
    public void An_account_that_failed_is_nearer_than_one_that_was_throttled()
    {
        var bench = Bench();
        var throttled = new Fault(FaultKind.Throttled);
        for (var i = 0; i < 50; i++)
            bench.After(("a1", throttled), ("other", s_error), ("b2", s_error)).Pick().Should().Be("b1");
    }

    [Fact]
    public void Who_shares_a_key_is_nearer_than_who_shares_a_region()
    {
        var bench = new SelectionBench([
            new() { Name = "a", KeyName = "k", Region = "east" }, new() { Name = "b", KeyName = "k", Region = "west" }, new() { Name = "c", KeyName = "l", Region = "east" }]);
        for (var i = 0; i < 50; i++)
            bench.After(("a", s_error)).Pick().Should().Be("c");
    }

    [Fact]
    public void A_near_relative_is_no_choice_however_quick_it_is()
    {
        var bench = Bench();
        bench.Answered("a2", 0.01);
        bench.Answered("b1", 0.01);
        bench.Answered("b2", 5);
        for (var i = 0; i < 50; i++)
            bench.After(("a1", s_error), ("other", s_error)).Pick().Should().Be("b2");
    }

    [Fact]
    public void A_returning_endpoint_is_the_last_of_equals()
    {
        var bench = new SelectionBench("abc");
        bench.Order("c", HealthOrder.ForceDown);
        bench.Order("c", HealthOrder.BringUp);
        for (var i = 0; i < 50; i++)
            bench.After(("a", s_error)).Pick().Should().Be("b");
    }

    [Fact]
    public void An_ejected_endpoint_is_not_asked_before_its_time_where_nobody_panics()
    {
        var bench = new SelectionBench("abcd");
        bench.Eject("a");
        bench.Now += TimeSpan.FromSeconds(2);
        bench.After(("b", s_error), ("c", s_error), ("d", s_error)).Choose().Should().Be(Choice.None);
    }

    [Fact]
    public void A_selector_of_ones_own_has_the_word_after_a_failure_too()
    {
        var bench = new SelectionBench(SelectionBench.Named("abc"), own: new Last());
        for (var i = 0; i < 20; i++)
            bench.After(("a", s_error)).Pick().Should().Be("c");
    }

    private sealed class Last : IEndpointSelector
    {
        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates) => candidates.Length - 1;
    }
}
