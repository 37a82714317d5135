using HaKit.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HaKit.AI.DependencyInjection;

/// <summary>Records that a method has registered a client over a pool without a key.</summary>
/// <param name="Method">The method.</param>
/// <param name="Pool">The pool's name.</param>
internal sealed record UnkeyedClient(string Method, string Pool)
{
    /// <summary>Records the registration, and adds the check at start-up.</summary>
    public static void Add(IServiceCollection services, string method, string pool)
    {
        services.AddSingleton(new UnkeyedClient(method, pool));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, UnkeyedClients>());
    }
}

/// <summary>
/// Warns at start-up if one method has registered clients over several pools without a key. The container gives only the last of them. This is no error, because
/// an application may replace the registration of a library.
/// </summary>
internal sealed partial class UnkeyedClients(IEnumerable<UnkeyedClient> clients, ILoggerFactory? loggers = null) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var method in clients.GroupBy(static c => c.Method, StringComparer.Ordinal))
        {
            string[] pools = [.. method.Select(static c => c.Pool).Distinct(StringComparer.Ordinal)];
            if (pools.Length > 1)
                SeveralPools(SafeLogger.Create(loggers, "HaKit.AI"), method.Key, string.Join("', '", pools), method.Last().Pool, method.Key.Replace("Add", "AddKeyed", StringComparison.Ordinal));
        }
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(2, LogLevel.Warning, "{Method} was called for the pools '{Pools}', and without a key the container gives only the client over '{Last}'. Register the others with {Keyed}.")]
    private static partial void SeveralPools(ILogger logger, string method, string pools, string last, string keyed);
}
