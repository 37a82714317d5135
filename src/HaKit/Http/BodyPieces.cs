using System.Runtime.CompilerServices;

namespace HaKit.Http;

/// <summary>
/// Reads the body of an answer that the pool does not examine, in the pieces in which it arrives, after the part that was already read. A piece is valid until
/// the next piece is requested. For one reader at a time. It has its own buffer, because a read that was abandoned may still complete.
/// </summary>
internal sealed class BodyPieces(ReadOnlyMemory<byte> read, Stream body, IDisposable owner, CancellationToken token) : IAsyncEnumerator<ReadOnlyMemory<byte>>
{
    private ReadOnlyMemory<byte> _read = read;
    private byte[]? _buffer;

    public ReadOnlyMemory<byte> Current { get; private set; }

    public ValueTask<bool> MoveNextAsync()
    {
        if (!_read.IsEmpty)
        {
            (Current, _read) = (_read, default);
            return new(true);
        }
        var reading = body.ReadAsync(_buffer ??= new byte[16 * 1024], token);
        return reading.IsCompletedSuccessfully ? new(SetCurrent(reading.Result)) : WaitAsync(reading);
    }

    public async ValueTask DisposeAsync()
    {
        await body.DisposeAsync().ConfigureAwait(false);
        owner.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(ValueTask<int> reading) => SetCurrent(await reading.ConfigureAwait(false));

    private bool SetCurrent(int count)
    {
        Current = _buffer.AsMemory(0, count);
        return count > 0;
    }
}

/// <summary>Classifies all bytes that the pool does not examine as content, without a mark for the end.</summary>
internal sealed class PieceReader : StreamItemReader<ReadOnlyMemory<byte>>
{
    public static PieceReader Instance { get; } = new();

    public override bool MarksEnd => false;

    public override StreamSignal Read(ReadOnlyMemory<byte> item) => StreamSignal.Content;
}
