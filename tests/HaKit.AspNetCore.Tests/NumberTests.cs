using HaKit.AspNetCore.Status;
using HaKit.Testing;
using HaKit.Tests.Options;

namespace HaKit.AspNetCore.Tests;

/// <summary>Each extreme number of the pages and of a service's heartbeat is refused by name, or works.</summary>
public sealed class NumberTests
{
    public static TheoryData<string> OfPages => [.. NumberSetting.FindAll(new EndpointPoolPagesOptions()).Select(static s => s.Path)];

    public static TheoryData<string> OfHeartbeats => [.. NumberSetting.FindAll(new ServiceHeartbeatOptions()).Select(static s => s.Path)];

    [Theory]
    [MemberData(nameof(OfPages))]
    public void A_dashboard_refuses_an_extreme_number_by_name_or_shows_its_pools(string name)
    {
        var setting = NumberSetting.FindAll(new EndpointPoolPagesOptions()).Single(s => s.Path == name);
        foreach (var value in setting.Extremes())
        {
            var options = new EndpointPoolPagesOptions();
            setting.Set(options, value);
            if (IsRefused(options.Validate, name, value))
                continue;
            using var test = TestPools.Create(2);
            var feed = new StatusFeed(() => [test.Pool], [], test.Time, options);
            feed.Start();
            test.Call();
            test.Time.Advance(TimeSpan.FromMinutes(1));
            feed.WriteWhole().Should().NotBeEmpty();
            feed.Stop();
        }
    }

    [Theory]
    [MemberData(nameof(OfHeartbeats))]
    public void A_heartbeat_refuses_an_extreme_number_by_name(string name)
    {
        var setting = NumberSetting.FindAll(new ServiceHeartbeatOptions()).Single(s => s.Path == name);
        foreach (var value in setting.Extremes())
        {
            var options = new ServiceHeartbeatOptions();
            setting.Set(options, value);
            if (!IsRefused(options.Validate, name, value))
                options.RetryAfter.Should().BeLessThanOrEqualTo(TimeSpan.FromDays(1), "clients obey it");
        }
    }

    private static bool IsRefused(Action validate, string name, object value)
    {
        try
        {
            validate();
            return false;
        }
        catch (Exception refused) when (refused is ArgumentException or InvalidOperationException)
        {
            refused.Message.Should().Contain($"{name} is {NumberSetting.Shown(value)}: ").And.Contain(" is needed");
            return true;
        }
    }
}
