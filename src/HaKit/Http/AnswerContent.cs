using System.Net;

namespace HaKit.Http;

/// <summary>
/// A body that can be read once, as it arrives. It does not derive from <see cref="StreamContent"/>, because the derived classes of <see cref="StreamContent"/>
/// copy without the reader's token. Reading a silent stream to its end could then not be cancelled.
/// </summary>
internal sealed class AnswerContent(ReadOnlyStream body) : HttpContent
{
    private bool _isRead;

    public ReadOnlyStream Body => body;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        Read().CopyToAsync(stream, cancellationToken);

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) => Read().CopyTo(stream);

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(Read());

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => Read();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            body.Dispose();
        base.Dispose(disposing);
    }

    private ReadOnlyStream Read()
    {
        if (_isRead)
            throw new InvalidOperationException("The answer has already been read, and its bytes are not kept.");
        _isRead = true;
        return body;
    }
}
