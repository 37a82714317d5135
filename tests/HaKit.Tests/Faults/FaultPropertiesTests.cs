using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Tests the default values of a fault and the properties that are derived from others.</summary>
public sealed class FaultPropertiesTests
{
    [Fact]
    public void New_fault_has_no_details_and_permits_another_attempt()
    {
        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            var fault = new Fault(kind);
            fault.MayAskAgain.Should().BeTrue();
            fault.SecondOpinion.Should().Be(SecondOpinion.None);
            fault.IsProvisional.Should().BeFalse();
            fault.UntilCleared.Should().BeFalse();
            fault.RetryAfter.Should().BeNull();
            fault.StatusCode.Should().Be(0);
            fault.Code.Should().BeNull();
        }
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("rate_limit_exceeded", "rate_limit_exceeded")]
    [InlineData("sk-abc", null)]
    [InlineData("abcdefghijklmnop0123", null)]
    public void Code_that_looks_like_a_key_is_removed(string? code, string? kept) =>
        new Fault(FaultKind.Unauthorized) { Code = code }.Code.Should().Be(kept);

    [Theory]
    [InlineData(FaultKind.InvalidRequest, SecondOpinion.None, true)]
    [InlineData(FaultKind.InvalidRequest, SecondOpinion.One, true)]
    [InlineData(FaultKind.Forbidden, SecondOpinion.Each, true)]
    [InlineData(FaultKind.Forbidden, SecondOpinion.None, false)]
    [InlineData(FaultKind.CallerCancelled, SecondOpinion.None, false)]
    public void Refusal_blames_the_request_or_asks_another_endpoint(FaultKind kind, SecondOpinion opinion, bool isRefusal) =>
        new Fault(kind) { SecondOpinion = opinion }.IsRefusal.Should().Be(isRefusal);

    [Fact]
    public void Provisional_refusal_becomes_a_fault_of_its_endpoint_alone()
    {
        var refusal = new Fault(FaultKind.Forbidden) { IsProvisional = true, UntilCleared = true, Blame = FaultBlame.Request, Code = "x", StatusCode = 403 };
        var fault = refusal.AsEndpointFault();
        fault.IsProvisional.Should().BeFalse();
        fault.UntilCleared.Should().BeFalse();
        fault.Blame.Should().Be(FaultBlame.Endpoint);
        fault.Reach.Should().Be(FaultReach.Endpoint);
        fault.IsNeutral.Should().BeFalse();
        (fault.Kind, fault.Code, fault.StatusCode).Should().Be((FaultKind.Forbidden, "x", 403));
    }

    [Theory]
    [InlineData(null, false, false)]
    [InlineData(0L, false, false)]
    [InlineData(1L, false, true)]
    [InlineData(1L, true, false)]
    [InlineData(null, true, false)]
    public void Fault_names_a_time_if_it_is_in_the_future_and_no_clearing_is_needed(long? ticks, bool untilCleared, bool namesTime)
    {
        var fault = new Fault(FaultKind.QuotaExhausted) { RetryAfter = ticks is { } wait ? TimeSpan.FromTicks(wait) : null, UntilCleared = untilCleared };
        fault.NamesTime.Should().Be(namesTime);
    }

    [Fact]
    public void Own_classifiers_are_asked_first_and_one_that_throws_is_skipped()
    {
        var own = new Fault(FaultKind.Overloaded);
        var evidence = new FaultEvidence { StatusCode = 500, Now = Fixture.Now };
        Classify().Kind.Should().Be(FaultKind.ServerError);
        Classify(new Own(_ => null)).Kind.Should().Be(FaultKind.ServerError);
        Classify(new Own(_ => null), new Own(_ => own)).Should().BeSameAs(own);
        Classify(new Own(_ => throw new InvalidOperationException("x")), new Own(_ => own)).Should().BeSameAs(own);
        Classify(new Own(_ => own), new Own(_ => new Fault(FaultKind.Throttled))).Should().BeSameAs(own);
        new ChainedClassifier([]).HasOwn.Should().BeFalse();
        new ChainedClassifier([new Own(_ => null)]).HasOwn.Should().BeTrue();

        Fault Classify(params IFaultClassifier[] classifiers) => new ChainedClassifier(classifiers).Classify(in evidence)!;
    }

    private sealed class Own(Func<int, Fault?> ofStatus) : IFaultClassifier
    {
        public Fault? Classify(in FaultEvidence evidence) => ofStatus(evidence.StatusCode);
    }
}
