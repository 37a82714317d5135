using System.Buffers;
using System.Runtime.CompilerServices;
using HaKit.Failover;

namespace HaKit.Http;

/// <summary>
/// Collects written bytes in one array, up to a limit. The array grows with the bytes that arrive, never with an announced length: 4 KB first, then doubling. An array
/// of at most 1 MB comes from the shared pool and is returned to it. The shared pool would keep any number of longer arrays for the life of the process. So an
/// array of up to 4 MB, which long prompts need at each call, comes from a pool that keeps at most 12 MB. An even longer array is left to the garbage
/// collector. The code that takes the array returns it. The buffer itself is returned with <see cref="Return()"/> when no code can write to it any more.
/// </summary>
internal sealed class LimitedBuffer : WriteOnlyStream
{
    private static readonly ObjectCache<LimitedBuffer> s_cache = new(static () => new LimitedBuffer());

    /// <summary>The exception that is thrown when more is written than the limit allows.</summary>
    public sealed class FullException : Exception;

    private const int FirstBytes = 4 * 1024;
    private const int MostSharedBytes = 1024 * 1024;
    private const int MostPooledBytes = 4 * 1024 * 1024;
    private static readonly ArrayPool<byte> s_long = ArrayPool<byte>.Create(MostPooledBytes, maxArraysPerBucket: 2);

    private byte[]? _bytes;
    private int _limit;

    private LimitedBuffer()
    {
    }

    public static LimitedBuffer Rent(int limit)
    {
        var buffer = s_cache.Rent();
        buffer._limit = limit;
        buffer._bytes = NewArray(FirstBytes);
        buffer.Count = 0;
        return buffer;
    }

    /// <summary>Returns an array that <see cref="TakeBytes"/> gave.</summary>
    public static void Return(byte[] bytes)
    {
        if (bytes.Length <= MostSharedBytes)
            ArrayPool<byte>.Shared.Return(bytes);
        else if (bytes.Length <= MostPooledBytes)
            s_long.Return(bytes);
    }

    /// <summary>Takes the array, which is longer than its content. The caller owns it from now on.</summary>
    public byte[] TakeBytes()
    {
        var bytes = _bytes!;
        _bytes = null;
        return bytes;
    }

    /// <summary>Takes the content, in an array that the caller owns from now on.</summary>
    public ReadOnlyMemory<byte> TakeWritten() => TakeBytes().AsMemory(0, Count);

    public int Count { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Count);

    /// <summary>Reads until the stream ends (true) or the limit is exceeded (false).</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> FillAsync(Stream source, CancellationToken cancellationToken)
    {
        while (Count <= _limit)
        {
            Grow(1);
            var count = await source.ReadAsync(_bytes.AsMemory(Count), cancellationToken).ConfigureAwait(false);
            if (count == 0)
                return true;
            Count += count;
        }
        return false;
    }

    /// <summary>Takes the content in an array that is not returned: a copy of a short array, or a long array itself.</summary>
    public ArraySegment<byte> Detach() => _bytes!.Length <= MostSharedBytes ? new(Written.ToArray()) : new(TakeBytes(), 0, Count);

    public void Return()
    {
        if (_bytes is not null)
            Return(_bytes);
        _bytes = null;
        s_cache.Return(this);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!TryWrite(buffer))
            throw new FullException();
    }

    /// <summary>Writes all bytes and returns true. If the bytes exceed the limit, writes nothing and returns false.</summary>
    public bool TryWrite(ReadOnlySpan<byte> buffer)
    {
        if (Count + (long)buffer.Length > _limit)
            return false;
        Grow(buffer.Length);
        buffer.CopyTo(_bytes.AsSpan(Count));
        Count += buffer.Length;
        return true;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Grow(int more)
    {
        if (_bytes!.Length - Count >= more)
            return;
        // One byte above the limit shows that the limit is exceeded, so no more bytes are read.
        var larger = NewArray((int)Math.Max(Count + (long)more, Math.Min(2L * _bytes.Length, _limit + 1L)));
        Written.CopyTo(larger);
        Return(_bytes);
        _bytes = larger;
    }

    private static byte[] NewArray(int length) => length switch
    {
        <= MostSharedBytes => ArrayPool<byte>.Shared.Rent(length),
        <= MostPooledBytes => s_long.Rent(length),
        _ => GC.AllocateUninitializedArray<byte>(length),
    };
}

/// <summary>The base class of the streams that bodies are written to; they cannot be read.</summary>
internal abstract class WriteOnlyStream : Stream
{
    public sealed override bool CanRead => false;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => true;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override void Write(ReadOnlySpan<byte> buffer);

    public sealed override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);

    public sealed override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public sealed override void Flush()
    {
    }

    public sealed override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();
}
