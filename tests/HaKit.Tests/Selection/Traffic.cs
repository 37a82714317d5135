using HaKit.Faults;
using HaKit.Selection;
using HaKit.Testing;

namespace HaKit.Tests.Selection;

/// <summary>Sends Poisson traffic through a real pool in virtual time, on one thread. The same seed gives the same run.</summary>
internal sealed class Traffic
{
    private readonly Func<EndpointAttempt, Traffic, Task> _serve;

    public Traffic(int endpoints, Func<EndpointAttempt, Traffic, Task> serve, Action<EndpointPoolOptions>? configure = null, int seed = 1)
    {
        _serve = serve;
        var options = new EndpointPoolOptions { Seed = seed };
        for (var i = 0; i < endpoints; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}" });
        configure?.Invoke(options);
        Random = new Random(seed);
        Pool = new EndpointPool("traffic", options, new EndpointPoolParts { TimeProvider = Time });
    }

    public ManualTimeProvider Time { get; } = new();

    public EndpointPool Pool { get; }

    public Random Random { get; }

    /// <summary>Gets the time and the endpoint of every attempt.</summary>
    public List<(TimeSpan At, string Endpoint)> Attempts { get; } = [];

    /// <summary>Gets every call that is over: when it began, how long it took, and whether it succeeded.</summary>
    public List<(TimeSpan At, TimeSpan Took, bool Succeeded)> Calls { get; } = [];

    public Task Delay(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), Time);

    public double Exponential(double mean) => -mean * Math.Log(1 - Random.NextDouble());

    /// <summary>Gets a log-normal random number: the median times e to the power of a normal random number.</summary>
    public double LogNormal(double median, double p99) =>
        median * Math.Exp(Math.Log(p99 / median) / 2.326 * Math.Sqrt(-2 * Math.Log(1 - Random.NextDouble())) * Math.Cos(2 * Math.PI * Random.NextDouble()));

    /// <summary>Simulates a server that divides its speed among all jobs in flight. The first part of a job is its first content.</summary>
    public sealed class SharingServer(Traffic traffic, double speed)
    {
        private readonly PriorityQueue<TaskCompletionSource, double> _milestones = new();
        private double _progress;
        private TimeSpan _at;
        private int _jobs;
        private ITimer? _timer;

        /// <summary>Does the work at its share of the server's speed, and reports the end of the first part.</summary>
        public async Task DoAsync(double work, double firstPart, Action first)
        {
            Advance();
            _jobs++;
            var begun = _progress;
            await ReachAsync(begun + firstPart);
            first();
            await ReachAsync(begun + work);
            Advance();
            _jobs--;
            Arm();
        }

        private Task ReachAsync(double progress)
        {
            var reached = new TaskCompletionSource();
            _milestones.Enqueue(reached, progress);
            Arm();
            return reached.Task;
        }

        // The progress is counted per job. So the end of a part does not move when other jobs begin or end.
        private void Advance()
        {
            if (_jobs > 0)
                _progress += (traffic.Time.Elapsed - _at).TotalSeconds * speed / _jobs;
            _at = traffic.Time.Elapsed;
        }

        private void Arm()
        {
            _timer ??= traffic.Time.CreateTimer(_ => Beat(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (_milestones.TryPeek(out _, out var next))
                _timer.Change(TimeSpan.FromTicks((long)Math.Max(0, (next - _progress) * _jobs / speed * TimeSpan.TicksPerSecond) + 1), Timeout.InfiniteTimeSpan);
        }

        private void Beat()
        {
            Advance();
            while (_milestones.TryPeek(out var reached, out var at) && at <= _progress + 1e-9)
            {
                _milestones.Dequeue();
                reached.SetResult();
            }
            Arm();
        }
    }

    public Traffic Run(double perSecond, double seconds)
    {
        var end = Time.Elapsed + TimeSpan.FromSeconds(seconds);
        for (var next = Gap(); Time.Elapsed + next < end; next = Gap())
        {
            Time.Advance(next);
            _ = CallAsync();
        }
        Time.Advance(end - Time.Elapsed);
        return this;

        TimeSpan Gap() => TimeSpan.FromSeconds(Exponential(1 / perSecond));
    }

    /// <summary>Runs until all attempts in flight have ended.</summary>
    public Traffic Finish(double seconds = 300)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        return this;
    }

    public double Share(string endpoint, TimeSpan from = default, TimeSpan? until = null)
    {
        var within = Attempts.Where(a => a.At >= from && (until is null || a.At < until)).ToArray();
        return within.Count(a => a.Endpoint == endpoint) / (double)within.Length;
    }

    public double Percentile(double share)
    {
        var sorted = Calls.Select(c => c.Took.TotalSeconds).Order().ToArray();
        return sorted[(int)Math.Min(sorted.Length - 1, share * sorted.Length)];
    }

    private async Task CallAsync()
    {
        var began = Time.Elapsed;
        var succeeded = true;
        try
        {
            await Pool.ExecuteAsync(this, static async (attempt, traffic, _) =>
            {
                traffic.Attempts.Add((traffic.Time.Elapsed, attempt.Endpoint.Name));
                await traffic._serve(attempt, traffic);
                return 0;
            });
        }
        catch (Exception exception) when (exception is EndpointPoolException or HttpRequestException)
        {
            succeeded = false;
        }
        Calls.Add((began, Time.Elapsed - began, succeeded));
    }
}
