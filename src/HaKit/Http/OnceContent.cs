using System.Net;

namespace HaKit.Http;

/// <summary>
/// A content that can be written only once and is too long to be kept: its beginning, followed by the rest from its own writer, which waits at the limit
/// until an attempt takes it. After the beginning was written, the content is used up, even if the rest is not written.
/// </summary>
internal sealed class OnceContent : HttpContent
{
    private readonly ReadOnlyMemory<byte> _beginning;
    private readonly PausingStream _rest;
    private readonly Task _copy;
    private int _sent;

    /// <param name="source">The content that writes.</param>
    /// <param name="beginning">The bytes that it has written.</param>
    /// <param name="rest">The place where its writer waits.</param>
    /// <param name="copy">Ends when it has written everything.</param>
    public OnceContent(HttpContent source, ReadOnlyMemory<byte> beginning, PausingStream rest, Task copy)
    {
        (_beginning, _rest, _copy) = (beginning, rest, copy);
        foreach (var (name, values) in source.Headers.NonValidated)
            Headers.AddAsIs(name, values);
    }

    public bool IsSpent => Volatile.Read(ref _sent) != 0;

    /// <summary>Releases the writer, because no reader will take the rest any more, unless one already has.</summary>
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
/// Collects written bytes up to a limit. A writer that exceeds it waits until there is a target for the rest, so that a content which can be written only
/// once is not lost. A synchronous write cannot wait: beyond the limit it fails.
/// </summary>
internal sealed class PausingStream(LimitedBuffer beginning) : WriteOnlyStream
{
    private readonly TaskCompletionSource _paused = new();
    private readonly TaskCompletionSource<Stream> _target = new();
    private CancellationToken _token;
    private bool _isLeft;

    /// <summary>Ends when a writer waits; from then on nothing is collected.</summary>
    public Task Paused => _paused.Task;

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
            throw new LimitedBuffer.FullException();
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
