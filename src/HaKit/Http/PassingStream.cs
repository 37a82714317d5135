using HaKit.Attempts;

namespace HaKit.Http;

/// <summary>
/// Streams the body of a refusal of which <see cref="RefusalBody"/> has read only the beginning, because the body is too long or arrives too slowly. The
/// reader gets first this beginning, then the result of a read in progress, then the rest as it arrives. The HTTP client may read the body before it returns
/// the refusal, and the pool has switched its timeout off. So a read ends with an <see cref="IOException"/> after a silence that is too long, and at the call's
/// deadline. Every later read then fails too.
/// </summary>
/// <param name="read">The beginning that was read.</param>
/// <param name="reading">The read in progress. Null: none.</param>
/// <param name="target">The buffer of that read.</param>
/// <param name="opening">Opens the rest.</param>
/// <param name="owner">Disposed with the stream.</param>
/// <param name="limits">The limits on the time of a read.</param>
internal sealed class PassingStream(ReadOnlyMemory<byte> read, Task<int>? reading, Memory<byte> target, Task<Stream> opening, IDisposable owner, RefusalLimits limits) : ReadOnlyStream
{
    private const int BufferSize = 16 * 1024;

    // A refusal that was kept for a second opinion may go back only at the deadline.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    private ReadOnlyMemory<byte> _read = read;
    private Task<int>? _reading = reading;

    // A read that was abandoned may still write, so no read writes into the caller's buffer.
    private Memory<byte> _target = target;
    private bool _isLate;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return new(0);
        return _read.IsEmpty ? WaitAsync(buffer, cancellationToken) : new(CopyRead(buffer));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            if (opening.IsCompletedSuccessfully)
                opening.Result.Dispose();
            owner.Dispose();
        }
        base.Dispose(disposing);
    }

    private async ValueTask<int> WaitAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_isLate)
            throw NewLateException();
        var now = limits.Clock.Now;
        var last = limits.Deadline > now + s_grace ? limits.Deadline : now + s_grace;
        var until = limits.IdleTimeout < last - now ? now + limits.IdleTimeout : last;
        if (!await RefusalBody.EndsByAsync(opening, until, limits.Clock, cancellationToken).ConfigureAwait(false))
            throw EndReading();
        if (_reading is null)
        {
            if (_target.Length < BufferSize)
                _target = new byte[BufferSize];
            var rest = await opening.ConfigureAwait(false);
            _reading = rest.ReadAsync(_target, CancellationToken.None).AsTask(); // a read that the caller cancels goes on, and the next read gets its result
        }
        if (!await RefusalBody.EndsByAsync(_reading, until, limits.Clock, cancellationToken).ConfigureAwait(false))
            throw EndReading();
        var count = await _reading.ConfigureAwait(false);
        if (count == 0)
            return 0;
        (_read, _reading) = (_target[..count], null);
        return CopyRead(buffer);
    }

    private IOException EndReading()
    {
        _isLate = true;
        Dispose();
        return NewLateException();
    }

    private static IOException NewLateException() => new("The endpoint refused the request, and the body of its refusal did not arrive in time.");

    private int CopyRead(Memory<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _read.Length);
        _read.Span[..count].CopyTo(buffer.Span);
        _read = _read[count..];
        return count;
    }
}

/// <summary>The limits on the time in which the body of a refusal must arrive.</summary>
/// <param name="Clock">The clock that measures the times.</param>
/// <param name="IdleTimeout">The longest silence.</param>
/// <param name="Deadline">The time on the clock at which the call must have ended.</param>
internal sealed record RefusalLimits(PoolClock Clock, TimeSpan IdleTimeout, TimeSpan Deadline);
