using System.Net;
using System.Net.Http.Json;
using HaKit.Attempts;

namespace HaKit.Http;

/// <summary>
/// Holds the body of a call's request and creates an <see cref="HttpContent"/> for every attempt. The body is kept in one pooled buffer that all attempts
/// share. A body that is too long for the buffer is written by the caller's content, again for each attempt. If that content can be written only once, only one
/// attempt can send it.
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
    private bool _isClosed;

    private RequestBody(HttpContent source, int maxReplayBytes)
    {
        _source = source;
        _maxReplayBytes = maxReplayBytes;
    }

    /// <summary>Gets the outline of the body, if the body was kept and is JSON or a form. Otherwise the outline is empty.</summary>
    public JsonOutline Outline { get; private set; }

    /// <summary>Gets whether the Content-Type is JSON.</summary>
    public bool IsJson => ModelFinder.IsJson(TypeOf(_source));

    /// <summary>Gets whether the whole body is in memory. Two attempts may then send it at the same time.</summary>
    public bool IsKept => _bytes is not null;

    /// <summary>Gets whether the body was read once and cannot be read again.</summary>
    public bool IsSpent => Volatile.Read(ref _isSpent);

    /// <summary>Gets whether an attempt failed because the caller's content threw an <see cref="InvalidOperationException"/> instead of writing the body again.</summary>
    public bool WasRefused { get; private set; }

    /// <summary>Describes the body, for messages.</summary>
    public string Describe() => _source.Headers.ContentLength is { } length
        ? $"body of {length} bytes" : $"body of unknown length, longer than {_maxReplayBytes} bytes,";

    public ReadOnlySpan<byte> this[Range range] => _bytes.AsSpan(0, _length)[range];

    /// <summary>Reads the caller's content once, up to the limit.</summary>
    /// <param name="source">The content. The caller keeps its ownership.</param>
    /// <param name="maxReplayBytes">The largest number of bytes to keep. A longer body is not kept.</param>
    /// <param name="cancellationToken">The caller's token.</param>
    public static ValueTask<RequestBody> CreateAsync(HttpContent source, int maxReplayBytes, CancellationToken cancellationToken)
    {
        // A body that is in memory already is copied synchronously, without an asynchronous state machine.
        if (source is not ByteArrayContent || source.Headers.ContentLength > maxReplayBytes)
            return ReadAsync(source, maxReplayBytes, cancellationToken);
        var buffer = LimitedBuffer.Rent(maxReplayBytes);
        try
        {
            var copy = source.CopyToAsync(buffer, cancellationToken);
            return copy.IsCompletedSuccessfully ? new(CreateKept(source, maxReplayBytes, buffer)) : AwaitAsync(copy, source, maxReplayBytes, buffer);
        }
        catch (LimitedBuffer.FullException)
        {
            // The content is longer than its Content-Length says. A ByteArrayContent then throws instead of returning a failed task.
            return new(new RequestBody(source, maxReplayBytes));
        }
    }

    private static async ValueTask<RequestBody> AwaitAsync(Task copy, HttpContent source, int maxReplayBytes, LimitedBuffer buffer)
    {
        try
        {
            await copy.ConfigureAwait(false);
        }
        catch (LimitedBuffer.FullException)
        {
            return new RequestBody(source, maxReplayBytes);
        }
        return CreateKept(source, maxReplayBytes, buffer);
    }

    private static async ValueTask<RequestBody> ReadAsync(HttpContent source, int maxReplayBytes, CancellationToken cancellationToken)
    {
        var length = source.Headers.ContentLength;
        if (length > maxReplayBytes)
            return new RequestBody(source, maxReplayBytes);
        var buffer = LimitedBuffer.Rent(maxReplayBytes);
        FirstPass? first = null;
        try
        {
            // Content with a known length, and JSON content, can be written again. Any other content that is too long may be writable only once.
            if (length is null && source is not JsonContent)
            {
                var pausing = new PausingStream(buffer);
                first = pausing.Full;
                var copy = source.CopyToAsync(pausing, cancellationToken);
                if (await Task.WhenAny(copy, pausing.Paused).ConfigureAwait(false) != copy)
                    return new RequestBody(new OnceContent(source, buffer.TakeWritten(), pausing, copy), maxReplayBytes);
                await copy.ConfigureAwait(false);
            }
            else
            {
                await source.CopyToAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (LimitedBuffer.FullException)
        {
            return new RequestBody(first is null ? source : new RepeatedContent(source, first), maxReplayBytes);
        }
        return CreateKept(source, maxReplayBytes, buffer);
    }

    /// <summary>
    /// Waits for a body that is being read. Returns null if the body has not arrived by the given time. A body that arrives later is disposed.
    /// </summary>
    /// <param name="body">The body.</param>
    /// <param name="until">The time.</param>
    /// <param name="clock">The pool's clock.</param>
    /// <param name="cancellationToken">The caller's token.</param>
    public static async ValueTask<RequestBody?> AwaitUntilAsync(ValueTask<RequestBody> body, TimeSpan until, PoolClock clock, CancellationToken cancellationToken)
    {
        var reading = body.AsTask();
        try
        {
            if (await RefusalBody.EndsByAsync(reading, until, clock, cancellationToken).ConfigureAwait(false))
                return await reading.ConfigureAwait(false);
        }
        catch when (!reading.IsCompleted)
        {
            DisposeLate(reading);
            throw;
        }
        DisposeLate(reading);
        return null;
    }

    // The body may also fail late. The call has ended by then, so the exception has no receiver.
    private static void DisposeLate(Task<RequestBody> reading) => _ = DisposeLateAsync(reading);

    private static async Task DisposeLateAsync(Task<RequestBody> reading)
    {
        try
        {
            (await reading.ConfigureAwait(false)).Dispose();
        }
#pragma warning disable CA1031 // The content is the application's code, and may throw anything.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private static RequestBody CreateKept(HttpContent source, int maxReplayBytes, LimitedBuffer buffer)
    {
        var body = new RequestBody(source, maxReplayBytes) { _length = buffer.Count, _bytes = buffer.TakeBytes() };
        buffer.Return(); // after a failure the buffer is not returned, because the content may still be writing to it
        var type = TypeOf(source);
        if (ModelFinder.IsJson(type))
            body.Outline = JsonOutline.Read(body[..]);
        else if (ModelFinder.IsForm(type))
            body.Outline = JsonOutline.OfForm(ModelFinder.For(type)!.Find(body[..]));
        return body;
    }

    /// <summary>Creates the <see cref="HttpContent"/> for one attempt.</summary>
    /// <param name="model">The name to put in the place of the caller's model. Null: the caller's model stays.</param>
    /// <param name="member">A member to put before the first member of a JSON object. Null: none. A body that is not kept gets no member.</param>
    public HttpContent NewContent(ModelName? model, byte[]? member = null)
    {
        var content = new Content(this, model is null ? null : FindReplacement(model), IsKept ? member : null);
        foreach (var (name, values) in _source.Headers.NonValidated)
        {
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                content.Headers.AddAsIs(name, values);
        }

        return content;
    }

    // Gets the text that replaces the model's name. Null: no replacement. If the body is not kept, its model is not known. The model is then replaced even if
    // both names are the same.
    private byte[]? FindReplacement(ModelName model)
    {
        var type = TypeOf(_source);
        var text = ModelFinder.IsForm(type) ? model.Plain : model.Json;
        if (!IsKept)
            return ModelFinder.For(type) is null ? null : text;
        return Outline.Model is { } place && !this[place].SequenceEqual(text) ? text : null;
    }

    private static string TypeOf(HttpContent content) => content.Headers.NonValidated.TryGetValues("Content-Type", out var type) ? type.ToString() : "";

    /// <summary>
    /// Ends the sending at the end of the call, and releases the buffer. An attempt that still runs keeps the buffer until it has finished, so that it never
    /// reads the bytes of another request. Only the first call of this method has an effect, because each release belongs to one user.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, true))
            return;
        (_source as OnceContent)?.Abandon();
        ReleaseUser();
    }

    /// <summary>Adds a user of the buffer, which is kept until each user has called <see cref="ReleaseUser"/>.</summary>
    /// <exception cref="ObjectDisposedException">The call is over, and the buffer was released.</exception>
    public void AddUser()
    {
        for (var users = Volatile.Read(ref _users); ; users = Volatile.Read(ref _users))
        {
            ObjectDisposedException.ThrowIf(users == 0, typeof(HttpContent));
            if (Interlocked.CompareExchange(ref _users, users + 1, users) == users)
                return;
        }
    }

    /// <summary>Releases the buffer for one user. The last user returns it to its pool.</summary>
    public void ReleaseUser()
    {
        if (Interlocked.Decrement(ref _users) == 0 && _bytes is not null)
            LimitedBuffer.Return(_bytes);
    }

    private async Task WriteAsync(Stream target, byte[]? model, byte[]? member, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed), typeof(HttpContent));
        AddUser();
        try
        {
            var from = 0;
            if (member is not null)
            {
                from = PromptCacheKey.PlaceIn(this[..]);
                await target.WriteAsync(_bytes.AsMemory(0, from), cancellationToken).ConfigureAwait(false);
                await target.WriteAsync(member, cancellationToken).ConfigureAwait(false);
            }
            if (model is null)
            {
                await target.WriteAsync(_bytes.AsMemory(from.._length), cancellationToken).ConfigureAwait(false);
            }
            else
            {
                var (start, length) = Outline.Model!.Value.GetOffsetAndLength(_length);
                await target.WriteAsync(_bytes.AsMemory(from..start), cancellationToken).ConfigureAwait(false);
                await target.WriteAsync(model, cancellationToken).ConfigureAwait(false);
                await target.WriteAsync(_bytes.AsMemory((start + length).._length), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ReleaseUser();
        }
    }

    // The caller's content has only one position, and an abandoned attempt may still be reading from it. So each attempt waits until the previous attempt has
    // stopped. An attempt that is cancelled while it waits ends at once. The attempt after it then waits for the attempt that still reads.
    private async Task WriteSourceAsync(Stream target, byte[]? model, CancellationToken cancellationToken)
    {
        if (model is not null)
            target = new RewritingStream(target, ModelFinder.For(TypeOf(_source))!, model);
        var done = new TaskCompletionSource();
        var before = Interlocked.Exchange(ref _writing, done.Task);
        try
        {
            await before.WaitAsync(cancellationToken).ConfigureAwait(false);
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed), typeof(HttpContent)); // after the call, the content belongs to the caller again
            await _source.CopyToAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException) when (!Volatile.Read(ref _isClosed))
        {
            WasRefused = true;
            Volatile.Write(ref _isSpent, true);
            throw;
        }
        finally
        {
            if (_source is OnceContent { IsSpent: true })
                Volatile.Write(ref _isSpent, true);
            if (before.IsCompleted)
                done.SetResult();
            else
                _ = before.ContinueWith(static (_, done) => ((TaskCompletionSource)done!).SetResult(), done, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private long? LengthWith(byte[]? model, byte[]? member) => LengthWith(model) + (member?.Length ?? 0);

    private long? LengthWith(byte[]? model)
    {
        if (!IsKept)
            return model is null ? _source.Headers.ContentLength : null;
        return model is null ? _length : _length - Outline.Model!.Value.GetOffsetAndLength(_length).Length + model.Length;
    }

    private sealed class Content(RequestBody body, byte[]? model, byte[]? member) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            body.IsKept ? body.WriteAsync(stream, model, member, cancellationToken) : body.WriteSourceAsync(stream, model, cancellationToken);

        // A synchronous call through a resilience pipeline also writes the body synchronously. The caller's thread blocks until the answer arrives, so it may also
        // block here.
        protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            SerializeToStreamAsync(stream, context, cancellationToken).GetAwaiter().GetResult();

        protected override bool TryComputeLength(out long length)
        {
            var known = body.LengthWith(model, member);
            length = known ?? 0;
            return known is not null;
        }
    }
}

/// <summary>Copies headers unchanged and without validation, because the pool passes on what the caller or the server has written.</summary>
internal static class HeaderCopies
{
    /// <summary>
    /// Replaces a response's content, and copies the headers of the old content. A complete body no longer needs the old content, and sets its own length.
    /// </summary>
    public static void ReplaceContent(this HttpResponseMessage response, HttpContent content, bool isWhole)
    {
        var old = response.Content;
        foreach (var (name, values) in old.Headers.NonValidated)
        {
            if (!isWhole || !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                content.Headers.AddAsIs(name, values);
        }

        response.Content = content;
        if (isWhole)
            old.Dispose();
    }

    public static void AddAsIs(this System.Net.Http.Headers.HttpHeaders headers, string name, System.Net.Http.Headers.HeaderStringValues values)
    {
        if (values.Count == 1)
            headers.TryAddWithoutValidation(name, values.ToString());
        else
            headers.TryAddWithoutValidation(name, values);
    }
}
