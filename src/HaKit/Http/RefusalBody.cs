using HaKit.Attempts;
using HaKit.Failover;

namespace HaKit.Http;

/// <summary>
/// Reads the beginning of a refusal's body: the bytes that arrive within a second, at most 64 KiB. The status and the headers are enough to classify a refusal,
/// so a body that does not arrive must not delay the call. If a read is in progress after that second, it continues, and <see cref="ToContent"/> passes its
/// result to the caller.
/// </summary>
internal sealed class RefusalBody
{
    /// <summary>The longest time to wait for a refusal's body.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private const int MostBytes = 64 * 1024;

    private byte[] _buffer = new byte[4096];
    private int _count;
    private Task<Stream>? _opening;
    private Task<int>? _reading;
    private bool _hasEnded;

    private RefusalBody()
    {
    }

    /// <summary>Gets the bytes that have arrived.</summary>
    public ReadOnlyMemory<byte> Read => _buffer.AsMemory(0, _count);

    /// <summary>Gets whether the whole body has arrived. The old content is then no longer needed.</summary>
    public bool IsWhole => _hasEnded;

    /// <summary>Reads the beginning of a refusal's body.</summary>
    /// <param name="content">The refusal's content.</param>
    /// <param name="clock">The clock that measures the second.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<RefusalBody> ReadAsync(HttpContent content, PoolClock clock, CancellationToken cancellationToken)
    {
        var body = new RefusalBody();
        try
        {
            await body.FillAsync(content, clock, cancellationToken).ConfigureAwait(false);
        }
        // The body may be truncated. Or its Content-Encoding may be wrong; each decoder throws another exception then. Neither has an effect, because the status
        // is known.
#pragma warning disable CA1031 // The inner handlers may be the application's own, and may throw anything.
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            body._hasEnded = true;
        }
        return body;
    }

    /// <summary>Gets an <see cref="HttpContent"/> with which the caller can read the whole body, even if a part of it was already read.</summary>
    /// <param name="owner">The old content. If it is still needed, the new content disposes it.</param>
    /// <param name="limits">The limits on the time of each read, if a part of the body has not arrived yet.</param>
    public HttpContent ToContent(IDisposable owner, RefusalLimits limits) =>
        _hasEnded ? new WholeContent(Read) : new AnswerContent(new PassingStream(Read, _reading, _reading is null ? default : _buffer.AsMemory(_count), _opening!, owner, limits));

    private async ValueTask FillAsync(HttpContent content, PoolClock clock, CancellationToken token)
    {
        var due = clock.Now + Patience;
        _opening = content.ReadAsStreamAsync(token);
        if (!await EndsByAsync(_opening, due, clock, token).ConfigureAwait(false))
            return;
        var rest = await _opening.ConfigureAwait(false);
        while (_count < MostBytes)
        {
            if (_count == _buffer.Length)
                Array.Resize(ref _buffer, 2 * _count);
            var reading = rest.ReadAsync(_buffer.AsMemory(_count), token).AsTask();
            if (!await EndsByAsync(reading, due, clock, token).ConfigureAwait(false))
            {
                _reading = reading;
                return;
            }
            var count = await reading.ConfigureAwait(false);
            _hasEnded = count == 0;
            if (_hasEnded)
                return;
            _count += count;
        }
    }

    /// <summary>Waits until a task has ended. False if it has not ended at the given time.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<bool> EndsByAsync(Task task, TimeSpan due, PoolClock clock, CancellationToken token)
    {
        if (task.IsCompleted)
            return true;
        using var signal = new AsyncSignal(clock.Time);
        using var cancelled = token.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), signal);
        task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(signal.Setter);
        while (!task.IsCompleted)
        {
            var now = clock.Now;
            if (now < due && !token.IsCancellationRequested)
            {
                signal.Arm(due, now);
                await signal.WaitAsync().ConfigureAwait(false);
                continue;
            }
            _ = task.ContinueWith(static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            token.ThrowIfCancellationRequested();
            return false;
        }
        return true;
    }
}
