using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using StackExchange.Redis;

namespace HaKit.Redis.Tests;

/// <summary>What a replica in a process of its own has counted since it was last told to begin anew; times are microseconds.</summary>
public sealed record ReplicaSight(long Calls, long Lost, long Waited, double Median, double P99, double Longest, bool IsConnected, int Replicas, string[] Cooling);

/// <summary>A replica in a process of its own: this test assembly again, running <see cref="ReplicaProcessTests"/>, told by its standard input what to do.</summary>
public sealed class ReplicaProcess : IDisposable
{
    private readonly Process _process;

    private ReplicaProcess(Process process) => _process = process;

    public static ReplicaProcess Start(string endpoint, string pool, bool isOwn)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in new[] { typeof(ReplicaProcess).Assembly.Location, "-explicit", "only", "-method", $"*.{nameof(ReplicaProcessTests.Serves_calls_until_its_input_ends)}", "-noColor" })
            start.ArgumentList.Add(argument);
        start.Environment[ReplicaProcessTests.Variable] = $"{endpoint} {pool} {isOwn}";
        return new ReplicaProcess(Process.Start(start)!);
    }

    /// <summary>Has it do something, and waits until it has; then looks.</summary>
    public async Task<ReplicaSight> AskAsync(string what)
    {
        await _process.StandardInput.WriteLineAsync(what);
        await _process.StandardInput.FlushAsync();
        var log = "";
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(ReplicaProcessTests.Mark, StringComparison.Ordinal))
                return JsonSerializer.Deserialize<ReplicaSight>(line[ReplicaProcessTests.Mark.Length..])!;
            log += line + "\n";
        }
        throw new InvalidOperationException("The replica ended: " + log);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}

/// <summary>The other end of <see cref="ReplicaProcess"/>.</summary>
public sealed class ReplicaProcessTests
{
    internal const string Variable = "HAKIT_REPLICA";
    internal const string Mark = "SIGHT ";

    [Fact(Explicit = true, Timeout = 600_000)]
    public async Task Serves_calls_until_its_input_ends()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split(' ') is not [var endpoint, var name, var isOwn])
        {
            Assert.Skip($"{Variable} is not set: it is started by other tests.");
            return;
        }
        using var connection = isOwn == "True" ? null : await ConnectionMultiplexer.ConnectAsync(endpoint + ",abortConnect=false");
        using var pool = RealStoreTests.MakePool(name, connection is null ? RedisPeerLinks.Over(endpoint) : RedisPeerLinks.Over(connection));
        var load = new ReplicaLoad(pool);
        while (await Task.Run(Console.In.ReadLine) is { } line)
        {
            var words = line.Split(' ');
            if (words[0] == "reset")
                load.Reset();
            else if (words[0] == "throttle")
                await RealStoreTests.Throttle(pool, words[1], double.Parse(words[2], CultureInfo.InvariantCulture));
            Console.Out.WriteLine(Mark + JsonSerializer.Serialize(load.Look()));
            Console.Out.Flush();
        }
        load.Stop();
    }
}

/// <summary>Calls of one thread, one after the other, of endpoints that answer at once: what takes time or waits is the pool.</summary>
internal sealed class ReplicaLoad
{
    private static readonly string[] Endpoints = ["e0", "e1", "e2", "e3"];
    private readonly EndpointPool _pool;
    private readonly Lock _gate = new();
    private readonly List<double> _took = [];
    private readonly Thread _thread;
    private long _lost;
    private long _waited;
    private volatile bool _isStopped;

    public ReplicaLoad(EndpointPool pool)
    {
        _pool = pool;
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    public void Reset()
    {
        lock (_gate)
        {
            _took.Clear();
            (_lost, _waited) = (0, 0);
        }
    }

    public ReplicaSight Look()
    {
        var fleet = _pool.GetFleetStatus();
        string[] cooling = [.. Endpoints.Where(e => RealStoreTests.IsCooling(_pool, e))];
        lock (_gate)
        {
            double[] sorted = [.. _took.Order()];
            double At(double share) => sorted.Length == 0 ? 0 : sorted[(int)(share * (sorted.Length - 1))];
            return new ReplicaSight(sorted.Length, _lost, _waited, At(0.5), At(0.99), At(1), fleet.Link!.IsConnected, fleet.Replicas.Count, cooling);
        }
    }

    public void Stop()
    {
        _isStopped = true;
        _thread.Join();
    }

    private void Run()
    {
        while (!_isStopped)
        {
            var began = Stopwatch.GetTimestamp();
            var call = RealStoreTests.Call(_pool);
            // Its endpoints answer within the call, so that it has ended unless something made it wait.
            var hasWaited = !call.IsCompleted;
            var isLost = false;
            try
            {
                call.GetAwaiter().GetResult();
            }
            catch (EndpointPoolException)
            {
                isLost = true;
            }
            var took = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            lock (_gate)
            {
                _took.Add(took);
                _lost += isLost ? 1 : 0;
                _waited += hasWaited ? 1 : 0;
            }
            Thread.Sleep(5);
        }
    }
}
