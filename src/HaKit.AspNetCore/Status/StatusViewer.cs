using System.Threading.Channels;

namespace HaKit.AspNetCore.Status;

/// <summary>One open dashboard: what it has not been sent yet, bounded, and whether it is to be closed. Thread-safe.</summary>
#pragma warning disable CA1001 // A token source without a timer holds nothing that needs disposing.
internal sealed class StatusViewer(string client)
#pragma warning restore CA1001
{
    private readonly Channel<byte[]> _messages = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly CancellationTokenSource _closed = new();

    /// <summary>Where it connects from.</summary>
    public string Client => client;

    /// <summary>What is to be sent.</summary>
    public ChannelReader<byte[]> Messages => _messages.Reader;

    /// <summary>Cancelled when it is closed: a client that does not read must not keep the place.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Adds a message; the oldest is dropped when too many wait.</summary>
    public void TrySend(byte[] message) => _messages.Writer.TryWrite(message);

    /// <summary>Ends its stream after what is still to be sent.</summary>
    public void Complete() => _messages.Writer.TryComplete();

    /// <summary>Ends its stream now.</summary>
    public void Close()
    {
        _messages.Writer.TryComplete();
        _closed.Cancel();
    }
}
