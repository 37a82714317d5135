using HaKit;
using HaKit.DependencyInjection;
using HaKit.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Applies the settings of Microsoft.Extensions.Http.Resilience to a pool.</summary>
public static partial class EndpointPoolBuilderStandardOptionsExtensions
{
    /// <summary>
    /// Applies to the pool the settings of a standard resilience handler that differ from the defaults of Microsoft.Extensions.Http.Resilience. The pool's own
    /// settings take precedence. Settings without a meaning for a pool, such as <c>Retry:UseJitter</c>, are logged once, at Information.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="optionsName">The name of the <see cref="HttpStandardResilienceOptions"/>. For the handler of a client it is <c>{client}-standard</c>.</param>
    public static IEndpointPoolBuilder UseStandardResilienceOptions(this IEndpointPoolBuilder builder, string optionsName) =>
        builder.Carry<HttpStandardResilienceOptions>(optionsName, static (from, to) => to.Carry(from));

    /// <summary>Applies the settings of a section for standard resilience handlers. A name that these options do not have is refused.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="section">The section.</param>
    public static IEndpointPoolBuilder UseStandardResilienceOptions(this IEndpointPoolBuilder builder, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ThrowIfMissing(builder, section, nameof(UseStandardResilienceOptions));
        var name = "HaKit:" + builder.Name;
        new Standard(name, builder.Services).Configure(section);
        return builder.UseStandardResilienceOptions(name);
    }

    /// <summary>
    /// Applies the settings of a standard hedging handler to the pool, and switches hedging on. The pool's own settings take precedence. Settings without a
    /// meaning for a pool, such as <c>Hedging:MaxHedgedAttempts</c>, are logged once, at Information.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="optionsName">The name of the <see cref="HttpStandardHedgingResilienceOptions"/>. For the handler of a client it is the client's name.</param>
    public static IEndpointPoolBuilder UseStandardHedgingOptions(this IEndpointPoolBuilder builder, string optionsName) =>
        builder.Carry<HttpStandardHedgingResilienceOptions>(optionsName, static (from, to) => to.Carry(from));

    /// <summary>Applies the settings of a section for standard hedging handlers. A name that these options do not have is refused.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="section">The section.</param>
    public static IEndpointPoolBuilder UseStandardHedgingOptions(this IEndpointPoolBuilder builder, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ThrowIfMissing(builder, section, nameof(UseStandardHedgingOptions));
        var name = "HaKit:" + builder.Name;
        new Hedging(name, builder.Services).Configure(section);
        return builder.UseStandardHedgingOptions(name);
    }

    private static void ThrowIfMissing(IEndpointPoolBuilder builder, IConfigurationSection section, string method)
    {
        ArgumentNullException.ThrowIfNull(section);
        if (!section.Exists())
            throw new ArgumentException($"{method} of pool '{builder.Name}' was given the section '{section.Path}', which the configuration does not have. Give it the section with TotalRequestTimeout, Retry and CircuitBreaker.", nameof(section));
    }

    private static IEndpointPoolBuilder Carry<T>(this IEndpointPoolBuilder builder, string optionsName, Action<T, StandardOptions> carry) where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(optionsName);
        var (services, pool, told) = (builder.Services, builder.Name, 0);
        services.AddOptions<T>(optionsName);
        // This must run before all other configuration of the pool, so that the pool's own settings take precedence.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<EndpointPoolOptions>>(provider => new ConfigureNamedOptions<EndpointPoolOptions>(pool, options =>
        {
            var to = new StandardOptions(options);
            carry(OptionsOf<T>(provider, optionsName), to);
            if (to.WithoutMeaning.Count > 0 && Interlocked.Exchange(ref told, 1) == 0 && provider.GetService<ILoggerFactory>() is { } loggers)
                WithoutMeaning(SafeLogger.Create(loggers, "HaKit.EndpointPool"), pool, string.Join(", ", to.WithoutMeaning), optionsName);
        })));
        services.AddSingleton<IOptionsChangeTokenSource<EndpointPoolOptions>>(provider => new Changes<T>(pool, optionsName, provider.GetServices<IOptionsChangeTokenSource<T>>()));
        return builder;
    }

    // Reads the options as the application configured them. The options of the running handler cannot be used, because they are replaced so that the handler of
    // a pool's client does nothing.
    private static T OptionsOf<T>(IServiceProvider provider, string name) where T : class, new() =>
        new OptionsFactory<T>(
            provider.GetServices<IConfigureOptions<T>>(),
            provider.GetServices<IPostConfigureOptions<T>>().Where(p => p is not StandardHandlersOff),
            provider.GetServices<IValidateOptions<T>>()).Create(name);

    [LoggerMessage(3, LogLevel.Information, "Pool {Pool}: {Settings} of the resilience options '{Options}' mean nothing to a pool and have no effect.")]
    private static partial void WithoutMeaning(ILogger logger, string pool, string settings, string options);

    private sealed record Standard(string PipelineName, IServiceCollection Services) : IHttpStandardResiliencePipelineBuilder;

    private sealed record Hedging(string Name, IServiceCollection Services) : IStandardHedgingHandlerBuilder
    {
        public IRoutingStrategyBuilder RoutingStrategyBuilder => throw new NotSupportedException();
    }

    private sealed class Changes<T>(string pool, string optionsName, IEnumerable<IOptionsChangeTokenSource<T>> sources) : IOptionsChangeTokenSource<EndpointPoolOptions>
    {
        public string Name => pool;

        public IChangeToken GetChangeToken() =>
            new CompositeChangeToken([.. sources.Where(s => s.Name is null || s.Name == optionsName).Select(s => s.GetChangeToken())]);
    }
}
