using HaKit;
using HaKit.Alerts;
using HaKit.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers alerts about pools.</summary>
public static class EndpointPoolAlertExtensions
{
    /// <summary>
    /// Sends alerts about every pool of the container: an ejected endpoint, a quota or key that must be repaired, an outage, lost redundancy, and, for pools
    /// with an objective, an error budget that burns too fast. It also sends alerts about each unhealthy <see cref="IStatusPanel"/>, such as a vault, and the
    /// end of each alert. Many alerts at the same time are sent as one digest.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Adds the receivers.</param>
    /// <exception cref="OptionsValidationException">An option is invalid, or there is no receiver.</exception>
    /// <exception cref="ArgumentException">An earlier call has added the same webhook.</exception>
    public static IServiceCollection AddHaAlerts(this IServiceCollection services, Action<AlertOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var given = new AlertOptions();
        configure(given);
        var options = given.Copy(); // later changes must not take effect, because they would not be validated
        string[] wrong = [.. options.Validate()];
        if (wrong.Length > 0)
            throw new OptionsValidationException("alerts", typeof(AlertOptions), wrong);
        foreach (var other in services.Where(static s => !s.IsKeyedService).Select(static s => s.ImplementationInstance).OfType<AlertRegistration>())
        {
            if (options.Webhooks.Any(w => other.Options.Webhooks.Any(w.HasAddressOf)))
                throw new ArgumentException("AddHaAlerts was called twice with the same webhook, so each alert would be posted twice. Call AddHaAlerts once, or give AddWebhook another address. The address is not shown, because it may hold a secret.", nameof(configure));
        }
        services.AddSingleton(new AlertRegistration(options));
        return services.AddSingleton<IHostedService>(provider => new AlertHost(provider, options));
    }
}

/// <summary>Holds the options of one call of AddHaAlerts.</summary>
internal sealed record AlertRegistration(AlertOptions Options);

/// <summary>Sends alerts while the application runs.</summary>
internal sealed class AlertHost(IServiceProvider provider, AlertOptions options) : IHostedService, IDisposable
{
    private AlertDispatcher? _dispatcher;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _dispatcher = new AlertDispatcher(
            options, provider.GetService<TimeProvider>() ?? TimeProvider.System, (provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger("HaKit.Alerts"));
        if (!provider.GetServices<EndpointPoolRegistration>().Any() && !provider.GetServices<IStatusPanel>().Any())
            throw new InvalidOperationException("AddHaAlerts has nothing to watch, because no endpoint pool is registered. Register one with AddHaEndpointPool.");
        foreach (var registration in provider.GetServices<EndpointPoolRegistration>())
            _dispatcher.Watch(provider.GetRequiredKeyedService<EndpointPool>(registration.Name));
        foreach (var panel in provider.GetServices<IStatusPanel>())
            _dispatcher.Watch(panel);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _dispatcher?.Dispose();
}
