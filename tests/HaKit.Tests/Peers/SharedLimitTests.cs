using HaKit.Limits;
using HaKit.Peers;

namespace HaKit.Tests.Peers;

/// <summary>Tests how much of a shared limit a replica leaves to the other replicas.</summary>
public sealed class SharedLimitTests
{
    [Theory(Timeout = 10_000)]
    [InlineData(600, 0, 1, true, 0)] // alone: all of it
    [InlineData(600, 0, 1, false, 0)]
    [InlineData(600, 0, 4, true, 0)] // the others use nothing: all of it, so that a call of this size fits
    [InlineData(600, 1, 4, true, 31)] // the margin
    [InlineData(600, 200, 4, true, 230)]
    [InlineData(600, 600, 4, true, 585)] // a tenth of the equal share of 150 stays
    [InlineData(600, long.MaxValue / 2, 4, true, 585)]
    [InlineData(600, -5, 4, true, 0)]
    [InlineData(600, 0, 4, false, 450)] // without the store: an equal share
    [InlineData(600, 500, 4, false, 450)]
    [InlineData(3, 3, 20, true, 2)] // never less than one
    [InlineData(3, 0, 20, false, 2)]
    [InlineData(1, 1, 2, true, 0)]
    public Task It_leaves_what_the_others_took_and_the_margin(long limit, long taken, int replicas, bool isConnected, long held)
    {
        SharedLimits.HeldFor(new SharedLimit { Limit = limit, TakenByOthers = taken, Replicas = replicas, IsConnected = isConnected }).Should().Be((uint)held);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task What_is_held_for_others_is_not_taken_and_is_looked_at_again_after_a_second()
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = 10, TokensPerMinute = 1000 });
        limiter.HoldForOthers(7, 100);
        var now = TimeSpan.FromSeconds(100);
        for (var i = 0; i < 3; i++)
            limiter.TryReserve(10, now, out _).Should().BeTrue();
        limiter.HasRoom(10, now).Should().BeFalse();
        limiter.TryReserve(10, now, out _).Should().BeFalse();
        limiter.AvailableAt(10, now).Should().Be(now + TimeSpan.FromSeconds(1));
        limiter.HoldForOthers(0, 100);
        limiter.AvailableAt(10, now).Should().Be(now);
        limiter.TryReserve(871, now, out _).Should().BeFalse("30 are taken and 100 are held");
        limiter.TryReserve(870, now, out _).Should().BeTrue();
        limiter.AvailableAt(1001, now).Should().Be(TimeSpan.MaxValue, "it never fits");
        return Task.CompletedTask;
    }
}
