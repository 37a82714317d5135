using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Tests the exact limits of self-suspicion, of the meaning of faults and of the options.</summary>
public sealed class HealthBordersTests
{
    private static readonly TimeSpan s_now = TimeSpan.FromSeconds(1000);
    private static readonly TimeSpan s_tick = TimeSpan.FromTicks(1);
    private static readonly TimeSpan s_tenYears = TimeSpan.FromDays(3650);
    private static readonly Fault s_refused = new(FaultKind.ConnectFailed);

    private readonly HealthBench _bench = new(alone: true);

    [Theory]
    [InlineData(-1, 0, 0, true)]
    [InlineData(0, 0, 0, false)]
    [InlineData(1, 1, 0, false)]
    [InlineData(0, 0, 5, true)]
    [InlineData(0, 49_999_999, 5, true)]
    [InlineData(0, 50_000_000, 5, false)]
    [InlineData(-1, 50_000_000, 5, true)]
    public void Pause_explains_attempts_that_began_before_its_end_and_failures_before_the_end_of_the_grace(int began, int failed, double grace, bool isExplained)
    {
        var suspicion = new SelfSuspicion();
        var evidence = new HealthEvidence { Source = EvidenceSource.Traffic, Fault = s_refused, Began = s_now + began * s_tick };
        suspicion.Explains(evidence, s_now + failed * s_tick).Should().BeFalse("there was no pause");
        suspicion.RecordPause(s_now, new HealthOptions { PauseGrace = TimeSpan.FromSeconds(grace) });
        suspicion.Explains(evidence, s_now + failed * s_tick).Should().Be(isExplained);
        suspicion.Explains(evidence with { Fault = new Fault(FaultKind.ServerError) }, s_now + failed * s_tick).Should().BeFalse("the server answered");
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(10, 9)]
    public void Endpoint_counts_as_failing_one_failure_before_its_limit(int limit, int enough) =>
        SelfSuspicion.Enough(new HealthOptions { ConnectFailuresToEject = limit }).Should().Be(enough);

    [Theory]
    [InlineData(2, 0, true)]
    [InlineData(2, -9_999_999, true)]
    [InlineData(2, -10_000_000, true)]
    [InlineData(2, -10_000_001, false)]
    [InlineData(1, 0, false)]
    [InlineData(3, -10_000_000, true)]
    public void Two_endpoints_fail_together_if_the_other_failed_often_enough_within_the_last_second(int failures, int ticks, bool isNowhere)
    {
        var (failing, other) = (_bench.Add("a"), _bench.Add("b"));
        other.ConnectFailedAt = s_now + ticks * s_tick;
        other.Publish(new HealthState(default) { Status = EndpointHealthStatus.Suspect, Cause = s_refused, ConsecutiveFailures = failures, ConnectFailures = failures });
        SelfSuspicion.ConnectsNowhere([failing, other], failing, byProbe: false, s_now, new HealthOptions()).Should().Be(isNowhere);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-10_000_000, true)]
    [InlineData(-10_000_001, false)]
    public void Endpoint_is_ejected_just_now_up_to_exactly_a_second_ago(int ticks, bool isJustNow)
    {
        var options = new HealthOptions();
        var state = new HealthState(default) { Status = EndpointHealthStatus.Ejected, Cause = s_refused, JudgedAt = s_now + ticks * s_tick };
        SelfSuspicion.IsEjectedJustNow(state, s_now, options).Should().Be(isJustNow);
        SelfSuspicion.IsEjectedJustNow(state with { JudgedAt = null }, s_now, options).Should().BeFalse();
        SelfSuspicion.IsEjectedJustNow(state with { FailedTrial = state }, s_now, options).Should().BeFalse();
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(0L, false)]
    [InlineData(1L, true)]
    public void Server_names_a_time_only_if_it_is_more_than_0(long? ticks, bool names)
    {
        TimeSpan? time = ticks is { } some ? TimeSpan.FromTicks(some) : null;
        var quota = new Fault(FaultKind.QuotaExhausted) { RetryAfter = time };
        quota.HasRetryAfter().Should().Be(names);
        quota.IsUntilCleared().Should().Be(!names);
        new Fault(FaultKind.BreakerOpen) { RetryAfter = time }.IsBreakerWithTime().Should().Be(names);
    }

    [Fact]
    public void Wait_of_a_fault_is_the_named_time_and_at_most_ten_years()
    {
        foreach (var (named, wait) in new (TimeSpan?, TimeSpan)[] { (null, s_tenYears), (s_now, s_now), (s_tenYears - s_tick, s_tenYears - s_tick), (s_tenYears + s_tick, s_tenYears) })
            new Fault(FaultKind.Throttled) { RetryAfter = named }.Wait().Should().Be(wait);
    }

    [Fact]
    public void Each_time_of_the_options_may_be_ten_years_and_no_tick_more()
    {
        var times = typeof(HealthOptions).GetProperties().Where(static p => p.PropertyType == typeof(TimeSpan)).ToList();
        times.Should().HaveCount(14);
        foreach (var time in times)
        {
            // A maximum must not be below the first length, so both maxima are raised.
            var options = new HealthOptions { MaxBreakDuration = s_tenYears, MaxThrottleCooldown = s_tenYears };
            time.SetValue(options, s_tenYears);
            options.Validate("Health").Should().BeEmpty();
            time.SetValue(options, s_tenYears + s_tick);
            options.Validate("Health").Should().Contain(p => p.StartsWith($"Health:{time.Name} is ", StringComparison.Ordinal) && p.EndsWith(" 10 years is needed.", StringComparison.Ordinal));
            time.SetValue(options, TimeSpan.FromDays(4015));
            options.Validate("Health").Should().Contain(p => p.StartsWith($"Health:{time.Name} is 11 years: ", StringComparison.Ordinal) && p.EndsWith(" 10 years is needed.", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Options_as_if_enforced_enforce_the_reporting_rules_and_leave_the_others_as_they_are()
    {
        var rules = typeof(HealthOptions).GetProperties().Where(static p => p.PropertyType == typeof(RuleMode)).ToList();
        rules.Should().HaveCount(7);
        foreach (var reporting in rules)
        {
            var options = new HealthOptions();
            foreach (var rule in rules)
                rule.SetValue(options, RuleMode.Off);
            options.AsIfEnforced().Should().BeNull();
            reporting.SetValue(options, RuleMode.Report);
            var enforced = options.AsIfEnforced();
            foreach (var rule in rules)
                rule.GetValue(enforced).Should().Be(rule == reporting ? RuleMode.Enforce : RuleMode.Off, rule.Name);
            reporting.GetValue(options).Should().Be(RuleMode.Report, "the options themselves stay");
        }
    }
}
