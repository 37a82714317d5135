using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class OwnSelectorTests
{
    private sealed class Recorder(int answer) : IEndpointSelector
    {
        public List<string> Offered { get; } = [];

        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates)
        {
            var offered = "";
            foreach (var candidate in candidates)
                offered += candidate.Endpoint.Name + candidate.InFlight;
            Offered.Add(offered);
            return answer;
        }
    }

    [Fact]
    public void It_is_offered_the_admitted_of_one_tier_and_its_word_is_final()
    {
        var own = new Recorder(1);
        var bench = new SelectionBench([new() { Name = "a" }, new() { Name = "b" }, new() { Name = "c" }, new() { Name = "z", Tier = 1 }],
            new SelectionOptions { StrictTiers = true }, own: own);
        bench.Eject("a");
        bench.Load("c", 2);
        bench.Pick().Should().Be("c");
        own.Offered.Should().Equal("b0c2");
    }

    [Fact]
    public void A_choice_outside_the_candidates_is_refused()
    {
        var bench = new SelectionBench(SelectionBench.Named("ab"), own: new Recorder(2));
        bench.Invoking(b => b.Pick()).Should().Throw<InvalidOperationException>().WithMessage("*Recorder*chose 2 of 2*");
    }
}
