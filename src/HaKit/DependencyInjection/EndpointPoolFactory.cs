using System.Diagnostics.Metrics;
using System.Runtime.ExceptionServices;
using HaKit.Pool;
using HaKit.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace HaKit.DependencyInjection;

/// <summary>Holds the name of a registered pool.</summary>
internal sealed record EndpointPoolRegistration(string Name)
{
    /// <summary>Gets a sentence with the remedy for an unknown pool name, to append to a message.</summary>
    public static string HintOf(string name, IReadOnlyCollection<string> known)
    {
        return known.Count == 0
            ? " AddHaEndpointPool registers a pool."
            : $"{NearName.Hint(name, known)} AddHaEndpointPool has registered {NearName.List(known)}.";
    }
}

/// <summary>Holds code that a registration adds to a pool.</summary>
internal sealed record EndpointPoolPartsConfiguration(string Pool, Action<IServiceProvider, EndpointPoolParts> Configure);

internal sealed class EndpointPoolBuilder(IServiceCollection services, string name) : IEndpointPoolBuilder
{
    public string Name { get; } = name;

    public IServiceCollection Services { get; } = services;
}

/// <summary>Records that another registration uses a pool. If no pool of this name is registered, the application does not start.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="By">The registration that uses the pool, as the subject of a sentence.</param>
internal sealed record EndpointPoolUse(string Pool, string By);

/// <summary>Creates a pool from the container, and applies changes of its configuration.</summary>
internal static partial class EndpointPoolFactory
{
    public static EndpointPool Create(IServiceProvider provider, string name)
    {
        var factory = provider.GetRequiredService<IOptionsFactory<EndpointPoolOptions>>();
        var loggers = provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        var parts = new EndpointPoolParts { LoggerFactory = loggers };
        parts.MeterFactory = provider.GetService<IMeterFactory>();
        if (provider.GetService<TimeProvider>() is { } time)
            parts.TimeProvider = time;
        foreach (var configuration in provider.GetServices<EndpointPoolPartsConfiguration>())
        {
            if (configuration.Pool == name)
                configuration.Configure(provider, parts);
        }

        var logger = SafeLogger.Create(loggers, "HaKit.EndpointPool");
        var meaningless = new MeaninglessSettings([.. provider.GetServices<EndpointPoolSection>().Where(section => section.Pool == name)]);
        var reloads = new PoolReloads(pool => Reload(pool, factory, meaningless, logger));
        List<IDisposable> owned = [];
        EndpointPool? pool = null;
        try
        {
            // IOptionsMonitor is not used here, because after an invalid reload it throws into the code that reloaded the configuration. The tokens are watched
            // before the options are read, so that no reload is lost while the pool is created.
            foreach (var source in provider.GetServices<IOptionsChangeTokenSource<EndpointPoolOptions>>())
            {
                if (source.Name == name)
                    owned.Add(ChangeToken.OnChange(source.GetChangeToken, reloads.OnChange));
            }
            var options = factory.Create(name);
            if (parts.ProbeHttp is null && provider.GetServices<EndpointPoolClient>().FirstOrDefault(c => c.Pool == name) is { } client)
            {
                var connections = new ClientConnections(provider, client.Client, options.ConnectTimeout);
                parts.ProbeHttp = new HttpMessageInvoker(connections);
                parts.ReachesOtherwise = connections.ReachesOtherwise;
                owned.Add(parts.ProbeHttp);
            }
            pool = new EndpointPool(name, options, parts);
            foreach (var part in owned)
                pool.AddOwned(part);
            owned.Clear();
            LogMeaningless(meaningless, name, logger);
            WarnOfUnusedCredentials(pool, options, provider.GetServices<CredentialSource>());
            reloads.Start(pool);
            return pool;
        }
        catch
        {
            foreach (var part in owned)
                part.Dispose();
            pool?.Dispose();
            throw;
        }
    }

    // A client object sends its own key. The pool would use the credential only for a probe of the application's own that asks for it.
    private static void WarnOfUnusedCredentials(EndpointPool pool, EndpointPoolOptions options, IEnumerable<CredentialSource> sources)
    {
        foreach (var source in sources)
        {
            if (source.Pool == pool.Name && options.Endpoints.Any(e => e.Name == source.Endpoint && e is { Client: not null, Address: null }))
                pool.Owners.Journal.RecordWarning($"{(source.Key is null ? "UseCredential" : "UseCredentialFromConfiguration")} names the endpoint '{source.Endpoint}', and its calls have no use for the credential, because its client object sends its own key. Give the key to the client.");
        }
    }

    private static void LogMeaningless(MeaninglessSettings meaningless, string pool, ILogger logger)
    {
        foreach (var (section, names) in meaningless.FindNew())
            WithoutMeaning(logger, pool, string.Join(", ", names), section);
    }

    private static void Reload(EndpointPool pool, IOptionsFactory<EndpointPoolOptions> factory, MeaninglessSettings meaningless, ILogger logger)
    {
        try
        {
            pool.Update(factory.Create(pool.Name));
            Reloaded(logger, pool.Name);
            LogMeaningless(meaningless, pool.Name, logger);
        }
        catch (ObjectDisposedException) when (pool.IsDisposed)
        {
            // The pool was disposed while its configuration was read.
        }
#pragma warning disable CA1031 // Code that configures the pool, or its strategies, may throw anything. The exception must not reach the code that reloaded the configuration.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            // The messages of OptionsValidationException and InvalidOperationException are logged. Of any other exception only the type is logged, because its
            // message may quote the value of a setting, such as an API key.
            KeptLastGood(logger, pool.Name, failure is OptionsValidationException or InvalidOperationException ? UnreadableSetting.WithoutValue(failure.Message) : $"it threw {failure.GetType().Name}.");
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Pool {Pool} applied its new configuration.")]
    private static partial void Reloaded(ILogger logger, string pool);

    [LoggerMessage(4, LogLevel.Information, "Pool {Pool}: {Settings} in the section '{Section}' are settings of the standard resilience options that mean nothing to a pool and have no effect.")]
    private static partial void WithoutMeaning(ILogger logger, string pool, string settings, string section);

    [LoggerMessage(2, LogLevel.Error, "Pool {Pool} keeps its last good configuration, because the new one is invalid: {Why}")]
    private static partial void KeptLastGood(ILogger logger, string pool, string why);
}

/// <summary>
/// Applies changes of the configuration to a pool, one after another, so that an older configuration never replaces a newer one. Changes that come before the
/// pool exists, or while another change is applied, are applied afterwards, in one step. Thread-safe.
/// </summary>
/// <param name="apply">Applies the present configuration to the pool.</param>
internal sealed class PoolReloads(Action<EndpointPool> apply)
{
    private EndpointPool? _pool;
    private int _changes = 1; // the creation of the pool counts as a change that is being applied

    /// <summary>Applies the changed configuration. If another thread is applying a change, that thread applies this change too.</summary>
    public void OnChange()
    {
        if (Interlocked.Increment(ref _changes) == 1)
            ApplyChanges();
    }

    /// <summary>Applies the changes that have come during the creation of the pool. From now on, changes are applied when they come.</summary>
    public void Start(EndpointPool pool)
    {
        _pool = pool;
        if (Interlocked.Decrement(ref _changes) > 0)
            ApplyChanges();
    }

    private void ApplyChanges()
    {
        int applied;
        do
        {
            applied = Volatile.Read(ref _changes);
            apply(_pool!);
        }
        while (Interlocked.Add(ref _changes, -applied) > 0);
    }
}

/// <summary>
/// Checks all pools when the application starts, and reports all mistakes in one exception. Then creates the pools, so that heartbeats begin. ValidateOnStart
/// is not used, because it watches the options with an IOptionsMonitor. After an invalid reload the monitor throws into the code that reloaded the
/// configuration.
/// </summary>
internal sealed class EndpointPoolHost(
    IServiceProvider provider, IEnumerable<EndpointPoolRegistration> registrations, IEnumerable<EndpointPoolUse> uses,
    IEnumerable<IConfigureOptions<EndpointPoolOptions>> settings) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var known = registrations.Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        var unknown = uses.Where(u => !known.Contains(u.Pool)).Select(u => $"{u.By} uses the pool '{u.Pool}', which is not registered.{EndpointPoolRegistration.HintOf(u.Pool, known)}");
        List<Exception> thrown = [];
        string[] wrong = [.. known.SelectMany(pool => Mistakes(pool, thrown)), .. unknown, .. settings.OfType<ConfigureNamedOptions<EndpointPoolOptions>>().SelectMany(s => WithoutPool(s.Name, known)).Distinct()];
        if (wrong.Length == 0)
            return Task.CompletedTask;
        if (thrown.Count == 1 && wrong.Length == 1)
            ExceptionDispatchInfo.Throw(thrown[0]);
        var all = new OptionsValidationException(string.Join(", ", known), typeof(EndpointPoolOptions), wrong);
        throw thrown.Count == 0 ? all : new AggregateException([all, .. thrown]);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var pools = registrations.Select(r => provider.GetRequiredKeyedService<EndpointPool>(r.Name)).ToArray();
        // Waits, before the first call, for the facts of the other replicas. All pools wait at the same time, at most for Sharing:WarmStart.
        await Task.WhenAll(pools.Select(pool => pool.WarmUpAsync(cancellationToken).AsTask())).ConfigureAwait(false);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Options for a name that no pool has would have no effect. Configure without a name uses the empty name, which no pool has. ConfigureAll uses null as the
    // name: such options apply to all pools.
    private static IEnumerable<string> WithoutPool(string? name, HashSet<string> known)
    {
        if (name is { Length: 0 })
            yield return $"Configure<EndpointPoolOptions> without a name has no effect, because pools have names. Give it the name of a pool: {NearName.List([.. known.DefaultIfEmpty("chat")])}.";
        else if (name is not null && !known.Contains(name))
            yield return $"Configure<EndpointPoolOptions> is for the pool '{name}', which is not registered.{EndpointPoolRegistration.HintOf(name, known)}";
    }

    // The message of any other exception may quote a value, such as a key. So only its type is named, and the exception itself is kept with its stack trace.
    private IEnumerable<string> Mistakes(string pool, List<Exception> thrown)
    {
        try
        {
            provider.GetRequiredService<IOptionsFactory<EndpointPoolOptions>>().Create(pool);
            return [];
        }
        catch (OptionsValidationException invalid)
        {
            return invalid.Failures;
        }
        catch (InvalidOperationException unreadable) // thrown by code that configures the pool
        {
            return [$"Pool '{pool}': {UnreadableSetting.WithoutValue(unreadable.Message)}"];
        }
#pragma warning disable CA1031 // Code that configures a pool may throw anything. The exception is thrown after all pools have been checked.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            thrown.Add(exception);
            return [$"Pool '{pool}': the code that configures the pool threw {exception.GetType().Name}."];
        }
    }
}
