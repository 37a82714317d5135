using HaKit;
using HaKit.Continuity;
using HaKit.Continuity.DependencyInjection;
using HaKit.Continuity.Operations;
using HaKit.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers vaults.</summary>
public static class VaultServiceCollectionExtensions
{
    /// <summary>
    /// Adds a vault that is described in configuration. The container provides the vault as a keyed service whose key is the vault's name. If only one vault is
    /// registered, the container also provides this vault without a key. The vault's destinations form the pool <c>vault-NAME</c>.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="name">The vault's name, unique in the container.</param>
    /// <param name="section">The section with the <see cref="VaultOptions"/>; read once, at start-up. If a reload changes the section, the log has a warning.</param>
    /// <returns>The pool of destinations, for alerts, health checks and telemetry.</returns>
    public static IEndpointPoolBuilder AddHaVault(this IServiceCollection services, string name, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.Add(name, o => o.Configure(options => Bind(section, name, options)), section);
    }

    /// <summary>Adds a vault that is described in code.</summary>
    /// <param name="services">The container.</param>
    /// <param name="name">The vault's name, unique in the container.</param>
    /// <param name="configure">Sets the vault's options.</param>
    /// <returns>The pool of destinations.</returns>
    public static IEndpointPoolBuilder AddHaVault(this IServiceCollection services, string name, Action<VaultOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.Add(name, o => o.Configure(configure));
    }

    /// <summary>
    /// Adds a health check of a vault's schedule. Unhealthy: no good snapshot is younger than <see cref="VaultOptions.MaxAge"/>. Degraded: a destination does
    /// not have the newest snapshot.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The vault's name. An unknown vault is refused when the application starts.</param>
    /// <param name="tags">Tags for selecting checks. Default: none. Never use <c>live</c>, because an old backup is no reason to restart an application.</param>
    public static IHealthChecksBuilder AddHaVaultCheck(this IHealthChecksBuilder builder, string name, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        GivenName.ThrowIfBlank(name, nameof(name), nameof(AddHaVaultCheck), "a vault", "state");
        if (tags?.Contains("live", StringComparer.OrdinalIgnoreCase) == true)
            throw new ArgumentException($"AddHaVaultCheck of vault '{name}' has the tag 'live': a liveness probe would restart the application because a backup is old. Use another tag, such as 'ready'.", nameof(tags));
        if (builder.Services.Any(s => !s.IsKeyedService && s.ImplementationInstance is VaultUse use && use.Vault == name))
            throw new ArgumentException($"AddHaVaultCheck: vault '{name}' has a health check already, and two health checks of one name are not possible. Call AddHaVaultCheck once for each vault.", nameof(name));
        builder.Services.AddSingleton(new VaultUse(name, $"AddHaVaultCheck(\"{name}\")"));
        builder.Services.AddVaultNames();
        return builder.Add(new HealthCheckRegistration("vault-" + name, p => p.GetRequiredKeyedService<VaultSchedule>(name), failureStatus: null, tags));
    }

    private static void Bind(IConfiguration section, string name, VaultOptions options)
    {
        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException unreadable) // not kept as the inner exception, because its message would print the value
        {
            throw new OptionsValidationException(name, typeof(VaultOptions), [$"Vault '{name}': {UnreadableSetting.Describe(section, unreadable.Message)}"]);
        }
    }

    private static IEndpointPoolBuilder Add(this IServiceCollection services, string name, Action<OptionsBuilder<VaultOptions>> describe, IConfiguration? section = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        GivenName.ThrowIfBlank(name, nameof(name), nameof(AddHaVault), "a vault", "state");
        var pool = "vault-" + name;
        if (services.Any(s => !s.IsKeyedService && s.ImplementationInstance is VaultRegistration registered && registered.Name == name))
            throw new ArgumentException($"AddHaVault: a vault of the name '{name}' is registered already. Give this vault another name.", nameof(name));
        services.AddSingleton(new VaultRegistration(name));
        services.AddVaultNames();
        describe(services.AddOptions<VaultOptions>(name).ValidateOnStart());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<VaultOptions>, VaultOptionsValidator>());
        if (section is not null)
        {
            services.AddSingleton<IValidateOptions<VaultOptions>>(new VaultSectionValidator(name, section));
            services.AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<VaultReloads>(provider, name, section));
        }
        // The pool repeats each operation and ends it after OperationTimeout. So the client has no limit of its own, and none of the resilience handlers that
        // ConfigureHttpClientDefaults adds to all clients.
        services.AddHttpClient(pool)
            .ConfigureHttpClient(static client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigureAdditionalHttpMessageHandlers(static (handlers, _) =>
            {
                foreach (var handler in handlers.OfType<ResilienceHandler>().ToList())
                    handlers.Remove(handler);
            });
        var builder = services.AddHaEndpointPool(pool, static _ => { });
        services.AddOptions<EndpointPoolOptions>(pool).Configure<IOptionsMonitor<VaultOptions>, IHttpClientFactory>(
            (options, vaults, clients) => VaultSettings.Describe(options, vaults.Get(name), () => clients.CreateClient(pool)));
        builder.AddFaultClassifier(new DestinationFaults()).OnFault(DestinationFaults.ActionFor);
        services.AddKeyedSingleton(name, (provider, _) => new Vault(provider.GetRequiredKeyedService<EndpointPool>(pool), provider.GetRequiredService<IOptionsMonitor<VaultOptions>>().Get(name)));
        services.TryAddSingleton(VaultNames.GetOnlyVault);
        services.AddKeyedSingleton(name, (provider, _) => ActivatorUtilities.CreateInstance<VaultSchedule>(
            provider, name, provider.GetRequiredKeyedService<Vault>(name), provider.GetRequiredService<IOptionsMonitor<VaultOptions>>().Get(name)));
        services.AddSingleton<IStatusPanel>(provider => provider.GetRequiredKeyedService<VaultSchedule>(name));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<VaultSchedule>(name));
        return builder;
    }

    private static void AddVaultNames(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, VaultNames>());
        // If nothing is registered under a key, the container's own message does not name the key.
        services.TryAdd(ServiceDescriptor.KeyedSingleton<Vault>(KeyedService.AnyKey, static (provider, key) => throw VaultNames.Unknown(provider, key)));
        services.TryAdd(ServiceDescriptor.KeyedSingleton<VaultSchedule>(KeyedService.AnyKey, static (provider, key) => throw VaultNames.Unknown(provider, key)));
    }

    private sealed class VaultSectionValidator(string vault, IConfiguration section) : IValidateOptions<VaultOptions>
    {
        public ValidateOptionsResult Validate(string? name, VaultOptions options)
        {
            if (name != vault)
                return ValidateOptionsResult.Skip;
            var problems = VaultSettingNames.Problems(section).Select(p => $"Vault '{name}': {p}").ToList();
            return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }

    private sealed class VaultOptionsValidator : IValidateOptions<VaultOptions>
    {
        public ValidateOptionsResult Validate(string? name, VaultOptions options)
        {
            var problems = VaultSettings.Problems(options).Select(p => $"Vault '{name}': {p}").ToList();
            return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
