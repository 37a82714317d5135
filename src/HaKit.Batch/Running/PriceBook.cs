namespace HaKit.Batch.Running;

/// <summary>Computes what calls cost, from the prices of a pool's endpoints. Thread-safe.</summary>
internal sealed class PriceBook(EndpointPool? pool)
{
    // Used until answers show how long they are.
    private const long UnknownOutput = 1000;
    private long _longest = UnknownOutput;

    public bool HasPrices => pool?.Endpoints.Any(static e => e.InputTokenPrice + e.OutputTokenPrice > 0) == true;

    /// <summary>Refuses a cost limit that cannot be kept because prices are missing.</summary>
    public void RequirePrices()
    {
        if (pool is null)
            throw new ArgumentException("MaxCost needs the prices of endpoints, and this client is over no pool. Use the chat client of a pool.");
        if (pool.Endpoints.Where(static e => e.InputTokenPrice + e.OutputTokenPrice <= 0).Select(static e => e.Name).ToArray() is { Length: > 0 } without)
            throw new ArgumentException($"MaxCost needs the price of every endpoint: set InputTokenPrice and OutputTokenPrice of {string.Join(", ", without)}.");
    }

    /// <summary>
    /// Estimates the maximum cost of a call: at the most expensive endpoint, with the call's own output limit, otherwise as long as the longest answer so
    /// far, at least 1,000 tokens.
    /// </summary>
    public double Estimate(long input, long output)
    {
        if (output <= 0)
            output = Volatile.Read(ref _longest);
        return pool is null ? 0 : pool.Endpoints.Max(e => Cost(e, input, output));
    }

    /// <summary>Gets what an answer cost; 0 if it is not known.</summary>
    public double PriceOf(string? endpoint, long? input, long? output)
    {
        if (output > Volatile.Read(ref _longest))
            Volatile.Write(ref _longest, output.Value);
        if (pool is null || endpoint is null)
            return 0;
        foreach (var known in pool.Endpoints)
        {
            if (known.Name == endpoint)
                return Cost(known, input ?? 0, output ?? 0);
        }

        return 0;
    }

    private static double Cost(PoolEndpoint endpoint, long input, long output) => (input * endpoint.InputTokenPrice + output * endpoint.OutputTokenPrice) / 1e6;
}
