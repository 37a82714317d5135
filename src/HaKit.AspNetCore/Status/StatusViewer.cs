using System.Threading.Channels;

namespace HaKit.AspNetCore.Status;

/// <summary>One open dashboard: a bounded queue of messages to send, and whether the dashboard is being closed. Thread-safe.</summary>
#pragma warning disable CA1001 // A token source without a timer holds nothing that needs disposing.
internal sealed class StatusViewer(string client)
#pragma warning restore CA1001
{
    private readonly Channel<byte[]> _messages = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly CancellationTokenSource _closed = new();

    /// <summary>Gets the address of the viewer.</summary>
    public string Client => client;

    /// <summary>Gets the messages to send.</summary>
    public ChannelReader<byte[]> Messages => _messages.Reader;

    /// <summary>Gets a token that is cancelled when this viewer is closed. So a client that does not read its messages cannot keep its place.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Adds a message. Drops the oldest message when the queue is full.</summary>
    public void TrySend(byte[] message) => _messages.Writer.TryWrite(message);

    /// <summary>Ends the stream after the queued messages are sent.</summary>
    public void Complete() => _messages.Writer.TryComplete();

    /// <summary>Ends the stream at once.</summary>
    public void Close()
    {
        _messages.Writer.TryComplete();
        _closed.Cancel();
    }
}
