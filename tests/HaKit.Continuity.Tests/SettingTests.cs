using HaKit.Continuity;
using HaKit.Continuity.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
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

    [Theory(Timeout = 60_000)]
    [InlineData("Source", "Source", "/srv/other")]
    [InlineData("Every", "Every", "00:10:00")]
    [InlineData("KeepLast", "KeepLast", "7")]
    [InlineData("KeepDays", "KeepDays", "0.5")]
    [InlineData("MaxAge", "MaxAge", "01:00:00")]
    [InlineData("OperationTimeout", "OperationTimeout", "00:00:09")]
    [InlineData("Destinations:0:Folder", "Destinations", "/mnt/other")]
    [InlineData("Destinations:1:Name", "Destinations", "share")]
    [InlineData("Keys:2", "Keys", "c2VjcmV0LWtleS1vZi10aGUtdmF1bHQ=")]
    public async Task A_reload_that_changes_a_running_vault_is_named_and_no_value_is_shown(string key, string setting, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Vault:Copies"] = "1", ["Vault:Destinations:0:Folder"] = "/mnt/disk" }).Build();
        var log = new Lines();
        using var watch = new VaultReloads("state", configuration.GetSection("Vault"), log);
        await watch.StartAsync(TestContext.Current.CancellationToken);
        configuration.Reload();
        log.All.Should().BeEmpty("nothing has changed");
        configuration["Vault:" + key] = value;
        configuration["Other"] = "changed";
        configuration.Reload();
        configuration.Reload();
        log.All.Should().ContainSingle().Which.Should().Contain($"Vault state: a reload of the configuration changed {setting}.").And.NotContain(value);
        await watch.StopAsync(TestContext.Current.CancellationToken);
        configuration["Vault:" + key] = value + "0";
        configuration.Reload();
        log.All.Should().ContainSingle("the application has stopped");
    }

    [Fact]
    public void A_vault_of_a_section_is_watched()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddHaVault("state", new ConfigurationBuilder().Build().GetSection("Vault"));
        using var provider = services.BuildServiceProvider();
        services.Where(static s => s.ServiceType == typeof(IHostedService) && s.ImplementationFactory is not null)
            .Select(s => FluentActions.Invoking(() => s.ImplementationFactory!(provider)))
            .Any(static create => IsWatch(create)).Should().BeTrue();

        static bool IsWatch(Func<object> create)
        {
            try
            {
                return create() is VaultReloads;
            }
            catch (OptionsValidationException)
            {
                return false; // the schedule of a vault without destinations
            }
        }
    }

    private sealed class Lines : ILogger<VaultReloads>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Add(formatter(state, exception));
    }
}
