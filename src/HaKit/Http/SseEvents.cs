using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace HaKit.Http;

/// <summary>
/// Splits the body of a stream into its items: events with the blank line that ends them, JSON objects, elements of a JSON array, or the pieces in which the
/// body arrives. Together the items are exactly the bytes that arrived. Lines may end with LF, CRLF or CR alone. An item is valid until the next item is
/// requested, except while <see cref="IsHolding"/>. For one reader at a time. Buffers are not pooled, because a caller that disposes a stream during a read
/// must not see the bytes of another stream. The object itself is the source of its asynchronous results, because an asynchronous method for every token of
/// every stream would cost more than the rest of the work.
/// </summary>
internal sealed class SseEvents : IAsyncEnumerable<ReadOnlyMemory<byte>>, IAsyncEnumerator<ReadOnlyMemory<byte>>, IValueTaskSource<bool>
{
    private const int BufferSize = 8 * 1024;

    private readonly Stream _body;
    private readonly IDisposable _owner;
    private readonly int _maxBytes;
    private readonly bool _isLabelled;
    private readonly Action _readEnded;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _read;
    private ManualResetValueTaskSourceCore<bool> _moved;
    private byte[] _buffer = new byte[BufferSize];
    private int _start;
    private int _line;
    private int _searched;
    private int _end;
    private int _depth;
    private bool _isInString;
    private bool _isAfterReturn;
    private bool _hasEnded;
    private CancellationToken _token;

    /// <param name="body">The body.</param>
    /// <param name="owner">Disposed after the body.</param>
    /// <param name="maxBytes">The maximum length of an item.</param>
    /// <param name="isLabelled">True if the Content-Type is the type of a stream of events.</param>
    public SseEvents(Stream body, IDisposable owner, int maxBytes, bool isLabelled = true)
    {
        (_body, _owner, _maxBytes, _isLabelled) = (body, owner, maxBytes, isLabelled);
        _readEnded = OnReadEnded;
    }

    /// <summary>Gets or sets whether a reader keeps the events. The bytes of kept events must not be overwritten.</summary>
    public bool IsHolding { get; set; } = true;

    /// <summary>
    /// Gets or sets whether the answer may be continued. An event that ends within its data is then not passed on, because the continuation begins with a
    /// complete event.
    /// </summary>
    public bool DropsTornTail { get; set; }

    /// <summary>Gets whether the last event was passed on without the blank line that ends it.</summary>
    public bool TookTail { get; private set; }

    /// <summary>Gets whether the body ended within the data of an event, and that event was not passed on (<see cref="DropsTornTail"/>).</summary>
    public bool DroppedTail { get; private set; }

    public ReadOnlyMemory<byte> Current { get; private set; }

    /// <summary>Gets how the body is divided, after its beginning has arrived.</summary>
    public BodyFraming Framing { get; private set; }

    public IAsyncEnumerator<ReadOnlyMemory<byte>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        _token = cancellationToken;
        return this;
    }

    /// <summary>Records that the first content was handed over: events are no longer held, and another token now cancels the reading.</summary>
    public void HandOver(CancellationToken cancellationToken) => (IsHolding, _token) = (false, cancellationToken);

    public ValueTask<bool> MoveNextAsync()
    {
        if (TryMove() is { } moved)
            return new(moved);
        _moved.Reset();
        _read.UnsafeOnCompleted(_readEnded);
        return new(this, _moved.Version);
    }

    public async ValueTask DisposeAsync()
    {
        await _body.DisposeAsync().ConfigureAwait(false);
        _owner.Dispose();
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _moved.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _moved.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _moved.OnCompleted(continuation, state, token, flags);

    // Returns null if the body has no data yet; the read is then in progress.
    private bool? TryMove()
    {
        while (true)
        {
            if (TryTake())
                return true;
            if (_hasEnded)
                return TryTakeRest();
            Begin(_body.ReadAsync(Room(), _token));
            if (!_read.IsCompleted)
                return null;
            Filled(_read.GetResult());
        }
    }

    private void Begin(ValueTask<int> read) => _read = read.ConfigureAwait(false).GetAwaiter();

    private void OnReadEnded()
    {
        bool moved;
        try
        {
            Filled(_read.GetResult());
            if (TryMove() is not { } decided)
            {
                _read.UnsafeOnCompleted(_readEnded);
                return;
            }
            moved = decided;
        }
#pragma warning disable CA1031 // The reader that asked for the event gets the exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _moved.SetException(exception);
            return;
        }
        _moved.SetResult(moved);
    }

    private void Filled(int count)
    {
        _end += count;
        _hasEnded = count == 0;
    }

    private bool TryTake() => Framing switch
    {
        BodyFraming.Events => TryTakeEvent(),
        BodyFraming.Undecided => TryDecide() && TryTake(),
        BodyFraming.Pieces => _start < _end && SetCurrent(_end),
        _ => TryTakeValue(),
    };

    private bool TryDecide()
    {
        Framing = BodyFramings.Detect(_buffer.AsSpan(_start, _end - _start), _isLabelled);
        if (Framing is BodyFraming.Objects or BodyFraming.Elements && _buffer[_start] == 0xEF)
            _searched = _start + 3;
        return Framing != BodyFraming.Undecided;
    }

    private bool TryTakeEvent()
    {
        while (true)
        {
            // A CR was the last byte that had arrived before. This LF belongs to the same CRLF, and the line that the CR ended is already counted.
            if (_isAfterReturn && _searched < _end)
            {
                _isAfterReturn = false;
                if (_buffer[_searched] == '\n')
                    _line = ++_searched;
            }
            var step = _buffer.AsSpan(_searched, _end - _searched).IndexOfAny((byte)'\n', (byte)'\r');
            if (step < 0)
            {
                _searched = _end;
                return false;
            }
            var feed = _searched + step;
            var isBlank = feed == _line;
            if (_buffer[feed] == '\r')
            {
                if (feed + 1 == _end)
                    _isAfterReturn = true;
                else if (_buffer[feed + 1] == '\n')
                    feed++;
            }
            _line = _searched = feed + 1;
            if (isBlank)
                return SetCurrent(_line);
        }
    }

    // Takes one JSON value, with the text before it. If there is text other than white space and punctuation between two values, the rest is not JSON, and is
    // read as events from there on.
    private bool TryTakeValue()
    {
        while (_searched < _end)
        {
            if (_isInString)
            {
                var step = _buffer.AsSpan(_searched, _end - _searched).IndexOfAny((byte)'"', (byte)'\\');
                if (step < 0)
                {
                    _searched = _end;
                    return false;
                }
                if (_buffer[_searched + step] == '\\' && _searched + step + 1 == _end)
                {
                    _searched += step; // the escaped character has not arrived yet
                    return false;
                }
                _isInString = _buffer[_searched + step] == '\\';
                _searched += step + (_isInString ? 2 : 1);
                continue;
            }
            var next = _depth == 0 ? 0 : _buffer.AsSpan(_searched, _end - _searched).IndexOfAny("\"{}[]"u8);
            if (next < 0)
            {
                _searched = _end;
                return false;
            }
            _searched += next;
            switch (_buffer[_searched])
            {
                case (byte)'"' when _depth > 0:
                    _isInString = true;
                    break;
                case (byte)'[' when _depth == 0 && Framing == BodyFraming.Elements:
                    break; // the beginning of the array that contains the elements
                case (byte)']' when _depth == 0 && Framing == BodyFraming.Elements:
                    return SetCurrent(++_searched);
                case (byte)'{' or (byte)'[':
                    _depth++;
                    break;
                case (byte)'}' or (byte)']' when _depth > 0:
                    if (--_depth == 0)
                        return SetCurrent(++_searched);
                    break;
                case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)',' or 0x1E: // RFC 7464 puts a record separator (0x1E) before each value
                    break;
                default:
                    if (_depth > 0)
                        break;
                    (Framing, _line) = (BodyFraming.Events, _start);
                    _searched = _start;
                    return TryTakeEvent();
            }
            _searched++;
        }
        return false;
    }

    private bool TryTakeRest()
    {
        if (_start == _end || DropsTornTail && DropsTail(_buffer.AsSpan(_start, _end - _start)))
            return false;
        TookTail = true;
        return SetCurrent(_end);
    }

    private bool DropsTail(ReadOnlySpan<byte> tail)
    {
        var data = new EventData().Read(tail, out _);
        DroppedTail = !data.IsEmpty && !data.SequenceEqual("[DONE]"u8) && !JsonOutline.Read(data).IsWhole;
        return DroppedTail || data.IsEmpty;
    }

    private bool SetCurrent(int end)
    {
        Current = _buffer.AsMemory(_start, end - _start);
        _start = end;
        return true;
    }

    private Memory<byte> Room()
    {
        if (_start == _end && !IsHolding)
        {
            Move(_buffer);
        }
        else if (_end == _buffer.Length)
        {
            var pending = _end - _start;
            if (pending >= _maxBytes)
                throw new InvalidDataException($"An event of the stream is longer than {_maxBytes} bytes.");
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
