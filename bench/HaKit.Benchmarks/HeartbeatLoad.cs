using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using HaKit.Heartbeats;

namespace HaKit.Benchmarks;

/// <summary>
/// Measures the cost of the heartbeats of a large pool: <c>dotnet run -c Release --project bench/HaKit.Benchmarks -- heartbeat-load [endpoints=10000]
/// [seconds=60] [interval=10] [probe=http|tcp|none] [hosts=one|each] [jitter=0]</c>. The server runs in a separate process, so that only the pool's work is
/// counted. With <c>hosts=each</c>, every endpoint has its own loopback address, and therefore its own connections.
/// </summary>
internal static class HeartbeatLoad
{
    public static async Task<int> RunAsync(string[] args)
    {
        var given = args.Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p[^1]);
        var count = int.Parse(given.GetValueOrDefault("endpoints", "10000"), CultureInfo.InvariantCulture);
        var seconds = double.Parse(given.GetValueOrDefault("seconds", "60"), CultureInfo.InvariantCulture);
        var interval = TimeSpan.FromSeconds(double.Parse(given.GetValueOrDefault("interval", "10"), CultureInfo.InvariantCulture));
        var kind = given.GetValueOrDefault("probe", "http");
        var eachItsHost = given.GetValueOrDefault("hosts") == "each";
        var port = FreePort();
        using var server = StartServer(port);
        try
        {
            await server.StandardOutput.ReadLineAsync();
            var options = new EndpointPoolOptions
            {
                Seed = 1,
                Heartbeat = { Enabled = false, Interval = interval, Jitter = double.Parse(given.GetValueOrDefault("jitter", "0"), CultureInfo.InvariantCulture) },
            };
            for (var i = 0; i < count; i++)
                options.Endpoints.Add(new EndpointOptions { Name = i.ToString(CultureInfo.InvariantCulture), Address = $"http://{(eachItsHost ? HostOf(i) : "127.0.0.1")}:{port}/v1" });
            var probe = new Watched(kind switch { "tcp" => new TcpProbe(), "none" => new DelegateProbe(static (_, _) => default(ValueTask<ProbeResult>)), _ => new HttpProbe("/health") }, count);
            var empty = Memory();
            await using var pool = new EndpointPool("load", options, new EndpointPoolParts { Probe = _ => probe });
            var silent = Memory();
            options.Heartbeat.Enabled = true;
            pool.Update(options);
            var idle = Memory();
            await Task.Delay(interval + TimeSpan.FromSeconds(2));
            var (cpu, allocated, asked, watch) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), probe.Asked, Stopwatch.StartNew());
            await Task.Delay(TimeSpan.FromSeconds(seconds));
            var wall = watch.Elapsed;
            cpu = Environment.CpuUsage.TotalTime - cpu;
            allocated = GC.GetTotalAllocatedBytes() - allocated;
            asked = probe.Asked - asked;
            var beating = Memory();
            var lateness = probe.Lateness(interval);
            Console.WriteLine($"{count} endpoints, {kind} every {interval.TotalSeconds} s, {(eachItsHost ? "a host each" : "one host")}, {wall.TotalSeconds:0} s measured");
            Console.WriteLine($"beats          {asked / wall.TotalSeconds:0.0}/s, {probe.Failed} failed of {probe.Asked}");
            Console.WriteLine($"CPU            {100 * (cpu / wall):0.00} % of one core, {cpu.TotalMicroseconds / asked:0.0} µs per beat");
            Console.WriteLine($"allocated      {allocated / asked} B per beat");
            Console.WriteLine($"memory         {(silent - empty) / count} B per endpoint without heartbeat, {(idle - silent) / count} B for its heartbeat, {(beating - idle) / count} B after its first beats");
            Console.WriteLine($"early or late  median {lateness[count / 2]:0.0} ms, p99 {lateness[count * 99 / 100]:0.0} ms, longest {lateness[^1]:0.0} ms (with jitter 0)");
            var ejected = pool.Explain(RequestProfile.Default).Count(e => e.Health.Ejections > 0);
            Console.WriteLine($"ejected        {ejected}");
            await pool.DisposeAsync();
            if (kind == "http")
                await FloorAsync(port, count / interval.TotalSeconds, seconds);
            return 0;
        }
        finally
        {
            server.Kill();
        }
    }

    public static async Task<int> ServeAsync(int port)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        listener.Listen(4096);
        Console.WriteLine("listening");
        while (true)
            _ = AnswerAsync(await listener.AcceptAsync());
    }

    // Sends the same requests without the library, evenly spaced by one timer, to measure the cost of the HTTP client alone.
    private static async Task FloorAsync(int port, double perSecond, double seconds)
    {
        using var http = new HttpMessageInvoker(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
        var address = new Uri($"http://127.0.0.1:{port}/health");
        var (cpu, watch, sent) = (Environment.CpuUsage.TotalTime, Stopwatch.StartNew(), 0L);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (watch.Elapsed.TotalSeconds < seconds && await timer.WaitForNextTickAsync())
        {
            for (; sent < watch.Elapsed.TotalSeconds * perSecond; sent++)
                _ = GetAsync();
        }

        cpu = Environment.CpuUsage.TotalTime - cpu;
        Console.WriteLine($"for comparison {100 * (cpu / watch.Elapsed):0.00} % of one core for the same requests by the HTTP client alone, {cpu.TotalMicroseconds / sent:0.0} µs each");

        async Task GetAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            using var response = await http.SendAsync(request, default);
            await response.Content.ReadAsByteArrayAsync();
        }
    }

    private static async Task AnswerAsync(Socket connection)
    {
        var answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}"u8.ToArray();
        var buffer = new byte[1024];
        using (connection)
        {
            try
            {
                // A probe's request fits into one packet.
                while (await connection.ReceiveAsync(buffer) > 0)
                    await connection.SendAsync(answer);
            }
            catch (SocketException)
            {
            }
        }
    }

    private static Process StartServer(int port) =>
        Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. Host(), "heartbeat-server", port.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;

    // If the process was started as "dotnet x.dll", the server's command line needs the assembly too.
    private static string[] Host() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(HeartbeatLoad).Assembly.Location] : [];

    private static string HostOf(int i) => $"127.{1 + i / 62_500}.{i / 250 % 250}.{1 + i % 250}";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static long Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private sealed class Watched(IProbe inner, int count) : IProbe
    {
        private readonly long[] _first = new long[count];
        private readonly long[] _last = new long[count];
        private readonly int[] _beats = new int[count];
        private long _asked;
        private long _failed;

        public long Asked => Volatile.Read(ref _asked);

        public long Failed => Volatile.Read(ref _failed);

        public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
        {
            var now = Stopwatch.GetTimestamp();
            var i = int.Parse(context.Endpoint.Name, CultureInfo.InvariantCulture);
            if (_beats[i]++ == 0)
                _first[i] = now;
            _last[i] = now;
            Interlocked.Increment(ref _asked);
            try
            {
                var result = await inner.ProbeAsync(context, cancellationToken);
                if (result.Fault is not null)
                    Interlocked.Increment(ref _failed);
                return result;
            }
            catch
            {
                Interlocked.Increment(ref _failed);
                throw;
            }
        }

        /// <summary>
        /// Gets the distance of each endpoint's latest heartbeat from the grid that begins with its first heartbeat, in milliseconds, sorted.
        /// </summary>
        public double[] Lateness(TimeSpan interval)
        {
            var late = Enumerable.Range(0, count)
                .Select(i => Math.Abs((Stopwatch.GetElapsedTime(_first[i], _last[i]) - (_beats[i] - 1) * interval).TotalMilliseconds)).ToArray();
            Array.Sort(late);
            return late;
        }
    }
}
