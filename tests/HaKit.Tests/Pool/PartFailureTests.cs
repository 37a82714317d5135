using HaKit.Faults;
using HaKit.Heartbeats;
using HaKit.Testing;
using HaKit.Tests.Peers;
using Microsoft.Extensions.Logging;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>Tests that a part of the application that throws, or that comes often, does not keep the other parts of a pool from their work.</summary>
public sealed class PartFailureTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact(Timeout = 10_000)]
    public async Task A_probe_factory_that_throws_for_an_endpoint_leaves_it_the_default_probe_and_the_change_takes_effect()
    {
        using var logs = new LogRecorder { MinimumLevel = LogLevel.Warning };
        var asked = new List<string>();
        await using var pool = TestPool.Create(_time, 1, static o => (o.Heartbeat.Enabled, o.Heartbeat.Path) = (true, "/health"), p =>
        {
            p.LoggerFactory = logs.CreateFactory();
            p.Probe = static endpoint => endpoint.Name == "b" ? throw new InvalidOperationException("no probe for this endpoint") : null;
            p.ProbeHttp = new HttpMessageInvoker(new Hosts(asked));
        });
        var waiting = pool.ExecuteAsync(new RequestProfile { Endpoints = ["b"], Deadline = Seconds(60) }, 0, static (attempt, _, _) => new ValueTask<string>(attempt.Endpoint.Name), Ct).AsTask();
        pool.AddEndpoint(new EndpointOptions { Name = "b", Address = "http://127.0.0.2:9000/v1" });
        _time.Advance(Seconds(30));
        asked.Should().Contain("127.0.0.2", "the default probe asks the endpoint");
        logs.Entries.Should().Contain(e => e.Message.Contains("the callback Probe threw"));

        pool.RemoveEndpoint("b").Should().BeTrue();
        _time.Advance(Seconds(1));
        asked.Clear();
        _time.Advance(Seconds(60));
        asked.Should().NotContain("127.0.0.2", "a removed endpoint is not probed");
        await waiting.ContinueWith(static _ => { }, Ct, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    [Fact(Timeout = 10_000)]
    public async Task A_link_whose_disposal_throws_keeps_no_other_part_alive()
    {
        var link = new FakeLink { FailureOfDisposal = new InvalidOperationException("the application's link") };
        var pool = link.NewPool(_time, static o =>
        {
            o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9000/v1" });
            (o.Heartbeat.Enabled, o.Objective, o.Scale.Interval) = (true, new ObjectiveOptions { TargetPercent = 99 }, Seconds(60));
        });
        using var events = pool.Events.Subscribe();
        var owned = new Owned();
        pool.AddOwned(new Owned { Failure = new InvalidOperationException("the first owned object") });
        pool.AddOwned(owned);
        pool.Invoking(static p => p.Dispose()).Should().Throw<InvalidOperationException>().WithMessage("the application's link");
        await foreach (var _ in events)
        {
        }
        owned.IsDisposed.Should().BeTrue();
        _time.ArmedTimers.Should().Be(0);
        pool.Invoking(static p => p.Dispose()).Should().NotThrow("it has been disposed");
    }

    [Fact(Timeout = 10_000)]
    public async Task The_load_is_checked_at_its_interval_though_members_change_more_often()
    {
        await using var pool = TestPool.Create(_time, 1, static o =>
        {
            o.Scale.Interval = Seconds(60);
            o.Scale.TargetInFlight = 1;
        });
        using var events = pool.Events.Subscribe();
        var never = new TaskCompletionSource<int>();
        _ = pool.ExecuteAsync(never, static (_, never, _) => new ValueTask<int>(never.Task), Ct).AsTask();
        for (var i = 0; i < 4; i++)
        {
            pool.AddEndpoint(new EndpointOptions { Name = "later" });
            _time.Advance(Seconds(25));
            pool.RemoveEndpoint("later");
            _time.Advance(Seconds(25));
        }
        never.SetResult(1);
        await pool.DisposeAsync();
        var seen = new List<PoolEvent>();
        await foreach (var happened in events)
            seen.Add(happened);
        seen.OfType<ScaleChanged>().Should().NotBeEmpty();
    }

    [Fact(Timeout = 10_000)]
    public async Task Cooldowns_end_though_the_options_change_many_times_a_second()
    {
        await using var pool = TestPool.Create(_time, 1);
        using var events = pool.Events.Subscribe();
        var call = pool.ExecuteAsync(new RequestProfile { Deadline = Seconds(0.001) }, 0, static (attempt, _, _) =>
        {
            attempt.ReportFault(new Fault(FaultKind.Throttled) { RetryAfter = Seconds(5), StatusCode = 429 });
            return new ValueTask<int>(0);
        }, Ct).AsTask();
        await call.Awaiting(static t => t).Should().ThrowAsync<EndpointPoolException>();
        for (var i = 0; i < 40; i++)
        {
            pool.Update(pool.Options);
            _time.Advance(Seconds(0.2));
        }
        pool.GetStatus().Endpoints[0].Health.CooldownUntil.Should().BeNull();
    }

    [Fact(Timeout = 10_000)]
    public async Task The_status_shows_the_number_of_waiting_calls_that_is_in_force()
    {
        await using var pool = TestPool.Create(_time, 1, static o => o.MaxWaitingCalls = 7);
        var options = pool.Options.Copy();
        options.MaxWaitingCalls = 9;
        pool.Update(options);
        pool.GetStatus().MaxWaiting.Should().Be(7, "only a new pool uses another number");
    }

    private sealed class Owned : IDisposable
    {
        public Exception? Failure { get; init; }

        public bool IsDisposed { get; private set; }

        public void Dispose()
        {
            IsDisposed = true;
            if (Failure is not null)
                throw Failure;
        }
    }

    private sealed class Hosts(List<string> asked) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            asked.Add(request.RequestUri!.Host);
            return Task.FromResult(new HttpResponseMessage());
        }
    }
}
