using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class HealthOptionsTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private static TimeSpan Ms(double value) => TimeSpan.FromMilliseconds(value);

    public static TheoryData<string, Action<HealthOptions>, Action<HealthOptions>> Bounds => new()
    {
        { "ConnectFailuresToEject", o => o.ConnectFailuresToEject = 1, o => o.ConnectFailuresToEject = 0 },
        { "FailuresToEject", o => o.FailuresToEject = 1, o => o.FailuresToEject = 0 },
        { "MinimumThroughput", o => o.MinimumThroughput = 1, o => o.MinimumThroughput = 0 },
        { "MissesToEject", o => o.MissesToEject = 1, o => o.MissesToEject = 0 },
        { "HitsToRecover", o => o.HitsToRecover = 1, o => o.HitsToRecover = 0 },
        { "SamplingDuration", o => o.SamplingDuration = Ms(10), o => o.SamplingDuration = Ms(10) - Tick },
        { "BreakDuration", o => o.BreakDuration = Tick, o => o.BreakDuration = default },
        { "MaxBreakDuration", o => o.MaxBreakDuration = o.BreakDuration, o => o.MaxBreakDuration = o.BreakDuration - Tick },
        { "EjectionMemory", o => o.EjectionMemory = Tick, o => o.EjectionMemory = default },
        { "TrialTimeout", o => o.TrialTimeout = Tick, o => o.TrialTimeout = default },
        { "CooldownCap", o => o.CooldownCap = Tick, o => o.CooldownCap = default },
        { "ThrottleCooldown", o => o.ThrottleCooldown = Tick, o => o.ThrottleCooldown = default },
        { "MaxThrottleCooldown", o => o.MaxThrottleCooldown = o.ThrottleCooldown, o => o.MaxThrottleCooldown = o.ThrottleCooldown - Tick },
        { "SlowStartDuration", o => o.SlowStartDuration = default, o => o.SlowStartDuration = -Tick },
        { "SelfSuspicion", o => o.SelfSuspicion = default, o => o.SelfSuspicion = -Tick },
        { "LateTimers", o => o.LateTimers = Ms(10), o => o.LateTimers = Ms(10) - Tick },
        { "PauseGrace", o => o.PauseGrace = default, o => o.PauseGrace = -Tick },
        { "FailureRatio", o => o.FailureRatio = 1, o => o.FailureRatio = 1.0001 },
        { "FailureRatio", o => o.FailureRatio = 0.0001, o => o.FailureRatio = 0 },
        { "BreakJitter", o => o.BreakJitter = 0, o => o.BreakJitter = -0.0001 },
        { "BreakJitter", o => o.BreakJitter = 0.9999, o => o.BreakJitter = 1 },
        { "SlowStartInitialShare", o => o.SlowStartInitialShare = 1, o => o.SlowStartInitialShare = 1.0001 },
        { "SlowStartInitialShare", o => o.SlowStartInitialShare = 0.0001, o => o.SlowStartInitialShare = 0 },
    };

    [Theory, MemberData(nameof(Bounds), DisableDiscoveryEnumeration = true)]
    public void A_setting_may_be_at_its_bound_and_what_is_beyond_is_named_with_its_place(string setting, Action<HealthOptions> at, Action<HealthOptions> beyond)
    {
        var options = new HealthOptions();
        options.Validate("Pool:Health").Should().BeEmpty();
        at(options);
        options.Validate("Pool:Health").Should().BeEmpty();
        beyond(options);
        options.Validate("Pool:Health").Should().ContainSingle().Which.Should().StartWith($"Pool:Health:{setting} is ");
    }

    [Fact]
    public void No_number_at_all_is_out_of_bounds()
    {
        var options = new HealthOptions { FailureRatio = double.NaN, BreakJitter = double.NaN, SlowStartInitialShare = double.NaN };
        options.Validate("x").Should().HaveCount(3);
    }

    [Theory]
    [InlineData(0, 5, 1)]
    [InlineData(1, 5, 1)]
    [InlineData(2, 10, 2)]
    [InlineData(3, 20, 4)]
    [InlineData(6, 160, 32)]
    [InlineData(7, 300, 60)]
    [InlineData(int.MaxValue, 300, 60)]
    public void Ejections_and_cooldowns_double_exactly_and_never_pass_their_maximum(int times, int ejection, int cooldown)
    {
        var options = new HealthOptions();
        options.Period(times).TotalSeconds.Should().Be(ejection);
        options.OwnCooldown(times).TotalSeconds.Should().Be(cooldown);
    }
}
