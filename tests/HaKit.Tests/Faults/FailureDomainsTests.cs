using HaKit.Faults;

namespace HaKit.Tests.Faults;

public sealed class FailureDomainsTests
{
    private static readonly FailureDomains Full = new() { Account = "a", KeyName = "k", Region = "r", Provider = "p", Model = "m" };

    private static FailureDomains Changed(FailureDomains old, string which, string? value) => which switch
    {
        nameof(FailureDomains.Account) => old with { Account = value },
        nameof(FailureDomains.KeyName) => old with { KeyName = value },
        nameof(FailureDomains.Region) => old with { Region = value },
        nameof(FailureDomains.Provider) => old with { Provider = value },
        _ => old with { Model = value },
    };

    [Theory]
    [InlineData(FaultReach.Key, "KeyName", "Provider")]
    [InlineData(FaultReach.Account, "Account", "Provider")]
    [InlineData(FaultReach.Provider, "Provider", "")]
    [InlineData(FaultReach.Model, "Model", "Provider")]
    [InlineData(FaultReach.Region, "Region", "Provider")]
    [InlineData(FaultReach.RateLimit, "Account", "Provider,Model,Region")]
    public void A_fault_reaches_those_that_share_what_it_is_about_and_nobody_else(FaultReach reach, string about, string within)
    {
        Full.Shares(Full with { }, reach).Should().BeTrue();
        foreach (var which in new[] { "Account", "KeyName", "Region", "Provider", "Model" })
        {
            var matters = which == about || within.Split(',').Contains(which);
            Full.Shares(Changed(Full, which, "other"), reach).Should().Be(!matters, "another {0}", which);
            Full.Shares(Changed(Full, which, which.ToUpperInvariant()), reach).Should().Be(!matters);
            Full.Shares(Changed(Full, which, null), reach).Should().Be(!matters, "one {0} is unknown", which);
            Changed(Full, which, null).Shares(Full, reach).Should().Be(!matters, "the other {0} is unknown", which);
            var bothUnknown = Changed(Full, which, null).Shares(Changed(Full, which, null), reach);
            var decides = which == about || (reach == FaultReach.Model && which == "Provider");
            bothUnknown.Should().Be(!decides, "an unknown {0} is shared with nobody, unless it only narrows", which);
        }
    }

    [Fact]
    public void A_fault_of_one_endpoint_reaches_only_itself()
    {
        Full.Shares(Full, FaultReach.Endpoint).Should().BeTrue();
        Full.Shares(Full with { }, FaultReach.Endpoint).Should().BeFalse();
        FailureDomains.None.Shares(FailureDomains.None, FaultReach.Endpoint).Should().BeFalse();
        FluentActions.Invoking(() => Full.Shares(null!, FaultReach.Key)).Should().Throw<ArgumentNullException>();
    }
}
