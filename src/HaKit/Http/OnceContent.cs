using System.Net;

namespace HaKit.Http;

/// <summary>
/// Content that can be written only once and is too long to be kept. It writes the kept beginning and then the rest, directly from the caller's content. The
/// writer of the caller's content waits at the limit until an attempt continues it. Once the beginning was written, the content is used up, even if the rest is not written.
/// </summary>
internal sealed class OnceContent : HttpContent
{
    private readonly ReadOnlyMemory<byte> _beginning;
    private readonly PausingStream _rest;
    private readonly Task _copy;
    private int _sent;

    /// <param name="source">The caller's content.</param>
    /// <param name="beginning">The bytes that the caller's content has written so far.</param>
    /// <param name="rest">The stream that stops the writer at the limit.</param>
    /// <param name="copy">The task that ends when the caller's content has written everything.</param>
    public OnceContent(HttpContent source, ReadOnlyMemory<byte> beginning, PausingStream rest, Task copy)
    {
        (_beginning, _rest, _copy) = (beginning, rest, copy);
        foreach (var (name, values) in source.Headers.NonValidated)
            Headers.AddAsIs(name, values);
    }

    public bool IsSpent => Volatile.Read(ref _sent) != 0;

    /// <summary>Releases the waiting writer, because no attempt needs the rest any more. Has no effect if an attempt has already taken the rest.</summary>
    public void Abandon()
    {
        if (Interlocked.Exchange(ref _sent, 1) == 0)
            _rest.Abandon();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _sent, 1) != 0)
            throw new InvalidOperationException("The content was sent already.");
        try
        {
            await stream.WriteAsync(_beginning, cancellationToken).ConfigureAwait(false);
            _rest.Continue(stream, cancellationToken);
            await _copy.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _rest.Abandon();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>
/// Collects written bytes up to a limit. A writer that exceeds the limit waits until there is a target for the rest, so that an <see cref="HttpContent"/> that
/// can be written only once is not lost. A synchronous write cannot wait, so it fails when the limit is exceeded.
/// </summary>
internal sealed class PausingStream(LimitedBuffer beginning) : WriteOnlyStream
{
    private readonly TaskCompletionSource _paused = new();
    private readonly TaskCompletionSource<Stream> _target = new();
    private CancellationToken _token;
    private bool _isLeft;

    /// <summary>Gets a task that ends when a writer waits at the limit. From then on no bytes are collected.</summary>
    public Task Paused => _paused.Task;

    /// <summary>Gets what a synchronous writer wrote until it exceeded the limit.</summary>
    public FirstPass Full { get; } = new();

    /// <summary>Lets the writer continue.</summary>
    /// <param name="target">The target.</param>
    /// <param name="cancellationToken">Cancels the writes to the target.</param>
    public void Continue(Stream target, CancellationToken cancellationToken)
    {
        _token = cancellationToken;
        _target.TrySetResult(target);
    }

    /// <summary>Makes all further writes fail as cancelled.</summary>
    public void Abandon()
    {
        Volatile.Write(ref _isLeft, true);
        _target.TrySetCanceled(CancellationToken.None);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        TryKeep(buffer.Span) ? default : PassAsync(buffer);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (TryKeep(buffer))
            return;
        if (!_target.Task.IsCompletedSuccessfully)
        {
            Full.Record(beginning.Written, buffer);
            throw new LimitedBuffer.FullException();
        }
        Target(_target.Task.Result).Write(buffer);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private bool TryKeep(ReadOnlySpan<byte> buffer) => !_paused.Task.IsCompleted && beginning.TryWrite(buffer);

    private async ValueTask PassAsync(ReadOnlyMemory<byte> buffer)
    {
        _paused.TrySetResult();
        var target = await _target.Task.ConfigureAwait(false);
        await Target(target).WriteAsync(buffer, _token).ConfigureAwait(false);
    }

    private Stream Target(Stream target) => Volatile.Read(ref _isLeft) ? throw new OperationCanceledException() : target;
}
