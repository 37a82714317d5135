namespace HaKit.Batch.Running;

/// <summary>Computes the cost of calls from the prices of a pool's endpoints. Thread-safe.</summary>
internal sealed class PriceBook(EndpointPool? pool)
{
    // The assumed length of an answer in tokens, until the first answer is known.
    private const long UnknownOutput = 1000;
    private long _longest = UnknownOutput;

    public bool HasPrices => pool?.Endpoints.Any(static e => e.InputTokenPrice + e.OutputTokenPrice > 0) == true;

    /// <summary>Throws if prices are missing, because a cost limit then cannot be enforced.</summary>
    public void RequirePrices()
    {
        if (pool is null)
            throw new ArgumentException("MaxCost needs the prices of endpoints, and this client is over no pool. Use the chat client of a pool.");
        if (pool.Endpoints.Where(static e => e.InputTokenPrice + e.OutputTokenPrice <= 0).Select(static e => e.Name).ToArray() is { Length: > 0 } without)
            throw new ArgumentException($"MaxCost needs the price of every endpoint: set InputTokenPrice and OutputTokenPrice of {string.Join(", ", without)}.");
    }

    /// <summary>
    /// Estimates the maximum cost of a call at the most expensive endpoint. The assumed output is the call's output limit. Without a limit, it is the length of
    /// the longest answer so far, and at least 1,000 tokens. 0 if the pool has no endpoint yet.
    /// </summary>
    public double Estimate(long input, long output)
    {
        if (output <= 0)
            output = Volatile.Read(ref _longest);
        return pool is null ? 0 : pool.Endpoints.Select(e => Cost(e, input, output)).DefaultIfEmpty().Max();
    }

    /// <summary>Gets the cost of an answer, as far as it is known. <c>IsKnown</c> is false if the endpoint, a number of tokens or the price is not known.</summary>
    public (double Cost, bool IsKnown) PriceOf(string? endpoint, long? input, long? output)
    {
        if (output > Volatile.Read(ref _longest))
            Volatile.Write(ref _longest, output.Value);
        if (pool is null || endpoint is null)
            return (0, false);
        foreach (var known in pool.Endpoints)
        {
            if (known.Name == endpoint)
            {
                // A number of tokens that costs nothing need not be known.
                var isKnown = (input is not null || known.InputTokenPrice == 0) && (output is not null || known.OutputTokenPrice == 0) && known.InputTokenPrice + known.OutputTokenPrice > 0;
                return (Cost(known, input ?? 0, output ?? 0), isKnown);
            }
        }

        return (0, false);
    }

    private static double Cost(PoolEndpoint endpoint, long input, long output) => (input * endpoint.InputTokenPrice + output * endpoint.OutputTokenPrice) / 1e6;
}
