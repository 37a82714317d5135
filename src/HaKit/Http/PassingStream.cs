namespace HaKit.Http;

/// <summary>
/// Streams the body of a refusal of which <see cref="RefusalBody"/> has read only the beginning, because the body is too long or arrives too slowly. The
/// reader gets first this beginning, then the result of a read in progress, then the rest as it arrives.
/// </summary>
/// <param name="read">The beginning that was read.</param>
/// <param name="reading">The read in progress. Null: none.</param>
/// <param name="target">The buffer of that read.</param>
/// <param name="rest">The rest.</param>
/// <param name="owner">Disposed with the stream.</param>
internal sealed class PassingStream(ReadOnlyMemory<byte> read, Task<int>? reading, ReadOnlyMemory<byte> target, Stream rest, IDisposable owner) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _read = read;
    private Task<int>? _reading = reading;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_read.IsEmpty)
            return new(CopyRead(buffer));
        return _reading is null ? rest.ReadAsync(buffer, cancellationToken) : WaitAsync(_reading, buffer, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            rest.Dispose();
            owner.Dispose();
        }
        base.Dispose(disposing);
    }

    private async ValueTask<int> WaitAsync(Task<int> reading, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (count == 0)
            return 0;
        (_read, _reading) = (target[..count], null);
        return CopyRead(buffer);
    }

    private int CopyRead(Memory<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _read.Length);
        _read.Span[..count].CopyTo(buffer.Span);
        _read = _read[count..];
        return count;
    }
}
