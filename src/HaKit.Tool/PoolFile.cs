using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Tool;

/// <summary>Reads a pool's options from a JSON file, in the format of an application's configuration.</summary>
internal static class PoolFile
{
    /// <exception cref="UsageException">The file cannot be read, or the pool in it is not valid.</exception>
    public static EndpointPoolOptions Read(string file)
    {
        try
        {
            var root = new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file)).Build();
            var sections = root.GetSection("Endpoints").Exists() ? [] : root.GetChildren().Where(s => s.GetSection("Endpoints").Exists()).ToArray();
            if (sections.Length > 1)
                throw new UsageException($"--pool is '{file}', which has {sections.Length} pools: {string.Join(", ", sections.Select(s => s.Key))}. Give each pool a file of its own.");
            if (sections.Length == 0 && !root.GetSection("Endpoints").Exists())
                throw new UsageException($"--pool is '{file}', which has no pool: a section with Endpoints is needed, at the root or below it.");
            var section = sections is [var only] ? only : SectionOf(root);
            var services = new ServiceCollection();
            services.AddHaEndpointPool("pool", section);
            using var provider = services.BuildServiceProvider();
            return provider.GetRequiredService<IOptionsMonitor<EndpointPoolOptions>>().Get("pool");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or FormatException or OptionsValidationException or InvalidOperationException)
        {
            throw new UsageException($"--pool is '{file}', which cannot be used: {Innermost(exception).Message}");
        }
    }

    // Unknown setting names are checked only within a section, because the root of an application's configuration contains other settings too. A file that
    // contains only a pool is checked as a whole.
    private static IConfigurationSection SectionOf(IConfiguration root) =>
        new ConfigurationBuilder().AddInMemoryCollection(root.AsEnumerable().Select(s => KeyValuePair.Create($"pool:{s.Key}", s.Value))).Build().GetSection("pool");

    // The innermost exception of the JSON reader names the line and the error. The outer exceptions name only the file.
    private static Exception Innermost(Exception exception) => exception is InvalidDataException { InnerException: { } inner } ? inner.GetBaseException() : exception;

    /// <summary>Copies the settings that a simulation can follow. It leaves out addresses and HTTP, recovery actions, sharing between replicas, and the seed, which belongs to the simulated world.</summary>
    public static void Copy(EndpointPoolOptions from, EndpointPoolOptions to)
    {
        to.Endpoints = from.Endpoints;
        to.AllowEmpty = from.AllowEmpty;
        to.TotalRequestTimeout = from.TotalRequestTimeout;
        to.AttemptTimeout = from.AttemptTimeout;
        to.FirstContent = from.FirstContent;
        to.Selection = from.Selection;
        to.AccountLimits = from.AccountLimits;
        to.Scale = from.Scale;
        to.Retry = from.Retry;
        to.Streaming = from.Streaming;
        to.Hedging = from.Hedging;
        to.RetryBudget = from.RetryBudget;
        to.CircuitBreaker = from.CircuitBreaker;
        to.Heartbeat = from.Heartbeat;
        to.MaxWait = from.MaxWait;
        to.MaxWaitingCalls = from.MaxWaitingCalls;
        to.Objective = from.Objective;
    }
}
