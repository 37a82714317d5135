using System.Diagnostics.CodeAnalysis;
using HaKit;
using HaKit.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Polly.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers endpoint pools.</summary>
public static class EndpointPoolServiceCollectionExtensions
{
    /// <summary>
    /// Adds a pool that is described in code. The container provides the pool as a keyed service, and the key is the pool's name. If only one pool is
    /// registered, the container also provides this pool without a key.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="name">The pool's name, unique in the container.</param>
    /// <param name="configure">Sets the pool's options.</param>
    /// <returns>A builder for the parts of the pool that are code: strategies, classifiers, probes.</returns>
    /// <exception cref="ArgumentException">The name is blank, or a pool of this name is registered already. Names are compared without case.</exception>
    public static IEndpointPoolBuilder AddHaEndpointPool(this IServiceCollection services, string name, Action<EndpointPoolOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, name, options => options.Configure(configure));
    }

    /// <summary>
    /// Adds a pool that is described in configuration. A reload of the configuration changes the running pool. If the new configuration is invalid, the mistake
    /// is logged and the pool keeps its last valid configuration.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="name">The pool's name, unique in the container.</param>
    /// <param name="section">
    /// The section with the pool's <see cref="EndpointPoolOptions"/>. If the section has a key that is not the name of a setting, the application does not
    /// start. Keys that start with <c>$</c>, <c>_</c>, <c>/</c> or <c>#</c> are treated as comments.
    /// </param>
    /// <returns>A builder for the parts of the pool that are code: strategies, classifiers, probes.</returns>
    /// <exception cref="ArgumentException">The name is blank, or a pool of this name is registered already. Names are compared without case.</exception>
    public static IEndpointPoolBuilder AddHaEndpointPool(this IServiceCollection services, string name, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        var builder = Add(services, name, options => options.Configure(o => SettingBinder.Bind(section, name, o)));
        services.AddSingleton<IOptionsChangeTokenSource<EndpointPoolOptions>>(new ConfigurationChangeTokenSource<EndpointPoolOptions>(name, section));
        services.AddSingleton<IValidateOptions<EndpointPoolOptions>>(new EndpointPoolSectionValidator(name, section));
        if (section is IConfigurationSection own)
            services.AddSingleton(new EndpointPoolSection(name, own));
        return builder;
    }

    /// <summary>
    /// Declares that a method or a client uses a pool. If no pool of this name is registered, the application does not start, and the message names the pool
    /// and its user. The extension methods of the HaKit packages call this method for themselves.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="user">The method or client that uses the pool, as the subject of a sentence, for example <c>AddHaChatClient</c>.</param>
    public static IServiceCollection RequireHaEndpointPool(this IServiceCollection services, string pool, string user)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(user);
        GivenName.ThrowIfBlank(pool, nameof(pool), user, "a pool");
        services.AddSingleton(new EndpointPoolUse(pool, user));
        AddUnknownPool(services);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, EndpointPoolHost>());
        return services;
    }

    private static EndpointPoolBuilder Add(IServiceCollection services, string name, Action<OptionsBuilder<EndpointPoolOptions>> describe)
    {
        if (string.IsNullOrWhiteSpace(name))
            throw new ArgumentException($"The name that AddHaEndpointPool was given is '{name}'. Give the pool a name.", nameof(name));
        if (services.Any(s => s.IsKeyedService && s.ServiceType == typeof(EndpointPool) && Equals(s.ServiceKey, name)))
            throw new ArgumentException($"AddHaEndpointPool: a pool of the name '{name}' is registered already. Give this pool another name. If both are the same pool, register it once: AddHaOpenAIClient registers the pool of its name too.", nameof(name));
        if (services.FirstOrDefault(s => s.ImplementationInstance is EndpointPoolRegistration other && other.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.ImplementationInstance is EndpointPoolRegistration alike)
            throw new ArgumentException($"AddHaEndpointPool: the pools '{alike.Name}' and '{name}' differ only in capital letters: logs and pages would confuse them. Give this pool another name.", nameof(name));
        var options = services.AddOptions<EndpointPoolOptions>(name);
        describe(options);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<EndpointPoolOptions>, EndpointPoolOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, EndpointPoolHost>());
        services.AddSingleton(new EndpointPoolRegistration(name));
        services.AddKeyedSingleton(name, static (provider, key) => EndpointPoolFactory.Create(provider, (string)key!));
        services.TryAddSingleton(static provider => NamesOf(provider) is [var only]
            ? provider.GetRequiredKeyedService<EndpointPool>(only)
            : throw new InvalidOperationException(
                $"There are several services of the type EndpointPool, '{string.Join("', '", NamesOf(provider))}': ask for one by its name, with GetRequiredKeyedService or [FromKeyedServices]."));
        AddUnknownPool(services);
        return new EndpointPoolBuilder(services, name);
    }

    private static void AddUnknownPool(IServiceCollection services) =>
        // If nothing is registered under a key, the container's own message does not name the key. GetKeyedService throws too, instead of returning null, because
        // the factory cannot know which method asks for the pool. GetKeyedServices does not use this registration.
        services.TryAdd(ServiceDescriptor.KeyedSingleton<EndpointPool>(KeyedService.AnyKey, static (provider, key) => throw new InvalidOperationException(
            $"There is no endpoint pool '{key}'.{EndpointPoolRegistration.HintOf(key as string ?? "", NamesOf(provider))}")));

    private static string[] NamesOf(IServiceProvider provider) => [.. provider.GetServices<EndpointPoolRegistration>().Select(r => r.Name)];
}

/// <summary>Configures the parts of a pool that are code.</summary>
public interface IEndpointPoolBuilder
{
    /// <summary>Gets the pool's name.</summary>
    string Name { get; }

    /// <summary>Gets the container.</summary>
    IServiceCollection Services { get; }
}

/// <summary>Adds code to a pool that the container creates.</summary>
public static class EndpointPoolBuilderExtensions
{
    /// <summary>Adds Polly strategies outside failover. They run once per call.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Adds the strategies.</param>
    public static IEndpointPoolBuilder ConfigurePipeline(this IEndpointPoolBuilder builder, Action<Polly.ResiliencePipelineBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return builder.ConfigureParts((_, parts) => parts.ConfigurePipeline += configure);
    }

    /// <summary>Adds Polly strategies inside failover. They run once per attempt on the given endpoint.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Adds the strategies.</param>
    public static IEndpointPoolBuilder ConfigureEndpointPipeline(this IEndpointPoolBuilder builder, Action<Polly.ResiliencePipelineBuilder, PoolEndpoint> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return builder.ConfigureParts((_, parts) => parts.ConfigureEndpointPipeline += configure);
    }

    /// <summary>
    /// Turns on Polly's own telemetry for the pool: the meter <c>Polly</c>, Polly's log lines, and the enrichers and listeners of the container's <see
    /// cref="TelemetryOptions"/>. The pipeline name is the pool's name, and the pipeline instance is the endpoint's name. This telemetry is off by default,
    /// because it creates one or two events for each call and each attempt.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes a copy of the container's options. Default: no change.</param>
    public static IEndpointPoolBuilder ConfigureTelemetry(this IEndpointPoolBuilder builder, Action<TelemetryOptions>? configure = null) =>
        builder.ConfigureParts((provider, parts) =>
        {
            var options = provider.GetService<IOptions<TelemetryOptions>>() is { } shared ? new TelemetryOptions(shared.Value) : new TelemetryOptions();
            if (ReferenceEquals(options.LoggerFactory, NullLoggerFactory.Instance) && provider.GetService<ILoggerFactory>() is { } loggers)
                options.LoggerFactory = loggers;
            configure?.Invoke(options);
            parts.PollyTelemetry = options;
        });

    /// <summary>Adds a classifier that runs before the built-in classifiers.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="classifier">The classifier.</param>
    public static IEndpointPoolBuilder AddFaultClassifier(this IEndpointPoolBuilder builder, HaKit.Faults.IFaultClassifier classifier)
    {
        ArgumentNullException.ThrowIfNull(classifier);
        return builder.ConfigureParts((_, parts) => parts.Classifiers.Add(classifier));
    }

    /// <summary>Sets your own rule for the action of a call after a fault: <see cref="EndpointPoolOptions.OnFault"/>.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="action">Returns the action, or null for the usual action.</param>
    public static IEndpointPoolBuilder OnFault(
        this IEndpointPoolBuilder builder, Func<HaKit.Faults.Fault, RequestProfile, HaKit.Failover.FaultAction?> action)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(action);
        builder.Services.Configure<EndpointPoolOptions>(builder.Name, options => options.OnFault = action);
        return builder;
    }

    /// <summary>
    /// Uses your own code instead of the pool's preset to choose among the endpoints that may serve a request. The selector is a singleton of the container.
    /// </summary>
    /// <typeparam name="TSelector">The type of the selector.</typeparam>
    /// <param name="builder">The pool.</param>
    public static IEndpointPoolBuilder UseSelector<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TSelector>(this IEndpointPoolBuilder builder)
        where TSelector : class, HaKit.Selection.IEndpointSelector
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton<TSelector>();
        return builder.ConfigureParts((provider, parts) => parts.Selector = provider.GetRequiredService<TSelector>());
    }

    /// <summary>Changes the parts of the pool. The callback can resolve services from the container.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Changes the parts.</param>
    public static IEndpointPoolBuilder ConfigureParts(this IEndpointPoolBuilder builder, Action<IServiceProvider, EndpointPoolParts> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.AddSingleton(new EndpointPoolPartsConfiguration(builder.Name, configure));
        return builder;
    }
}
