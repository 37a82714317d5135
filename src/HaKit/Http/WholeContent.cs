using System.Net;

namespace HaKit.Http;

/// <summary>
/// A complete body for the caller. It differs from <see cref="ByteArrayContent"/> in two ways. Its stream is not seekable, because an SDK that requested a
/// stream of events refuses a seekable stream. And it can be read after it was disposed, because a cancelled SDK disposes the answer and then reads the rest;
/// an <see cref="ObjectDisposedException"/> would hide the cancellation. Thread-safe.
/// </summary>
internal sealed class WholeContent(ReadOnlyMemory<byte> body) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(body).AsTask();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) => stream.WriteAsync(body, cancellationToken).AsTask();

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) => stream.Write(body.Span);

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new WholeStream(body));

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => new WholeStream(body);

    protected override bool TryComputeLength(out long length)
    {
        length = body.Length;
        return true;
    }

    private sealed class WholeStream(ReadOnlyMemory<byte> body) : ReadOnlyStream
    {
        private int _position;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (cancellationToken.IsCancellationRequested)
                return ValueTask.FromCanceled<int>(cancellationToken);
            var count = Math.Min(buffer.Length, body.Length - _position);
            body.Span.Slice(_position, count).CopyTo(buffer.Span);
            _position += count;
            return new(count);
        }
    }
}
