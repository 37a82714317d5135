namespace HaKit.Tests.Failover;

/// <summary>What the code of an attempt does when its token is cancelled.</summary>
public enum Reaction
{
    EndsInside,
    EndsLater,
    Ignores,
    ThrowsInside,
    ThrowsLater,
    WrapsInside,
    ReturnsInside,
}

internal static class Reactions
{
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until the token is cancelled, and then ends as the reaction says.</summary>
    public static async Task HangAsync(this Reaction reaction, TimeProvider time, CancellationToken token)
    {
        var ended = new TaskCompletionSource();
        ITimer? later = null;
        using var registration = token.UnsafeRegister(_ =>
        {
            if (reaction is Reaction.EndsLater or Reaction.ThrowsLater)
                later = time.CreateTimer(_ => End(), null, s_moment, Timeout.InfiniteTimeSpan);
            else
                End();
        }, null);
        await ended.Task.ConfigureAwait(false);
        GC.KeepAlive(later);

        void End() => _ = reaction switch
        {
            Reaction.EndsInside or Reaction.EndsLater => ended.TrySetException(new TaskCanceledException()),
            Reaction.ThrowsInside or Reaction.ThrowsLater => ended.TrySetException(new IOException("The connection was closed.")),
            Reaction.WrapsInside => ended.TrySetException(new InvalidOperationException("The client failed.", new TaskCanceledException())),
            Reaction.ReturnsInside => ended.TrySetResult(),
            _ => false,
        };
    }
}
