namespace HaKit.Testing.Wire;

/// <summary>
/// The body of an answer in memory. The time of each step counts from the request, not from the previous read. So a slow reader gets the bytes that are already
/// due without waiting, as from the buffer of a socket.
/// </summary>
internal sealed class ReplyStream(Reply reply) : Stream
{
    private Step _step;
    private bool _isPeeked;
    private ReadOnlyMemory<byte> _rest;
    private bool _hasEnded;
    private bool _wasReset;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_rest.IsEmpty && !_hasEnded)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Waits.DelayAsync(reply.Time, reply.Remaining(Peek().Due), cancellationToken).ConfigureAwait(false);
            if (_step.Kind == StepKind.Silence)
                await Waits.ForEver(cancellationToken).ConfigureAwait(false);
            ApplyStep();
        }

        return CopyRest(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        while (_rest.IsEmpty && !_hasEnded)
        {
            if (Peek().Kind == StepKind.Silence || reply.Remaining(_step.Due) > TimeSpan.Zero)
                throw new NotSupportedException("A synchronous read cannot wait on an injected clock.");
            ApplyStep();
        }

        return CopyRest(buffer.AsSpan(offset, count));
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _hasEnded = true;
        _rest = default;
        reply.RecordOutcome(clientLeft: true);
        reply.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Returns the next step without removing it, so that a cancelled read loses nothing.</summary>
    private Step Peek()
    {
        if (_isPeeked)
            return _step;
        _step = reply.Steps.MoveNext() ? reply.Steps.Current : new(StepKind.End, TimeSpan.Zero);
        _isPeeked = true;
        return _step;
    }

    private void ApplyStep()
    {
        _isPeeked = false;
        switch (_step.Kind)
        {
            case StepKind.Bytes:
                _rest = _step.Bytes;
                if (_rest.IsEmpty)
                    reply.Delivered(_step);
                break;
            case StepKind.Reset:
                End();
                _wasReset = true;
                break;
            default:
                End();
                break;
        }
    }

    private int CopyRest(Span<byte> buffer)
    {
        if (_wasReset)
            throw ConnectionFailures.ResetWithinBody();
        if (_rest.IsEmpty)
            return 0;
        var count = Math.Min(buffer.Length, _rest.Length);
        _rest.Span[..count].CopyTo(buffer);
        _rest = _rest[count..];
        if (!_rest.IsEmpty)
            return count;
        reply.Delivered(_step);
        if (_step.IsFinal)
            End();
        return count;
    }

    private void End()
    {
        _hasEnded = true;
        reply.RecordOutcome(clientLeft: false);
    }
}
