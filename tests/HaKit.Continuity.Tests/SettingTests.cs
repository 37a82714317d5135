using HaKit.Continuity;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Continuity.Tests;

/// <summary>A key that stands in the place of another setting is not shown.</summary>
public sealed class SettingTests
{
    [Theory]
    [InlineData("Copies", "hunter-two", "Int32")]
    [InlineData("Every", "c2VjcmV0LWtleS1vZi10aGUtdmF1bHQ=", "TimeSpan")]
    [InlineData("MaxAge", "short", "TimeSpan")]
    public void A_value_that_cannot_be_converted_is_named_and_not_shown(string setting, string value, string type)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Vault:" + setting] = value }).Build();
        var services = new ServiceCollection();
        services.AddHaVault("state", configuration.GetSection("Vault"));
        using var provider = services.BuildServiceProvider();

        var failure = FluentActions.Invoking(() => provider.GetRequiredService<IOptionsMonitor<VaultOptions>>().Get("state")).Should().Throw<OptionsValidationException>().Which;

        failure.ToString().Should().Contain($"Vault:{setting} has a value that cannot be converted to {type}").And.NotContain(value);
    }
}
