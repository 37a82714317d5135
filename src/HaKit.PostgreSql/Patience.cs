using HaKit.Batch;
using Npgsql;

namespace HaKit.PostgreSql;

/// <summary>Retries a statement while the database is not available.</summary>
internal static class Patience
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <exception cref="BatchStoreException">The database refused the statement, or was not available for longer than <paramref name="atMost"/>.</exception>
    public static async ValueTask<T> TryAsync<T>(Func<Task<T>> work, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var pause = FirstPause; ; pause = TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, LongestPause.Ticks)))
        {
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (NpgsqlException exception) when (IsAway(exception) && TimeProvider.System.GetElapsedTime(began) < atMost && !cancellationToken.IsCancellationRequested)
            {
                await PauseAsync(pause).ConfigureAwait(false);
            }
            catch (NpgsqlException exception)
            {
                throw new BatchStoreException($"PostgreSQL failed: {exception.Message}", exception);
            }
        }
    }

    // 57P01 and 57P02 mean that the server was shut down or crashed, 57P03 that it is starting.
    private static bool IsAway(NpgsqlException exception) => exception.IsTransient || exception.SqlState is "57P01" or "57P02" or "57P03";

    private static async ValueTask PauseAsync(TimeSpan span)
    {
        var done = new TaskCompletionSource();
        var timer = TimeProvider.System.CreateTimer(static done => ((TaskCompletionSource)done!).TrySetResult(), done, span, Timeout.InfiniteTimeSpan);
        await using var end = timer.ConfigureAwait(false);
        await done.Task.ConfigureAwait(false);
    }
}
