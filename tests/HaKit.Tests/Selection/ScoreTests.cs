using HaKit.Faults;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class ScoreTests
{
    [Fact]
    public void Without_load_the_expected_time_decides()
    {
        var bench = new SelectionBench("ab");
        bench.Answered("a", 0.4);
        bench.Answered("b", 0.2);
        bench.Shares(100)["b"].Should().Be(1);
    }

    [Fact]
    public void A_queue_at_the_quicker_one_costs_what_it_takes()
    {
        var bench = new SelectionBench("ab");
        bench.Answered("a", 0.5);
        bench.Answered("b", 0.2);
        bench.Load("b", 1);
        bench.Pick().Should().Be("b", "0.4 s against 0.5 s");
        bench.Load("b", 1);
        bench.Pick().Should().Be("a", "0.6 s against 0.5 s");
    }

    [Fact]
    public void The_load_that_others_put_on_an_endpoint_counts_like_our_own()
    {
        var bench = new SelectionBench("ab");
        bench.Answered("a", 0.5);
        bench.Answered("b", 0.2);
        bench.Load("b", 1);
        bench["b"].ReportedLoad = new ReportedLoad(Running: 1, Waiting: 0, CacheUsage: 0);
        bench.Pick().Should().Be("b", "the one that it reports is ours: 0.4 s against 0.5 s");
        bench["b"].ReportedLoad = new ReportedLoad(Running: 1, Waiting: 1, CacheUsage: 0);
        bench.Pick().Should().Be("a", "one more is somebody else's: 0.6 s against 0.5 s");
        bench["b"].ReportedLoad = null;
        bench.Pick().Should().Be("b", "what is no longer reported no longer counts");
    }

    [Fact]
    public void Load_is_measured_by_weight()
    {
        var bench = new SelectionBench("ab", SelectionPreset.LeastOutstanding, 1, 4, 1);
        bench.Load("a", 3);
        bench.Load("b", 1);
        bench.Shares(100)["a"].Should().Be(1, "3/4 against 1");
    }

    [Fact]
    public void Long_prompts_do_not_make_an_endpoint_look_slow()
    {
        var bench = new SelectionBench("ab");
        bench.Begin(bench["a"], inputTokens: 9000).Complete(null, bench.Now + TimeSpan.FromSeconds(1));
        bench.Answered("b", 0.2);
        bench.Shares(100)["a"].Should().Be(1, "0.1 s per unit against 0.2 s");
    }

    [Fact]
    public void A_slower_answer_counts_at_once_and_a_quicker_one_by_and_by()
    {
        var bench = new SelectionBench("a");
        bench.Answered("a", 0.2);
        bench.Now += TimeSpan.FromSeconds(1);
        bench.Answered("a", 2.2);
        Time(bench).Should().BeApproximately(0.8, 1e-6, "three tenths of the way");
        var at = bench.Now + TimeSpan.FromSeconds(2.2);
        bench.Now += TimeSpan.FromSeconds(12);
        bench.Answered("a", 0.2);
        Time(bench).Should().BeApproximately(0.2 + 0.6 * Math.Exp(-(bench.Now + TimeSpan.FromSeconds(0.2) - at).TotalSeconds / 10), 1e-6);
    }

    [Fact]
    public void Nothing_known_is_as_good_as_usual()
    {
        var bench = new SelectionBench("abn");
        bench.Answered("a", 0.3);
        bench.Answered("b", 0.3);
        bench.Explain().Single(e => e.Endpoint == "n").Score.Time.Should().BeApproximately(0.3, 0.01);
    }

    [Fact]
    public void An_old_judgement_fades_so_that_nobody_is_avoided_for_ever()
    {
        var bench = new SelectionBench("ab");
        bench.Answered("a", 5);
        bench.Answered("b", 0.1);
        bench.Shares(100)["a"].Should().Be(0);
        for (var second = 0; second < 600; second++)
        {
            bench.Now += TimeSpan.FromSeconds(1);
            bench.Answered("b", 0.1);
        }
        bench.Load("b", 1);
        bench.Pick().Should().Be("a");
    }

    [Fact]
    public void An_endpoint_whose_calls_are_silent_for_longer_than_usual_is_picked_less_before_any_timeout()
    {
        var bench = new SelectionBench("ab");
        bench.Answered("a", 0.1);
        bench.Answered("b", 0.1);
        bench.Load("a", 1);
        bench.Load("b", 3);
        bench.Shares(100)["a"].Should().Be(1);
        foreach (var lease in Enumerable.Range(0, 3).Select(_ => bench.Begin(bench["b"])).ToArray())
            lease.RecordFirstContent(bench.Now);
        bench.Now += TimeSpan.FromSeconds(3);
        bench["a"].Silence.OverdueSeconds(bench.Now).Should().BeApproximately(2.8, 0.01);
        bench["b"].Silence.OverdueSeconds(bench.Now).Should().BeApproximately(2.8, 0.01);
        bench.Begin(bench["a"]).RecordFirstContent(bench.Now);
        bench["a"].Silence.OverdueSeconds(bench.Now).Should().BeApproximately(2.8, 0.01, "content of another attempt does not excuse a silent one");
    }

    [Fact]
    public void Silence_ends_with_content_with_the_answer_and_with_giving_up()
    {
        var bench = new SelectionBench("a");
        var leases = Enumerable.Range(0, 3).Select(_ => bench.Begin(bench["a"])).ToArray();
        bench.Now += TimeSpan.FromSeconds(10);
        bench["a"].Silence.OverdueSeconds(bench.Now).Should().BeApproximately(8, 0.01);
        leases[0].RecordFirstContent(bench.Now);
        leases[0].Complete(null, bench.Now);
        leases[1].Complete(null, bench.Now);
        leases[2].Cancel(new Fault(FaultKind.FirstContentTimeout));
        leases[2].Complete(new Fault(FaultKind.FirstContentTimeout), bench.Now);
        bench["a"].Silence.OverdueSeconds(bench.Now).Should().Be(0);
        bench["a"].InFlight.Should().Be(0);
    }

    [Fact]
    public void Waiting_in_vain_teaches_that_it_takes_at_least_so_long()
    {
        var bench = new SelectionBench("a");
        bench.Answered("a", 0.1);
        var lease = bench.Begin(bench["a"]);
        bench.Now += TimeSpan.FromSeconds(1);
        lease.Cancel(new Fault(FaultKind.CallerCancelled));
        lease.Complete(new Fault(FaultKind.CallerCancelled), bench.Now);
        Time(bench).Should().Be(1);
    }

    [Fact]
    public void The_pace_of_a_streams_tokens_is_learned_beside_the_time_to_its_first()
    {
        var bench = new SelectionBench("a");
        bench.Explain()[0].OutputTokenSeconds.Should().BeNull();
        var lease = bench.Begin(bench["a"]);
        lease.RecordFirstContent(bench.Now + TimeSpan.FromSeconds(0.5));
        lease.CountTokens(10, 101);
        lease.Complete(null, bench.Now + TimeSpan.FromSeconds(2.5));
        var learned = bench.Explain()[0];
        learned.FirstContentSeconds.Should().BeApproximately(0.5, 1e-9);
        learned.OutputTokenSeconds.Should().BeApproximately(0.02, 1e-9);
    }

    [Fact]
    public void Failing_fast_never_looks_like_being_fast()
    {
        var bench = new SelectionBench("ab");
        bench.Answered("a", 2);
        bench.Answered("b", 2);
        bench.Fail("a", 1);
        bench.Load("b", 2);
        bench.Pick().Should().Be("a", "one failure costs 0.1/0.95 of twelve times 2 s: less than a queue of two");
        bench.Fail("a", 2);
        bench.Shares(100)["b"].Should().Be(1);
    }

    [Fact]
    public void A_stream_cut_after_content_counts_as_five_failures()
    {
        var bench = new SelectionBench("ab");
        bench.Fail("a", 1);
        bench.Fail("b", 1, FaultKind.PartialResponse);
        bench["a"].Failure.ProbabilityAt(bench.Now).Should().BeApproximately(0.1, 1e-9);
        bench["b"].Failure.ProbabilityAt(bench.Now).Should().BeApproximately(0.5, 1e-9);
    }

    [Fact]
    public void Throttling_and_faults_of_the_request_or_the_caller_say_nothing_of_failing()
    {
        var bench = new SelectionBench("a");
        bench.Fail("a", 3, FaultKind.InvalidRequest);
        bench.Fail("a", 3, FaultKind.CallerCancelled);
        bench.Fail("a", 1, FaultKind.Throttled);
        bench["a"].Failure.ProbabilityAt(bench.Now).Should().Be(0);
    }

    [Fact]
    public void The_estimate_of_failure_fades_while_nobody_asks()
    {
        var bench = new SelectionBench("a");
        bench.Fail("a", 3);
        var at = bench["a"].Failure.ProbabilityAt(bench.Now);
        bench["a"].Failure.ProbabilityAt(bench.Now + TimeSpan.FromSeconds(60)).Should().BeApproximately(at / 2, 1e-9);
    }

    [Fact]
    public void The_own_zone_is_preferred_until_its_queue_costs_more_than_the_way()
    {
        var bench = new SelectionBench([new() { Name = "near", Zone = "z1" }, new() { Name = "far", Zone = "z2" }], new SelectionOptions { Zone = "z1" });
        bench.Answered("near", 0.04);
        bench.Answered("far", 0.04);
        bench.Shares(100)["near"].Should().Be(1);
        bench.Load("near", 1);
        bench.Shares(100)["near"].Should().Be(1, "80 ms against 90 ms");
        bench.Load("near", 1);
        bench.Shares(1000)["far"].Should().BeGreaterThan(0.4, "120 ms against 90 ms, whenever the far one is drawn");
    }

    [Fact]
    public void Nearest_stays_in_the_zone_whatever_the_queue_as_long_as_there_is_room()
    {
        var bench = new SelectionBench(
            [new() { Name = "near", Zone = "z1", Limits = new() { MaxConcurrency = 50 } }, new() { Name = "far", Zone = "z2" }],
            new SelectionOptions { Zone = "z1", Preset = SelectionPreset.Nearest });
        bench.Load("near", 49);
        bench.Shares(100)["near"].Should().Be(1);
        bench.Load("near", 1);
        bench.Shares(100)["far"].Should().Be(1);
    }

    [Fact]
    public void Nearest_without_zones_is_the_one_that_answers_first()
    {
        var bench = new SelectionBench("abc", SelectionPreset.Nearest);
        bench.Answered("a", 0.3);
        bench.Answered("b", 0.1);
        bench.Answered("c", 0.2);
        bench.Load("b", 10);
        bench.Shares(100)["b"].Should().Be(1);
    }

    [Fact]
    public void Cheapest_is_cheapest_for_this_request()
    {
        var bench = new SelectionBench(
            [new() { Name = "reader", InputTokenPrice = 1, OutputTokenPrice = 20 }, new() { Name = "writer", InputTokenPrice = 2, OutputTokenPrice = 4 }],
            new SelectionOptions { Preset = SelectionPreset.Cheapest });
        bench.Load("reader", 30);
        bench.Shares(100, new RequestProfile { InputTokens = 10_000, MaxOutputTokens = 100 })["reader"].Should().Be(1);
        bench.Shares(100, new RequestProfile { InputTokens = 100, MaxOutputTokens = 1000 })["writer"].Should().Be(1);
    }

    [Fact]
    public void Money_is_worth_the_time_that_the_pool_says()
    {
        IEnumerable<EndpointOptions> endpoints = [new() { Name = "dear", OutputTokenPrice = 10 }, new() { Name = "cheap", OutputTokenPrice = 1 }];
        var profile = new RequestProfile { MaxOutputTokens = 1000 };
        var bench = new SelectionBench(endpoints, new SelectionOptions { SecondsPerPrice = 100 });
        bench.Answered("dear", 0.2);
        bench.Answered("cheap", 1);
        bench.Pick(profile).Should().Be("cheap", "0.8 s less costs 0.009 more, which is worth 0.9 s");
        bench.Answered("cheap", 2);
        bench.Pick(profile).Should().Be("dear");
    }

    [Fact]
    public void Priority_takes_the_first_listed_as_long_as_it_may()
    {
        var bench = new SelectionBench(
            [new() { Name = "a", Limits = new() { MaxConcurrency = 2 } }, new() { Name = "b" }, new() { Name = "c" }], new SelectionOptions { Preset = SelectionPreset.Priority });
        bench.Picks(5).Should().Be("aaaaa");
        bench.Load("a", 2);
        bench.Picks(5).Should().Be("bbbbb");
    }

    [Fact]
    public void The_terms_of_an_explanation_are_those_of_the_choice_and_explaining_changes_nothing()
    {
        var bench = new SelectionBench("abc", SelectionPreset.RoundRobin);
        bench.Pick();
        var chance = new SelectionBench("abc").Chance.Next();
        for (var i = 0; i < 10; i++)
            bench.Explain();
        bench.Picks(3).Should().Be("bca");

        var two = new SelectionBench("ab", seed: 5);
        two.Explain();
        two.Chance.Next().Should().Be(new SelectionBench("ab", seed: 5).Chance.Next());
        chance.Should().NotBe(0);

        two.Load("a", 3);
        two.Fail("b", 1);
        var (a, b) = (two.Explain()[0].Score, two.Explain()[1].Score);
        a.Should().Be(new EndpointScore(4, 0, 0, 0));
        b.Failure.Should().BeApproximately(0.1 / 0.95 * 12.25, 1e-9);
        (a.Total < b.Total ? "a" : "b").Should().Be(two.Pick());
    }

    private static double Time(SelectionBench bench) => bench.Explain()[0].Score.Time;

    [Fact]
    public void An_explanation_says_what_each_term_costs_and_their_sum_is_the_score()
    {
        var bench = new SelectionBench(
            [new() { Name = "a", Weight = 4, Zone = "far", InputTokenPrice = 3, OutputTokenPrice = 5 }, new() { Name = "b", Zone = "near" }],
            new SelectionOptions { Zone = "near", ZonePenalty = TimeSpan.FromSeconds(0.5), SecondsPerPrice = 1000 });
        bench.Answered("a", 0.4);
        bench.Load("a", 2);
        var (far, near) = (bench.Explain()[0].Score, bench.Explain()[1].Score);
        far.Time.Should().BeApproximately(0.4 * (1 + 2 / 4.0), 1e-9, "two calls before it, shared by a weight of four");
        (far.Failure, far.Zone, far.Price).Should().Be((0, 0.5, 8), "of requests of unknown length the sum of the prices counts");
        far.Total.Should().BeApproximately(0.6 + 0.5 + 8, 1e-9);
        (near.Zone, near.Price).Should().Be((0, 0));
    }

    [Fact]
    public void What_a_returning_endpoint_has_in_flight_weighs_as_much_more_as_its_share_is_less()
    {
        var bench = new SelectionBench("ab");
        bench.Answered("a", 0.4);
        bench.Order("a", HealthOrder.ForceDown);
        bench.Order("a", HealthOrder.BringUp);
        bench.Load("a", 1);
        bench.Explain()[0].Score.Time.Should().BeApproximately(0.4 * (1 + 1 / 0.1), 1e-9);
    }

    [Fact]
    public void Of_two_requests_of_unknown_length_the_dearer_endpoint_is_still_the_dearer()
    {
        var bench = new SelectionBench(
            [new() { Name = "a", InputTokenPrice = 1, OutputTokenPrice = 5 }, new() { Name = "b", InputTokenPrice = 3, OutputTokenPrice = 2 }],
            new SelectionOptions { Preset = SelectionPreset.Cheapest });
        bench.Shares(100)["b"].Should().Be(1);
        bench.Shares(100, new RequestProfile { InputTokens = 1000, MaxOutputTokens = 10 })["a"].Should().Be(1);
    }

    [Fact]
    public void Least_outstanding_does_not_ask_how_long_an_endpoint_takes()
    {
        var bench = new SelectionBench("ab", SelectionPreset.LeastOutstanding);
        bench.Answered("a", 60);
        bench.Answered("b", 0.01);
        bench.Load("b", 1);
        bench.Shares(100)["a"].Should().Be(1);
    }

    [Fact]
    public void Random_does_not_ask_how_busy_an_endpoint_is()
    {
        var bench = new SelectionBench("ab", SelectionPreset.Random);
        bench.Load("a", 1000);
        bench.Shares(1000)["a"].Should().BeApproximately(0.5, 0.1);
    }

    [Fact]
    public void A_returning_endpoint_of_another_zone_is_asked_as_often_as_its_share_allows()
    {
        var bench = new SelectionBench([new() { Name = "near", Zone = "here" }, new() { Name = "far", Zone = "there" }], new SelectionOptions { Zone = "here" });
        bench.Answered("near", 60);
        bench.Answered("far", 0.01);
        bench.Order("far", HealthOrder.ForceDown);
        bench.Order("far", HealthOrder.BringUp);
        bench.Shares(10_000)["far"].Should().BeApproximately(0.1 / 2, 0.015, "half of the calls look at it, and a tenth of those may take it");
    }
}
