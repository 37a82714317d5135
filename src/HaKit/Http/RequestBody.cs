using System.Buffers;
using System.Net;

namespace HaKit.Http;

/// <summary>
/// The body of a call's request, from which every attempt gets a content of its own. Kept in one pooled buffer that all attempts share, or, when it is too
/// long for that, written by the caller's content once more for each attempt, if that content can.
/// </summary>
internal sealed class RequestBody : IDisposable
{
    private readonly HttpContent _source;
    private readonly int _maxReplayBytes;
    private byte[]? _bytes;
    private int _length;
    private int _users = 1;
    private Task _writing = Task.CompletedTask;
    private bool _isSpent;

    private RequestBody(HttpContent source, int maxReplayBytes)
    {
        _source = source;
        _maxReplayBytes = maxReplayBytes;
    }

    /// <summary>What is in it, if it is JSON that was kept.</summary>
    public JsonOutline Outline { get; private set; }

    /// <summary>May two attempts send it at the same time?</summary>
    public bool IsKept => _bytes is not null;

    /// <summary>It was read once, and cannot be read again.</summary>
    public bool IsSpent => Volatile.Read(ref _isSpent);

    /// <summary>An attempt found that it cannot be read again.</summary>
    public bool WasRefused { get; private set; }

    /// <summary>What is known of it, for messages.</summary>
    public string Describe() => _source.Headers.ContentLength is { } length
        ? $"body of {length} bytes" : $"body of unknown length, longer than {_maxReplayBytes} bytes,";

    public ReadOnlySpan<byte> this[Range range] => _bytes.AsSpan(0, _length)[range];

    /// <summary>Reads the caller's content once, up to the limit.</summary>
    /// <param name="source">The content; it stays the caller's.</param>
    /// <param name="maxReplayBytes">How much is kept.</param>
    /// <param name="mustRewrite">JSON is kept however long it is, up to 64 MB, because some endpoint needs another model's name in it.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public static async ValueTask<RequestBody> OfAsync(HttpContent source, int maxReplayBytes, bool mustRewrite, CancellationToken cancellationToken)
    {
        var isJson = source.Headers.NonValidated.TryGetValues("Content-Type", out var type) && type.ToString().Contains("json", StringComparison.OrdinalIgnoreCase);
        var limit = isJson && mustRewrite ? Math.Max(maxReplayBytes, 64 * 1024 * 1024) : maxReplayBytes;
        var length = source.Headers.ContentLength;
        if (length > limit)
            return new RequestBody(source, limit);
        var buffer = LimitedBuffer.Rent(length, limit);
        RequestBody body;
        try
        {
            // These two can be pulled, so that what was read of them and the rest can still be sent once.
            if (length is null && source is StreamContent or MultipartContent)
            {
                var stream = await source.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
                if (!await buffer.FillAsync(stream, cancellationToken).ConfigureAwait(false))
                    return new RequestBody(new OnceContent(source, buffer.ToArray(), stream), limit);
            }
            else
                await source.CopyToAsync(buffer, cancellationToken).ConfigureAwait(false);
            body = new RequestBody(source, limit) { _length = buffer.Count, _bytes = buffer.TakeBytes() };
        }
        catch (LimitedBuffer.FullException)
        {
            return new RequestBody(source, limit);
        }
        finally
        {
            buffer.Return();
        }
        if (isJson)
            body.Outline = JsonOutline.Of(body[..]);
        return body;
    }

    /// <summary>A content for one attempt.</summary>
    /// <param name="model">The JSON text in the place of the model's name; null to leave it.</param>
    public HttpContent NewContent(byte[]? model)
    {
        var replaced = IsKept && Outline.Model is { } range && model is not null && !this[range].SequenceEqual(model) ? model : null;
        var content = new Content(this, replaced);
        foreach (var (name, values) in _source.Headers.NonValidated)
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                content.Headers.AddAsIs(name, values);
        return content;
    }

    /// <summary>The call is over. Attempts that still write keep the buffer until they have done so.</summary>
    public void Dispose() => Leave();

    private void Enter()
    {
        for (var users = Volatile.Read(ref _users); ; users = Volatile.Read(ref _users))
        {
            ObjectDisposedException.ThrowIf(users == 0, typeof(HttpContent));
            if (Interlocked.CompareExchange(ref _users, users + 1, users) == users)
                return;
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0 && _bytes is not null)
            ArrayPool<byte>.Shared.Return(_bytes);
    }

    private async Task WriteAsync(Stream target, byte[]? model, CancellationToken cancellationToken)
    {
        Enter();
        try
        {
            if (model is null)
                await target.WriteAsync(_bytes.AsMemory(0, _length), cancellationToken).ConfigureAwait(false);
            else
            {
                var (start, length) = Outline.Model!.Value.GetOffsetAndLength(_length);
                await target.WriteAsync(_bytes.AsMemory(0, start), cancellationToken).ConfigureAwait(false);
                await target.WriteAsync(model, cancellationToken).ConfigureAwait(false);
                await target.WriteAsync(_bytes.AsMemory((start + length).._length), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            Leave();
        }
    }

    // The caller's content has one position: an attempt that was given up may still be moving it.
    private async Task PassAsync(Stream target, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource();
        var before = Interlocked.Exchange(ref _writing, done.Task);
        try
        {
            await before.ConfigureAwait(false);
            await _source.CopyToAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            WasRefused = true;
            Volatile.Write(ref _isSpent, true);
            throw;
        }
        finally
        {
            if (_source is OnceContent { IsSpent: true })
                Volatile.Write(ref _isSpent, true);
            done.SetResult();
        }
    }

    private long? LengthWith(byte[]? model) => !IsKept ? _source.Headers.ContentLength
        : model is null ? _length
        : _length - Outline.Model!.Value.GetOffsetAndLength(_length).Length + model.Length;

    private sealed class Content(RequestBody body, byte[]? model) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            body.IsKept ? body.WriteAsync(stream, model, cancellationToken) : body.PassAsync(stream, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            var known = body.LengthWith(model);
            length = known ?? 0;
            return known is not null;
        }
    }

    /// <summary>The beginning that was read, and the rest of a stream that cannot be rewound.</summary>
    private sealed class OnceContent : HttpContent
    {
        private readonly byte[] _beginning;
        private readonly Stream _rest;
        private int _sent;

        public OnceContent(HttpContent source, byte[] beginning, Stream rest)
        {
            (_beginning, _rest) = (beginning, rest);
            foreach (var (name, values) in source.Headers.NonValidated)
                Headers.AddAsIs(name, values);
        }

        public bool IsSpent => Volatile.Read(ref _sent) != 0;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            if (Interlocked.Exchange(ref _sent, 1) != 0)
                throw new InvalidOperationException("The content was sent already.");
            await stream.WriteAsync(_beginning, cancellationToken).ConfigureAwait(false);
            await _rest.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

/// <summary>Headers are copied as they are: what the caller may send is for the caller to say.</summary>
internal static class HeaderCopies
{
    public static void AddAsIs(this System.Net.Http.Headers.HttpHeaders headers, string name, System.Net.Http.Headers.HeaderStringValues values)
    {
        if (values.Count == 1)
            headers.TryAddWithoutValidation(name, values.ToString());
        else
            headers.TryAddWithoutValidation(name, values);
    }
}
