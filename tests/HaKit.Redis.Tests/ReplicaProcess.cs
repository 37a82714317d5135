using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using StackExchange.Redis;

namespace HaKit.Redis.Tests;

/// <summary>Holds the counts of a replica in another process since the latest order to start counting from 0. Times are in microseconds.</summary>
public sealed record ReplicaSight(long Calls, long Lost, long Waited, double Median, double P99, double Longest, bool IsConnected, int Replicas, string[] Cooling);

/// <summary>
/// Runs a replica in another process: the process runs this test assembly with <see cref="ReplicaProcessTests"/> and gets its orders on the standard input.
/// </summary>
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

    /// <summary>Gives the replica an order, waits until it has been carried out, and returns the counts.</summary>
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

/// <summary>Runs in the process that <see cref="ReplicaProcess"/> starts.</summary>
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

/// <summary>Makes calls on one thread, one after another, to endpoints that answer at once. So the measured time is the pool's own time.</summary>
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
            // The endpoints answer within the call. So the call has ended, unless the pool made it wait.
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
