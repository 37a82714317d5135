using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class SelectionOptionsTests
{
    public static TheoryData<string, Action<SelectionOptions>, Action<SelectionOptions>> Bounds => new()
    {
        { "Preset", o => o.Preset = SelectionPreset.Cheapest, o => o.Preset = (SelectionPreset)99 },
        { "Sample", o => o.Sample = 1, o => o.Sample = 0 },
        { "Sample", o => o.Sample = 8, o => o.Sample = 9 },
        { "OverProvisioning", o => o.OverProvisioning = 1, o => o.OverProvisioning = 0.9999 },
        { "OverProvisioning", o => o.OverProvisioning = 1e9, o => o.OverProvisioning = double.PositiveInfinity },
        { "OverProvisioning", o => o.OverProvisioning = 1, o => o.OverProvisioning = double.NaN },
        { "FailOpenBelow", o => o.FailOpenBelow = 0, o => o.FailOpenBelow = -0.0001 },
        { "FailOpenBelow", o => o.FailOpenBelow = 1, o => o.FailOpenBelow = 1.0001 },
        { "FailOpenBelow", o => o.FailOpenBelow = 1, o => o.FailOpenBelow = double.NaN },
        { "AffinityLoad", o => o.AffinityLoad = 1, o => o.AffinityLoad = 0.9999 },
        { "AffinityLoad", o => o.AffinityLoad = 1, o => o.AffinityLoad = double.NaN },
        { "ZonePenalty", o => o.ZonePenalty = default, o => o.ZonePenalty = TimeSpan.FromTicks(-1) },
        { "SecondsPerPrice", o => o.SecondsPerPrice = 0, o => o.SecondsPerPrice = -0.0001 },
        { "SecondsPerPrice", o => o.SecondsPerPrice = 1e9, o => o.SecondsPerPrice = double.PositiveInfinity },
        { "SecondsPerPrice", o => o.SecondsPerPrice = 0, o => o.SecondsPerPrice = double.NaN },
    };

    [Theory, MemberData(nameof(Bounds), DisableDiscoveryEnumeration = true)]
    public void A_setting_may_be_at_its_bound_and_what_is_beyond_is_named_with_its_place(string setting, Action<SelectionOptions> at, Action<SelectionOptions> beyond)
    {
        var options = new SelectionOptions();
        options.Validate("Pool:Selection").Should().BeEmpty();
        at(options);
        options.Validate("Pool:Selection").Should().BeEmpty();
        beyond(options);
        options.Validate("Pool:Selection").Should().ContainSingle().Which.Should().StartWith($"Pool:Selection:{setting} is ");
    }
}
