using System.Runtime.CompilerServices;

namespace HaKit.Http;

/// <summary>
/// Splits the body of a stream into its events, each with the blank line that ends it: together they are exactly the bytes that came. An event is valid
/// until the next one is asked for, except while <see cref="IsHolding"/>. For one reader at a time; buffers are not pooled, because whoever disposes of a
/// stream while it is read must not see the bytes of another.
/// </summary>
internal sealed class SseEvents(Stream body, IDisposable owner, int maxBytes) : IAsyncEnumerable<ReadOnlyMemory<byte>>, IAsyncEnumerator<ReadOnlyMemory<byte>>
{
    private const int BufferSize = 8 * 1024;

    private byte[] _buffer = new byte[BufferSize];
    private int _start;
    private int _line;
    private int _searched;
    private int _end;
    private bool _hasEnded;
    private CancellationToken _token;

    /// <summary>Somebody keeps the events: none of their bytes may be moved.</summary>
    public bool IsHolding { get; set; } = true;

    public ReadOnlyMemory<byte> Current { get; private set; }

    public IAsyncEnumerator<ReadOnlyMemory<byte>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        _token = cancellationToken;
        return this;
    }

    public ValueTask<bool> MoveNextAsync()
    {
        while (true)
        {
            if (TryTake())
                return new(true);
            if (_hasEnded)
                return new(TryTakeRest());
            var read = body.ReadAsync(Room(), _token);
            if (!read.IsCompletedSuccessfully)
                return WaitAsync(read);
            Filled(read.Result);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await body.DisposeAsync().ConfigureAwait(false);
        owner.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(ValueTask<int> read)
    {
        Filled(await read.ConfigureAwait(false));
        while (!TryTake())
        {
            if (_hasEnded)
                return TryTakeRest();
            Filled(await body.ReadAsync(Room(), _token).ConfigureAwait(false));
        }
        return true;
    }

    private void Filled(int count)
    {
        _end += count;
        _hasEnded = count == 0;
    }

    private bool TryTake()
    {
        while (_buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n') is >= 0 and var step)
        {
            var feed = _searched + step;
            var isBlank = feed == _line || feed == _line + 1 && _buffer[_line] == '\r';
            _line = _searched = feed + 1;
            if (isBlank)
                return Take(_line);
        }
        _searched = _end;
        return false;
    }

    private bool TryTakeRest() => _start < _end && Take(_end);

    private bool Take(int end)
    {
        Current = _buffer.AsMemory(_start, end - _start);
        _start = end;
        return true;
    }

    private Memory<byte> Room()
    {
        if (_start == _end && !IsHolding)
            Move(_buffer);
        else if (_end == _buffer.Length)
        {
            var pending = _end - _start;
            if (pending >= maxBytes)
                throw new InvalidDataException($"An event of the stream is longer than {maxBytes} bytes.");
            Move(!IsHolding && pending <= _buffer.Length / 2 ? _buffer : new byte[Math.Max(BufferSize, 2 * pending)]);
        }
        return _buffer.AsMemory(_end);
    }

    private void Move(byte[] target)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(target);
        (_line, _searched, _end) = (_line - _start, _searched - _start, _end - _start);
        (_start, _buffer) = (0, target);
    }
}
