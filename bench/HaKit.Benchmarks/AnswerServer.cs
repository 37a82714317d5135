using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HaKit.Benchmarks;

/// <summary>
/// Answers every request with the same chat completion. Runs in a separate process, so that its cost is not counted: <c>-- answer-server</c>.
/// </summary>
internal sealed class AnswerServer : IDisposable
{
    private static readonly byte[] s_answer = Encoding.ASCII.GetBytes(
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {HttpBenchmarks.Answer.Length}\r\n\r\n{Encoding.ASCII.GetString(HttpBenchmarks.Answer)}");

    private readonly Process _process;

    private AnswerServer(Process process, int port)
    {
        _process = process;
        Address = new Uri($"http://127.0.0.1:{port}/v1/");
    }

    public Uri Address { get; }

    public static async Task<AnswerServer> StartAsync()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(AnswerServer).Assembly.Location);
        start.ArgumentList.Add("answer-server");
        var process = Process.Start(start)!;
        var port = await process.StandardOutput.ReadLineAsync().ConfigureAwait(false);
        return new AnswerServer(process, int.Parse(port!, CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }

    public static async Task<int> ServeAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Console.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port);
        while (true)
            _ = AnswerAsync(await listener.AcceptAsync());
    }

    private static async Task AnswerAsync(Socket socket)
    {
        using var connection = socket;
        connection.NoDelay = true;
        var buffer = new byte[16 * 1024];
        var count = 0;
        try
        {
            while (true)
            {
                var read = await connection.ReceiveAsync(buffer.AsMemory(count));
                if (read == 0)
                    return;
                count += read;
                if (LengthOf(buffer.AsSpan(0, count)) is not { } length || count < length)
                    continue;
                count = 0;
                await connection.SendAsync(s_answer);
            }
        }
        catch (SocketException)
        {
            // The client is gone.
        }
    }

    // Gets the length of head and body. Null until the head has arrived.
    private static int? LengthOf(ReadOnlySpan<byte> request)
    {
        var head = request.IndexOf("\r\n\r\n"u8);
        if (head < 0)
            return null;
        var at = request.IndexOf("Content-Length: "u8) + "Content-Length: ".Length;
        var digits = request[at..];
        return head + 4 + int.Parse(digits[..digits.IndexOf("\r\n"u8)], CultureInfo.InvariantCulture);
    }
}
