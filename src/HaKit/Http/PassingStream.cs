namespace HaKit.Http;

/// <summary>The body of a refusal that is longer than what was read of it: those bytes, and the rest as it comes.</summary>
internal sealed class PassingStream(ReadOnlyMemory<byte> read, Stream rest, IDisposable owner) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _read = read;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_read.IsEmpty)
            return rest.ReadAsync(buffer, cancellationToken);
        var count = Math.Min(buffer.Length, _read.Length);
        _read.Span[..count].CopyTo(buffer.Span);
        _read = _read[count..];
        return new(count);
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
}
