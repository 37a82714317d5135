using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HaKit.Tests.Http;

/// <summary>Holds a request as it arrived on the socket.</summary>
internal sealed record RawRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>Describes an answer byte by byte.</summary>
internal sealed record RawAnswer(int Status, string? ContentType, params byte[][] Pieces)
{
    public RawAnswer(int status, string? contentType, string body)
        : this(status, contentType, Encoding.UTF8.GetBytes(body))
    {
    }

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>
    /// Gets the length to announce. If fewer bytes are sent, the rest never comes. Null: the true length, or chunks if there are several pieces.
    /// </summary>
    public long? Announced { get; init; }

    /// <summary>Gets whether chunks are sent, and the connection is closed before the last chunk.</summary>
    public bool IsCut { get; init; }

    /// <summary>Gets whether no length is sent, so that the end of the connection is the end of the body.</summary>
    public bool EndsWithConnection { get; init; }

    /// <summary>Gets the condition for which each piece after the first waits.</summary>
    public Func<int, CancellationToken, Task>? Before { get; init; }
}

/// <summary>Runs a server on a real socket that sends exactly the bytes of a test, well-formed or not.</summary>
#pragma warning disable CA1001 // A token source without a timer holds nothing that needs disposing.
internal sealed class RawServer : IDisposable
#pragma warning restore CA1001
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<RawRequest, RawAnswer> _answer;

    public RawServer(Func<RawRequest, RawAnswer> answer)
    {
        _answer = answer;
        _listener.Start(backlog: 2048);
        _ = AcceptAsync();
    }

    public RawServer(RawAnswer answer)
        : this(_ => answer)
    {
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1");

    public ConcurrentQueue<RawRequest> Seen { get; } = new();

    public void Dispose()
    {
        if (_end.IsCancellationRequested)
            return;
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
        var token = _end.Token;
        using (client)
        {
            try
            {
                client.NoDelay = true;
                var stream = client.GetStream();
                while (await ReadAsync(stream, token) is { } request)
                {
                    Seen.Enqueue(request);
                    if (!await SendAsync(stream, _answer(request), token))
                        return;
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
            }
        }
    }

    private static async Task<bool> SendAsync(NetworkStream stream, RawAnswer answer, CancellationToken token)
    {
        var isChunked = answer.IsCut || answer is { Announced: null, EndsWithConnection: false, Pieces.Length: > 1 };
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {answer.Status} X\r\n");
        if (answer.ContentType is { } type)
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: {type}\r\n");
        foreach (var (name, value) in answer.Headers)
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        if (isChunked)
            head.Append("Transfer-Encoding: chunked\r\n");
        else if (!answer.EndsWithConnection)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {answer.Announced ?? answer.Pieces.Sum(p => (long)p.Length)}\r\n");
        head.Append("\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head.ToString()), token);
        for (var i = 0; i < answer.Pieces.Length; i++)
        {
            var piece = answer.Pieces[i];
            if (i > 0 && answer.Before is { } before)
                await before(i, token);
            if (isChunked && piece.Length > 0)
                piece = [.. Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"), .. piece, .. "\r\n"u8];
            await stream.WriteAsync(piece, token);
        }
        if (answer.IsCut || answer.EndsWithConnection)
            return false;
        if (isChunked)
            await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), token);
        if (answer.Announced > answer.Pieces.Sum(p => (long)p.Length))
            await stream.ReadExactlyAsync(new byte[1], token); // until the client leaves
        return true;
    }

    private static async Task<RawRequest?> ReadAsync(NetworkStream stream, CancellationToken token)
    {
        var head = new List<byte>(512);
        var one = new byte[1];
        while (head.Count < 4 || !head[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, token) == 0)
                return null;
            head.Add(one[0]);
        }
        var lines = Encoding.Latin1.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(h => h[0], h => h.Length > 1 ? h[1] : "", StringComparer.OrdinalIgnoreCase);
        var first = lines[0].Split(' ');
        return new RawRequest(first[0], first[1], headers, await BodyAsync(stream, headers, token));
    }

    private static async Task<string> BodyAsync(NetworkStream stream, Dictionary<string, string> headers, CancellationToken token)
    {
        if (headers.TryGetValue("Content-Length", out var length))
        {
            var body = new byte[int.Parse(length, CultureInfo.InvariantCulture)];
            await stream.ReadExactlyAsync(body, token);
            return Encoding.UTF8.GetString(body);
        }
        if (!headers.ContainsKey("Transfer-Encoding"))
            return "";
        using var reader = new MemoryStream();
        while (true)
        {
            var line = new List<byte>();
            var one = new byte[1];
            while (line.Count < 2 || line[^1] != '\n')
            {
                await stream.ReadExactlyAsync(one, token);
                line.Add(one[0]);
            }
            var size = int.Parse(Encoding.ASCII.GetString([.. line]).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var chunk = new byte[size + 2];
            await stream.ReadExactlyAsync(chunk, token);
            if (size == 0)
                return Encoding.UTF8.GetString(reader.ToArray());
            reader.Write(chunk, 0, size);
        }
    }
}
