using Polly;

namespace HaKit.Failover;

/// <summary>Disposes a result that no caller will see.</summary>
internal static class Discards
{
    /// <summary>Disposes the response of a failed or losing attempt.</summary>
    public static void DisposeResult<TResult>(Outcome<TResult> outcome)
    {
        if (outcome.Exception is null)
            DisposeResult((object?)outcome.Result);
    }

    /// <summary>
    /// Disposes the result of an attempt that lost. A callback may return the same object from each attempt, for example a client that it keeps. Then the object
    /// is not disposed, because the caller gets it, or because later calls use it.
    /// </summary>
    /// <param name="outcome">The outcome of the attempt.</param>
    /// <param name="won">The result that the caller gets. Null: none.</param>
    /// <param name="client">The client object of the endpoint. Null: none.</param>
    public static void DisposeLost<TResult>(Outcome<TResult> outcome, object? won, object? client)
    {
        if (outcome is { Exception: null, Result: { } result } && !ReferenceEquals(result, won) && !ReferenceEquals(result, client))
            DisposeResult((object)result);
    }

    public static void DisposeResult(object? result)
    {
        if (result is IAsyncDisposable or IDisposable)
            Dispose(result);
    }

    private static async void Dispose(object result)
    {
        try
        {
            if (result is IAsyncDisposable later)
                await later.DisposeAsync().ConfigureAwait(false);
            else
                ((IDisposable)result).Dispose();
        }
#pragma warning disable CA1031 // A discarded result has no caller that could handle its exception.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
