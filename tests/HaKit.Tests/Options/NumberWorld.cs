using System.Text.Json;
using HaKit.DependencyInjection;
using HaKit.Limits;
using HaKit.Pool;
using HaKit.Recording;
using HaKit.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.Tests.Options;

/// <summary>
/// A pool in virtual time whose endpoints throttle, fail, hang, answer slowly and come back, while calls with and without streams run. Meanwhile the options
/// are reloaded, and the status, the reports, the health check and the recording are read.
/// </summary>
internal sealed class NumberWorld(string folder, Func<RequestProfile, RequestProfile>? changeProfile = null)
{
    // The exceptions with which a call of the pool may end. Any other exception is a mistake of the pool.
    private static readonly string[] s_own = ["Returned", nameof(NoEndpointAvailableException), nameof(DeadlineExceededException), nameof(PartialResponseException)];

    private static readonly TimeSpan s_length = TimeSpan.FromSeconds(90);

    /// <summary>Gets whether several times are extreme at once. A call may then wait for a silent endpoint for longer than the run.</summary>
    public bool AreTimesExtreme { get; init; }

    /// <summary>Creates options in which every group and every number of a group has a value.</summary>
    public static EndpointPoolOptions NewOptions()
    {
        var options = new EndpointPoolOptions { Seed = 1 };
        foreach (var name in new[] { "a", "b", "c", "d" })
            options.Endpoints.Add(new EndpointOptions { Name = name, Address = $"http://{name}.test/v1", Account = "team" });
        Fill(options);
        return options;
    }

    private static RequestProfile ProfileOf(long number) => RequestProfile.Default with
    {
        InputTokens = 1000,
        MaxOutputTokens = 500,
        Priority = (int)(number % 3),
        AffinityKey = number % 4 == 0 ? $"user {number % 5}" : null,
        MayHedge = number % 2 == 0 ? true : null,
    };

    private static void Fill(EndpointPoolOptions options)
    {
        var first = options.Endpoints[0];
        first.Limits = new LimitOptions { MaxConcurrency = 50, RequestsPerMinute = 5000, TokensPerMinute = 50_000_000, AdaptiveConcurrency = true };
        (first.AttemptTimeout, first.ContextWindow, first.InputTokenPrice, first.OutputTokenPrice) = (new() { Timeout = TimeSpan.FromSeconds(40) }, 200_000, 2.5, 10);
        options.Endpoints[2].Tier = 1;
        options.AccountLimits["team"] = new LimitOptions { MaxConcurrency = 500, RequestsPerMinute = 50_000, TokensPerMinute = 500_000_000 };
        options.AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(45) };
        (options.Objective, options.MaxWait) = (new(), TimeSpan.FromSeconds(60));
        (options.Retry.MaxRetryAttempts, options.Retry.MaxAttemptsPerEndpoint) = (8, 4);
        (options.Scale.TargetInFlight, options.Scale.Interval) = (10, TimeSpan.FromSeconds(10));
        (options.Heartbeat.Enabled, options.Heartbeat.Detector, options.Hedging.Enabled) = (true, HaKit.Heartbeats.FailureDetection.PhiAccrual, true);
        (options.Selection.Zone, options.Selection.SecondsPerPrice) = ("here", 1);
        (options.Endpoints[0].Zone, options.Endpoints[1].Zone) = ("here", "there");
    }

    /// <summary>Runs the pool with the first options, and after half of the time with the second. Returns what went wrong.</summary>
    public IReadOnlyList<string> Run(EndpointPoolOptions before, EndpointPoolOptions after)
    {
        var wrong = new List<string>();
        var logs = new LogRecorder();
        BoundedTime? time = null;
        var model = ServiceModel.LogNormal(TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(2));
        var simulation = new Simulation();
        foreach (var endpoint in before.Endpoints)
            simulation.Endpoint(endpoint.Name, model);
        foreach (var at in new[] { 5, 44, 89 })
            simulation.At(TimeSpan.FromSeconds(at), test => Read(test, wrong));
        try
        {
            var result = simulation
                .Options(o => CopyInto(before, o))
                .Parts(p =>
                {
                    p.TimeProvider = time = new BoundedTime(p.TimeProvider);
                    p.LoggerFactory = logs.CreateFactory();
                    p.Recorder = scope => new FlightRecorder(new FlightRecorderOptions { Folder = folder }, scope);
                })
                .Streams(0.4)
                .Profile(number => changeProfile is null ? ProfileOf(number) : changeProfile(ProfileOf(number)))
                .Fault("a", FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(3)), TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(9))
                .Fault("a", FakeFaults.OpenAI.RateLimited(), TimeSpan.FromSeconds(14), TimeSpan.FromSeconds(16))
                .Fault("b", FakeFault.Refused, TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(20))
                .Fault("c", FakeFaults.OpenAI.ServerError(), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(24))
                .Fault("a", FakeFault.Hang, TimeSpan.FromSeconds(28), TimeSpan.FromSeconds(33))
                .Fault("d", before.Streaming.IdleTimeout < TimeSpan.FromHours(1) ? FakeFault.SilentAfter(2) : FakeFault.CutAfter(2), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(34))
                .Fault("b", FakeFaults.OpenAI.QuotaExhausted(), TimeSpan.FromSeconds(36), TimeSpan.FromSeconds(40))
                .FaultOfAll(FakeFaults.OpenAI.Overloaded(), TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(43))
                .FaultOfAll(FakeFault.Refused, TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(54))
                .Fault("c", FakeFault.CutAfter(2), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(66), probability: 0.5)
                .Slow("d", 6, TimeSpan.FromSeconds(62), TimeSpan.FromSeconds(75))
                .Pause(TimeSpan.FromSeconds(70), TimeSpan.FromSeconds(4))
                .At(TimeSpan.FromSeconds(45), test => test.Pool.Update(after))
                .Run(Workload.Poisson(perSecond: 2), s_length);
            wrong.AddRange(result.Failures.Keys.Except(s_own).Select(static name => $"calls ended with {name}"));
            if (result.Unfinished > 0 && !AreTimesExtreme)
                wrong.Add($"{result.Unfinished} calls never ended");
            wrong.AddRange(logs.Entries.Where(static l => l.Category == "HaKit.Recording" || l.Exception is not null).Select(static l => l.Message));
            FlightRecording.Read(folder).Events.Should().NotBeEmpty();
        }
#pragma warning disable CA1031 // Every exception is a result of this test.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            wrong.Add(Shown(exception));
        }
        time?.Stop();
        foreach (var file in Directory.GetFiles(folder))
            File.Delete(file);
        return wrong;
    }

    private static void Read(TestPool test, List<string> wrong)
    {
        var pool = test.Pool;
        try
        {
            // JSON has no infinite number, so an application that writes one of these objects as it is would fail.
            JsonSerializer.Serialize(pool.GetStatus());
            JsonSerializer.Serialize(pool.MeasureLoad());
            JsonSerializer.Serialize(pool.GetRedundancy());
            JsonSerializer.Serialize(pool.Explain(RequestProfile.Default));
            _ = pool.Explain();
            JsonSerializer.Serialize(pool.GetAvailabilityReport());
            JsonSerializer.Serialize(pool.GetFleetStatus());
            _ = pool.GetAvailabilityReport().ToString();
            _ = new EndpointPoolCheck(pool, 2).CheckHealthAsync(new HealthCheckContext { Registration = new("pool", new EndpointPoolCheck(pool, 2), null, null) });
        }
#pragma warning disable CA1031 // Every exception is a result of this test.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            wrong.Add($"reading at {test.Time.Elapsed}: {Shown(exception)}");
        }
    }

    private static string Shown(Exception exception) =>
        $"{exception.GetType().Name} {exception.Message} {string.Join("; ", (exception.StackTrace ?? "").Split('\n').Where(static l => l.Contains("HaKit", StringComparison.Ordinal)).Take(4).Select(static l => l.Trim()))}";

    // The simulation creates the options, so each property gets the value of a copy.
    private static void CopyInto(EndpointPoolOptions from, EndpointPoolOptions to)
    {
        var copy = from.Copy();
        foreach (var property in typeof(EndpointPoolOptions).GetProperties().Where(static p => p.CanWrite))
            property.SetValue(to, property.GetValue(copy));
    }

    /// <summary>A clock whose timers may fire only so often, so that a timer that arms itself without a pause is an exception and not a hang.</summary>
    private sealed class BoundedTime(TimeProvider inner) : TimeProvider
    {
        private const int MostFirings = 300_000;
        private int _firings;
        private long? _stoppedAt;

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

        public override long GetTimestamp() => _stoppedAt ?? inner.GetTimestamp();

        /// <summary>Stops the clock at the end of the run. A stream that never ended is collected later, on a thread that must not use the inner clock.</summary>
        public void Stop() => _stoppedAt = inner.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(
            s =>
            {
                if (++_firings > MostFirings)
                    throw new TimeoutException($"The timers have fired {MostFirings} times.");
                callback(s);
            },
            state, dueTime, period);
    }
}
