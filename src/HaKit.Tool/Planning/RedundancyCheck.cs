using HaKit.Testing;

namespace HaKit.Tool.Planning;

/// <summary>Checks a pool's limits against a demand: the cost of the loss of each failure domain, calculated by the pool itself.</summary>
internal static class RedundancyCheck
{
    /// <param name="file">The file with the pool, as JSON in the format of the application's configuration.</param>
    /// <param name="demand">The needs of the pool's calls.</param>
    /// <exception cref="UsageException">The file cannot be read, or its pool is not valid.</exception>
    public static RedundancyReport Run(string file, PoolDemand demand)
    {
        var options = PoolFile.Read(file);
        // The pool is created only for the check and is never called, so its heartbeats stay off.
        options.Heartbeat.Enabled = false;
        using var pool = new EndpointPool("plan", options, new EndpointPoolParts { TimeProvider = new ManualTimeProvider() });
        return pool.GetRedundancy(demand);
    }

    public static async Task WriteAsync(RedundancyReport report, TextWriter output)
    {
        await output.WriteLineAsync(FormattableString.Invariant($"Demand      {report.Demand.CallsPerMinute:0.##} calls a minute of {report.Demand.TokensPerCall:0.##} tokens each"));
        await output.WriteLineAsync(FormattableString.Invariant($"Nothing lost: {report.LostShareNow:0.#%} of calls would wait or fail"));
        await output.WriteLineAsync("Can I lose it?");
        foreach (var loss in report.Domains.Where(d => !d.IsWholePool))
            await output.WriteLineAsync($"  {loss}");
        foreach (var whole in report.Domains.Where(d => d.IsWholePool))
            await output.WriteLineAsync($"  {whole.Domain.ToString().ToLowerInvariant()} {whole.Name} holds the whole pool");
        await output.WriteLineAsync();
    }
}
