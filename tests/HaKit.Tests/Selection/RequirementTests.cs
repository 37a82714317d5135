using HaKit.Faults;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class RequirementTests
{
    private static readonly string[] s_gpu = ["gpu"];
    private static readonly string[] s_both = ["gpu", "cheap"];
    private static readonly string[] s_other = ["gpu", "dear"];

    private static SelectionBench Bench() => new(
    [
        new() { Name = "a", Model = "m", Residency = "eu", Tags = ["gpu", "cheap"] },
        new() { Name = "b", Model = "n", Residency = "us", Tags = ["gpu"], Tools = false },
        new() { Name = "c", Residency = "eu", Vision = false },
    ]);

    private static string May(SelectionBench bench, RequestProfile profile) =>
        string.Concat(bench.Explain(profile).Where(e => e.NotAdmittedBy is null).Select(e => e.Endpoint));

    [Fact]
    public void Only_those_are_chosen_that_have_everything_a_request_needs()
    {
        var bench = Bench();
        foreach (var (profile, may) in new (RequestProfile, string)[]
        {
            (new(), "abc"),
            (new() { Model = "m" }, "ac"),
            (new() { Residency = "eu" }, "ac"),
            (new() { Residency = "EU" }, ""),
            (new() { Tools = true }, "ac"),
            (new() { Vision = true }, "ab"),
            (new() { Tags = s_gpu }, "ab"),
            (new() { Tags = s_both }, "a"),
            (new() { Tags = s_other }, ""),
            (new() { Endpoints = ["b", "c"] }, "bc"),
            (new() { Endpoints = ["c"], Vision = true }, ""),
        })
        {
            for (var repeat = 0; repeat < 2; repeat++)
            {
                May(bench, profile).Should().Be(may);
                string.Concat(bench.Picks(60, profile).Distinct().Order()).Should().Be(may.Length == 0 ? "-" : may);
            }
        }
    }

    [Fact]
    public void Requests_of_the_same_kind_are_the_same_whatever_else_they_say()
    {
        var one = new RequestProfile { Model = "m", Residency = "eu", Tools = true, Vision = true, Tags = ["x", "y"], Endpoints = ["a", "b"] };
        Requirement.AreSame(one, one with { Tags = ["x", "y"], Endpoints = ["a", "b"], InputTokens = 5, AffinityKey = "k" }).Should().BeTrue();
        foreach (var other in new[]
        {
            one with { Model = "M" }, one with { Residency = null }, one with { Tools = false }, one with { Vision = false },
            one with { Tags = ["x"] }, one with { Tags = ["x", "z"] }, one with { Tags = ["z", "y"] }, one with { Endpoints = ["a", "c"] }, one with { Endpoints = [] },
        })
        {
            Requirement.AreSame(one, other).Should().BeFalse();
        }

        Requirement.IsNone(new RequestProfile { InputTokens = 5, AffinityKey = "k", Priority = 1 }).Should().BeTrue();
        foreach (var some in new RequestProfile[]
        {
            new() { Model = "m" }, new() { Residency = "r" }, new() { Tools = true }, new() { Vision = true }, new() { Tags = s_gpu }, new() { Endpoints = s_gpu },
        })
        {
            Requirement.IsNone(some).Should().BeFalse();
        }
    }

    [Fact]
    public void Many_kinds_of_requests_are_all_answered_right_though_few_are_kept()
    {
        var bench = new SelectionBench(SelectionBench.Numbered(40, (i, e) => e.Residency = $"r{i}"), new SelectionOptions { Preset = SelectionPreset.RoundRobin });
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 40; i++)
                bench.Pick(new RequestProfile { Residency = $"r{i}" }).Should().Be($"e{i}");
        }
    }

    [Fact]
    public void What_holds_an_endpoint_back_is_named_the_lasting_before_the_passing()
    {
        var bench = new SelectionBench(
        [
            new() { Name = "a", Residency = "us" }, new() { Name = "b", Limits = new() { MaxConcurrency = 1 } }, new() { Name = "c" }, new() { Name = "d" }, new() { Name = "e" },
        ]);
        string?[] Why(RequestProfile? profile = null) => [.. bench.Explain(profile).Select(e => e.NotAdmittedBy)];
        Why().Should().Equal(null, null, null, null, null);
        bench.Load("b", 1);
        bench.Eject("c");
        bench.CoolDown("d", 7);
        Why().Should().Equal(null, "limit", "health", "cooldown", null);
        Why(new RequestProfile { Endpoints = ["b", "c", "d", "e"] }).Should().Equal("capability", "limit", "health", "cooldown", null);
        bench.After(("e", new Fault(FaultKind.ServerError)));
        Why().Should().Equal(null, "limit", "health", "cooldown", "tried");

        var told = bench.Explain();
        told[3].AvailableIn.Should().Be(TimeSpan.FromSeconds(7));
        told[0].AvailableIn.Should().Be(TimeSpan.Zero);
        told[2].AvailableIn.Should().Be(bench["c"].Health.State.Until!.Value - bench.Now);
        told[0].FirstContentSeconds.Should().BeNull("nothing is known");
        told[0].OutputTokenSeconds.Should().BeNull();
        told[1].InFlight.Should().Be(1);
        told[2].Score.Failure.Should().BeGreaterThan(told[4].Score.Failure);
        bench.Answered("a", 2);
        bench.Explain()[0].FirstContentSeconds.Should().BeApproximately(2, 1e-9);
    }

    [Fact]
    public void A_request_must_fit_the_context_window_and_one_found_too_small_is_never_asked_again()
    {
        var bench = new SelectionBench([new() { Name = "a", ContextWindow = 1000 }, new() { Name = "b", ContextWindow = 2000 }, new() { Name = "c" }]);
        May(bench, new() { InputTokens = 600, MaxOutputTokens = 400 }).Should().Be("abc");
        May(bench, new() { InputTokens = 600, MaxOutputTokens = 401 }).Should().Be("bc");
        May(bench, new() { InputTokens = 2001 }).Should().Be("c");
        bench.After(("a", new Fault(FaultKind.ContextLength)));
        May(bench, new()).Should().Be("b", "it declares a larger window, and c declares nothing");
        bench.After(("b", new Fault(FaultKind.ContextLength)));
        May(bench, new()).Should().BeEmpty("what is too long for 2000 is too long for 1000");
        bench.After(("c", new Fault(FaultKind.ContextLength)));
        May(bench, new()).Should().Be("ab");
    }

    [Fact]
    public void An_estimate_prefers_the_endpoints_with_room_for_it_and_never_excludes_all_of_them()
    {
        var bench = new SelectionBench([new() { Name = "a", ContextWindow = 1000 }, new() { Name = "b", ContextWindow = 2000, Tools = true }, new() { Name = "c", ContextWindow = 2000 }, new() { Name = "d", ContextWindow = 4000, Residency = "eu" }]);

        May(bench, new() { InputTokens = 600, IsInputEstimated = true }).Should().Be("abcd");
        May(bench, new() { InputTokens = 1500, IsInputEstimated = true }).Should().Be("bcd");
        May(bench, new() { InputTokens = 9000, IsInputEstimated = true }).Should().Be("d", "it has the most room");
        May(bench, new() { InputTokens = 9000, IsInputEstimated = true, Endpoints = ["a", "b", "c"] }).Should().Be("bc");
        May(bench, new() { InputTokens = 9000, IsInputEstimated = true, Endpoints = ["a"] }).Should().Be("a");
        May(bench, new() { InputTokens = 9000, LongestInputTokens = 1500 }).Should().Be("bcd", "each text must fit, and not all of them together");
        May(bench, new() { InputTokens = 9000, LongestInputTokens = 1500, MaxOutputTokens = 2001 }).Should().Be("d", "the answer's tokens are not estimated");
        May(bench, new() { InputTokens = 9000, IsInputEstimated = true, MaxOutputTokens = 4001 }).Should().BeEmpty();
    }
}
