using HaKit.Failover;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

public sealed class PatienceTests
{
    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0, 1, 2)]
    [InlineData(0, 3, 8)]
    [InlineData(5, 0, 1)]
    [InlineData(6, 0, 2)]
    [InlineData(12, 0, 4)]
    [InlineData(6, 1, 4)]
    [InlineData(100, 100, 64)]
    public void A_call_may_be_silent_for_longer_after_silences_of_well_endpoints_and_after_every_sixth_of_others(int silences, int ofWellEndpoints, int patience)
    {
        var call = new FailoverCall(new ManualTimeProvider());
        for (var i = 0; i < silences; i++)
            call.RecordSilence(hasServedLater: false);
        for (var i = 0; i < ofWellEndpoints; i++)
            call.RecordSilence(hasServedLater: true);

        call.Patience.Should().Be(patience);
        call.Clear();
        call.Patience.Should().Be(1, "the next call that uses the object begins anew");
    }
}
