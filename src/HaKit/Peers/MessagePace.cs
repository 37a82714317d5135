using HaKit.Attempts;

namespace HaKit.Peers;

/// <summary>Decides when the next message is sent: at most one a second. Owns the timer. Guarded by its owner's lock.</summary>
internal sealed class MessagePace : IDisposable
{
    public static readonly TimeSpan MessagesEvery = TimeSpan.FromSeconds(1);

    private readonly ITimer _timer;
    private TimeSpan _sentAt = TimeSpan.MinValue / 2;
    private TimeSpan _due;

    /// <param name="clock">The pool's clock.</param>
    /// <param name="send">Sends the waiting facts.</param>
    public MessagePace(PoolClock clock, Action send)
    {
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
            _timer = clock.Time.CreateTimer(static send => ((Action)send!)(), send, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Starts the timer at a random time within a second, so that replicas that start at the same time do not send at the same time.</summary>
    public void Start(Chance chance, TimeSpan now)
    {
        _due = now + MessagesEvery * chance.NextDouble();
        _timer.Change(_due - now, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Records that a message is sent.</summary>
    public void RecordMessage(TimeSpan now) => _sentAt = now;

    /// <summary>Sets the timer to run again in a second.</summary>
    public void WaitForNext(TimeSpan now)
    {
        _due = now + MessagesEvery;
        _timer.Change(MessagesEvery, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Sets the timer to run as soon as the pace allows another message.</summary>
    public void SendSoon(TimeSpan now)
    {
        var at = _sentAt + MessagesEvery > now ? _sentAt + MessagesEvery : now;
        if (at >= _due)
            return;
        _due = at;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling((at - now).TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();
}
