using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace HaKit.Tests.Http;

/// <summary>A frame of RFC 9113.</summary>
internal sealed record Http2Frame(byte Type, byte Flags, int Stream, byte[] Payload)
{
    public const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, PushPromise = 5, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9;
    public const byte EndStream = 1, Ack = 1, EndHeaders = 4;

    public byte[] Bytes
    {
        get
        {
            var bytes = new byte[9 + Payload.Length];
            bytes[0] = (byte)(Payload.Length >> 16);
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(1), (ushort)Payload.Length);
            (bytes[3], bytes[4]) = (Type, Flags);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(5), Stream);
            Payload.CopyTo(bytes, 9);
            return bytes;
        }
    }
}

/// <summary>One connection with a client that speaks HTTP/2 without TLS.</summary>
internal sealed class Http2Peer(NetworkStream stream, CancellationToken token)
{
    // ":status: 200" of the static table, and "content-type: application/json" as a literal without indexing.
    private static readonly byte[] s_head = [0x88, 0x0f, 0x10, 16, .. "application/json"u8];

    public CancellationToken Token => token;

    public Task SendAsync(params byte[] bytes) => stream.WriteAsync(bytes, token).AsTask();

    public Task SendAsync(byte type, byte flags, int on, params byte[] payload) => SendAsync(new Http2Frame(type, flags, on, payload).Bytes);

    public Task HeadAsync(int on) => SendAsync(Http2Frame.Headers, Http2Frame.EndHeaders, on, s_head);

    public async Task AnswerAsync(int on, string body)
    {
        await HeadAsync(on);
        await SendAsync(Http2Frame.Data, Http2Frame.EndStream, on, System.Text.Encoding.UTF8.GetBytes(body));
    }

    /// <summary>Waits for the next complete request, and returns the number of its stream. Settings and pings are answered.</summary>
    public async Task<int> RequestAsync()
    {
        while (true)
        {
            var frame = await ReadAsync();
            if (frame is { Type: Http2Frame.Headers or Http2Frame.Data } && (frame.Flags & Http2Frame.EndStream) != 0)
                return frame.Stream;
            if (frame is { Type: Http2Frame.Settings or Http2Frame.Ping } && (frame.Flags & Http2Frame.Ack) == 0)
                await SendAsync(frame.Type, Http2Frame.Ack, 0, frame.Type == Http2Frame.Ping ? frame.Payload : []);
        }
    }

    /// <summary>Sends the same bytes again and again and reads nothing, until the client closes the connection or the server ends.</summary>
    public async Task FloodAsync(byte[] frame)
    {
        var many = new byte[frame.Length * Math.Max(1, 16_000 / frame.Length)];
        for (var at = 0; at < many.Length; at += frame.Length)
            frame.CopyTo(many, at);
        while (true)
            await SendAsync(many);
    }

    private async Task<Http2Frame> ReadAsync()
    {
        var head = new byte[9];
        await stream.ReadExactlyAsync(head, token);
        var payload = new byte[head[0] << 16 | head[1] << 8 | head[2]];
        await stream.ReadExactlyAsync(payload, token);
        return new(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) & int.MaxValue, payload);
    }
}

/// <summary>A server of HTTP/2 on a real socket that sends exactly the frames that a test says.</summary>
#pragma warning disable CA1001 // A token source without a timer holds nothing that needs disposing.
internal sealed class RawHttp2Server : IDisposable
#pragma warning restore CA1001
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<Http2Peer, Task> _serve;

    public RawHttp2Server(Func<Http2Peer, Task> serve)
    {
        _serve = serve;
        _listener.Start(backlog: 256);
        _ = AcceptAsync();
    }

    public RawHttp2Server(string answer)
        : this(async peer =>
        {
            while (true)
                await peer.AnswerAsync(await peer.RequestAsync(), answer);
        })
    {
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1");

    /// <summary>Gets the names of the exceptions that ended connections, one for each connection.</summary>
    public ConcurrentQueue<string> Ended { get; } = new();

    private int _connections;

    public int Connections => Volatile.Read(ref _connections);

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        Interlocked.Increment(ref _connections);
        using (client)
        {
            try
            {
                client.NoDelay = true;
                var stream = client.GetStream();
                await stream.ReadExactlyAsync(new byte[24], _end.Token); // "PRI * HTTP/2.0 …"
                var peer = new Http2Peer(stream, _end.Token);
                await peer.SendAsync(Http2Frame.Settings, 0, 0);
                await _serve(peer);
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                Ended.Enqueue(exception.GetType().Name);
            }
        }
    }
}
