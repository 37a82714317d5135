using HaKit.Peers;

namespace HaKit.Redis;

/// <summary>
/// Passes the facts that a link receives to the pool's listener, in order and one call at a time. The listener runs on a timer's thread and under no lock,
/// because calls that it releases continue inside it. Such code may block its thread, and must not stop the rounds and messages of the link. Thread-safe.
/// </summary>
internal sealed class NewsQueue : IDisposable
{
    private const int Most = 1000;

    private readonly Lock _gate = new();
    private readonly Queue<PeerNews> _news = [];
    private readonly Action<PeerNews> _listener;
    private readonly ITimer _timer;
    private bool _isBusy;
    private bool _isDisposed;

    public NewsQueue(TimeProvider time, Action<PeerNews> listener)
    {
        _listener = listener;
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
            _timer = time.CreateTimer(static queue => ((NewsQueue)queue!).Deliver(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Adds facts. False if too many wait for the listener: all of them are dropped, and all facts must be read again later.</summary>
    public bool TryAdd(PeerNews news)
    {
        lock (_gate)
        {
            if (_isDisposed)
                return true;
            if (_news.Count >= Most)
            {
                _news.Clear();
                return false;
            }
            _news.Enqueue(news);
            if (!_isBusy)
                _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _news.Clear();
        }
        _timer.Dispose();
    }

    private void Deliver()
    {
        lock (_gate)
        {
            if (_isBusy)
                return;
            _isBusy = true;
        }
        while (TakeNext() is { } news)
        {
            try
            {
                _listener(news);
            }
#pragma warning disable CA1031 // This is the callback of a timer: an exception of the application's code would end the process, and the queue would stop.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }

    private PeerNews? TakeNext()
    {
        lock (_gate)
        {
            _isBusy = _news.TryDequeue(out var news);
            return news;
        }
    }
}
