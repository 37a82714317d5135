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
