using System.Buffers;

namespace HaKit.Http;

/// <summary>Collects what is written in one pooled array, up to a limit. Whoever reads <see cref="Bytes"/> gives it back.</summary>
internal sealed class LimitedBuffer(int expected, int limit) : Stream
{
    /// <summary>More was written than the limit allows.</summary>
    public sealed class FullException : Exception;

    private bool _isTaken;

    /// <summary>The array, longer than what is in it; from now on the reader's.</summary>
    public byte[] Bytes
    {
        get
        {
            _isTaken = true;
            return _bytes;
        }
    }

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(Math.Min(Math.Max(expected, 256), Math.Max(limit, 256)));

    public int Count { get; private set; }

    /// <summary>Was everything written that there was? Set by <see cref="FillAsync"/> and by nobody else; without it, everything that was copied.</summary>
    public bool IsWhole { get; private set; } = true;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Count);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => Count;

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    /// <summary>Reads until the stream ends (true) or the limit is passed (false).</summary>
    public async ValueTask<bool> FillAsync(Stream source, CancellationToken cancellationToken)
    {
        IsWhole = false;
        while (Count <= limit)
        {
            Grow(1);
            var count = await source.ReadAsync(_bytes.AsMemory(Count), cancellationToken).ConfigureAwait(false);
            if (count == 0)
                return IsWhole = true;
            Count += count;
        }
        return false;
    }

    public byte[] ToArray() => Written.ToArray();

    public void Return()
    {
        if (!_isTaken)
            ArrayPool<byte>.Shared.Return(_bytes);
        _isTaken = true;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Count + (long)buffer.Length > limit)
        {
            IsWhole = false;
            throw new FullException();
        }
        Grow(buffer.Length);
        buffer.CopyTo(_bytes.AsSpan(Count));
        Count += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer.AsSpan(offset, count));
        return Task.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Grow(int more)
    {
        if (_bytes.Length - Count >= more)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Count + more, 2 * _bytes.Length));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
