using System.Net;

namespace HaKit.Http;

/// <summary>
/// Holds what a content of unknown length wrote before it was too long to be kept. A content that writes synchronously cannot wait there, so it is written
/// again from its beginning.
/// </summary>
internal sealed class FirstPass
{
    private const int MostBytes = 4096;

    /// <summary>Gets the first bytes.</summary>
    public byte[] Beginning { get; private set; } = [];

    /// <summary>Gets how many bytes the content wrote.</summary>
    public long Length { get; private set; }

    /// <summary>Records the bytes up to the limit.</summary>
    /// <param name="kept">The bytes that were kept.</param>
    /// <param name="next">The bytes that were too many.</param>
    public void Record(ReadOnlySpan<byte> kept, ReadOnlySpan<byte> next)
    {
        Length = (long)kept.Length + next.Length;
        kept = kept[..Math.Min(kept.Length, MostBytes)];
        Beginning = [.. kept, .. next[..Math.Min(next.Length, MostBytes - kept.Length)]];
    }
}

/// <summary>
/// A content of unknown length that is too long to be kept, and that writes synchronously. It is written again for each attempt, and compared with its first
/// pass each time.
/// </summary>
internal sealed class RepeatedContent : HttpContent
{
    private readonly HttpContent _source;
    private readonly FirstPass _first;

    /// <param name="source">The caller's content. The caller keeps its ownership.</param>
    /// <param name="first">The bytes that the content wrote first.</param>
    public RepeatedContent(HttpContent source, FirstPass first)
    {
        (_source, _first) = (source, first);
        foreach (var (name, values) in source.Headers.NonValidated)
            Headers.AddAsIs(name, values);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var repetition = new RepetitionStream(stream, _first);
        await _source.CopyToAsync(repetition, cancellationToken).ConfigureAwait(false);
        repetition.ThrowIfShorter();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>
/// Passes on the bytes of a content that is written again. A content that copies a stream, and cannot set the stream back, would write only the rest of the
/// stream this time. The server would get a request without its beginning. So this stream compares the first bytes and the length with the first pass.
/// </summary>
internal sealed class RepetitionStream(Stream target, FirstPass first) : WriteOnlyStream
{
    private long _length;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ThrowIfOther(buffer);
        target.Write(buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfOther(buffer.Span);
        return target.WriteAsync(buffer, cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => target.FlushAsync(cancellationToken);

    /// <exception cref="InvalidOperationException">The content wrote less than in its first pass.</exception>
    public void ThrowIfShorter()
    {
        if (_length < first.Length)
            throw NotRepeatable();
    }

    private void ThrowIfOther(ReadOnlySpan<byte> buffer)
    {
        if (_length < first.Beginning.Length)
        {
            var expected = first.Beginning.AsSpan((int)_length);
            var count = Math.Min(expected.Length, buffer.Length);
            if (!buffer[..count].SequenceEqual(expected[..count]))
                throw NotRepeatable();
        }
        _length += buffer.Length;
    }

    private static InvalidOperationException NotRepeatable() => new("The content was written for the second time, and wrote other bytes than the first time.");
}
