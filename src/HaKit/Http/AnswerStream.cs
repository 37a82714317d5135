using System.Runtime.CompilerServices;

namespace HaKit.Http;

/// <summary>
/// The body of a streamed answer for the caller: the bytes as they arrive. After a failure every further read fails too, so that a cut never looks like a
/// normal end.
/// </summary>
internal sealed class AnswerStream(StreamedAnswer<ReadOnlyMemory<byte>> answer) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _rest;
    private Exception? _failure;
    private bool _isDisposed;

    /// <summary>Gets the events that the stream passes on.</summary>
    public StreamedAnswer<ReadOnlyMemory<byte>> Answer => answer;

    /// <summary>Gets the details of the call.</summary>
    public CallDetail Detail
    {
        set => answer.Detail = value;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The token is checked first, so that a cancelled call ends as cancelled even if the cancellation has already disposed its stream.
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<int>(cancellationToken);
        if (_failure is not null)
            return ValueTask.FromException<int>(_failure);
        if (_isDisposed)
            return ValueTask.FromException<int>(new OperationCanceledException("The answer was disposed before its end."));
        if (buffer.IsEmpty)
            return new(0);
        if (!_rest.IsEmpty)
            return new(CopyRest(buffer));
        ValueTask<bool> move;
        try
        {
            move = answer.NextAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            _failure = exception;
            throw;
        }
        if (!move.IsCompletedSuccessfully)
            return WaitAsync(move, buffer);
        return new(move.Result ? CopyItem(answer.Current, buffer) : 0);
    }

    protected override void Dispose(bool disposing)
    {
        if (!_isDisposed && disposing)
        {
            _isDisposed = true;
            Failover.Discards.DisposeResult(answer);
        }
        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(ValueTask<bool> move, Memory<byte> buffer)
    {
        try
        {
            return await move.ConfigureAwait(false) ? CopyItem(answer.Current, buffer) : 0;
        }
        catch (Exception exception)
        {
            _failure = exception;
            throw;
        }
    }

    private int CopyItem(ReadOnlyMemory<byte> item, Memory<byte> buffer)
    {
        _rest = item;
        return CopyRest(buffer);
    }

    private int CopyRest(Memory<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _rest.Length);
        _rest.Span[..count].CopyTo(buffer.Span);
        _rest = _rest[count..];
        return count;
    }
}

/// <summary>The base class of the streams of answers, which are read forwards only.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public sealed override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // SDKs have synchronous calls too.
    public sealed override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public sealed override void Flush()
    {
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
