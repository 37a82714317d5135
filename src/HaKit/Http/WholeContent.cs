using System.Net;

namespace HaKit.Http;

/// <summary>
/// A whole body that the caller may read. Not a <see cref="ByteArrayContent"/>, for two reasons: its stream cannot be sought, because an SDK that asked for a
/// stream of events refuses a seekable one, and it can be read after it was disposed of, because SDKs that are cancelled dispose of the answer and then read
/// what is left of it; an <see cref="ObjectDisposedException"/> would take the place of the cancellation. Thread-safe.
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
