using System.Net;
using System.Text.Json;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing;

namespace HaKit.Tests.Heartbeats;

public sealed class RecoveryTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static HeartbeatBench Bench(Func<EjectionEvidence, CancellationToken, ValueTask> action, int endpoints = 1, Action<EndpointPoolParts>? parts = null) =>
        new(endpoints, o => o.Heartbeat.Jitter = 0, p => { p.OnEjected.Add(action); parts?.Invoke(p); });

    [Fact]
    public async Task An_ejection_runs_the_action_with_its_evidence_and_at_most_once_per_period()
    {
        var runs = new List<(TimeSpan At, EjectionEvidence Evidence)>();
        HeartbeatBench? made = null;
        await using var bench = made = Bench((evidence, _) => { runs.Add((made!.Time.Elapsed, evidence)); return default; }, endpoints: 2);
        bench.Answers["a"] = HeartbeatBench.Down;
        bench.Advance(31);
        runs.Should().ContainSingle();
        runs[0].Evidence.Should().BeEquivalentTo(new { Pool = "test", Fault = new { Kind = FaultKind.ServerError }, Health = new { Status = EndpointHealthStatus.Ejected, Ejections = 1 } });
        runs[0].Evidence.Endpoint.Name.Should().Be("a");
        // The endpoint flaps every minute: it is back for long enough to be ejected again.
        for (var minute = 0; minute < 30; minute++)
        {
            bench.Answers.Clear();
            bench.Advance(30);
            bench.Answers["a"] = HeartbeatBench.Down;
            bench.Advance(30);
        }
        bench.Health("a").Ejections.Should().BeGreaterThan(10, "or the period limits nothing");
        runs.Count.Should().BeInRange(4, 7);
        runs.Zip(runs.Skip(1), (x, y) => y.At - x.At).Should().OnlyContain(gap => gap >= TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task The_period_is_each_endpoints_own()
    {
        var recovered = new List<string>();
        await using var bench = Bench((evidence, _) => { recovered.Add(evidence.Endpoint.Name); return default; }, endpoints: 3);
        bench.Answers["a"] = bench.Answers["b"] = HeartbeatBench.Down;
        bench.Advance(31);
        recovered.Should().BeEquivalentTo("a", "b");
    }

    [Fact]
    public async Task An_action_that_hangs_is_cancelled_logged_and_holds_up_nobody()
    {
        var cancelled = false;
        using var log = new LogRecorder();
        await using var bench = Bench(
            async (_, cancellationToken) =>
            {
                cancellationToken.UnsafeRegister(_ => cancelled = true, null);
                await new TaskCompletionSource().Task;
            },
            endpoints: 2,
            parts => parts.LoggerFactory = log.CreateFactory());
        var events = new List<PoolEvent>();
        _ = ReadAsync(bench.Pool.Events.Subscribe(), events);
        bench.Answers["a"] = HeartbeatBench.Down;
        while (bench.Status("a") != EndpointHealthStatus.Ejected)
            bench.Time.AdvanceToNextTimer();
        bench.Advance(1);
        (await bench.CallAsync(static attempt => ValueTask.FromResult(attempt.Endpoint.Name))).Should().Be("b");
        cancelled.Should().BeFalse();
        bench.Advance(60);
        cancelled.Should().BeTrue();
        events.OfType<RecoveryEnded>().Should().ContainSingle().Which.Failure.Should().BeOfType<TimeoutException>();
        log.Entries.Should().ContainSingle(e => e.Category == "HaKit.Recovery" && e.Message.Contains("endpoint a")).Which.Exception.Should().BeOfType<TimeoutException>();
    }

    [Fact]
    public async Task An_action_that_throws_harms_nothing_and_is_told()
    {
        await using var bench = Bench((_, _) => throw new InvalidOperationException("no such container"), endpoints: 2);
        var events = new List<PoolEvent>();
        _ = ReadAsync(bench.Pool.Events.Subscribe(), events);
        bench.Answers["a"] = HeartbeatBench.Down;
        bench.Advance(31);
        events.OfType<RecoveryEnded>().Should().ContainSingle().Which.Should().BeEquivalentTo(new { Endpoint = "a", Failure = new { Message = "no such container" } });
        bench.Answers.Clear();
        bench.Advance(60);
        bench.Status("a").Should().NotBe(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public async Task The_action_never_runs_on_the_thread_of_the_call_that_ejected()
    {
        var ran = false;
        await using var bench = new HeartbeatBench(1, o => { o.Heartbeat.Enabled = false; o.Retry.MaxAttemptsPerEndpoint = 2; }, p => p.OnEjected.Add((_, _) => { ran = true; return default; }));
        var profile = new RequestProfile { Deadline = TimeSpan.FromSeconds(1) };
        for (var i = 0; i < 2; i++)
        {
            var call = bench.Pool.ExecuteAsync<int, string>(profile, 0, static (_, _, _) => throw new HttpRequestException(HttpRequestError.ConnectionError), Ct).AsTask();
            if (bench.Status("a") == EndpointHealthStatus.Ejected)
                ran.Should().BeFalse("no timer has fired yet");
            bench.Advance(1);
            await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>();
        }
        ran.Should().BeTrue();
    }

    [Fact]
    public async Task A_process_gets_the_endpoint_in_its_environment_and_its_exit_code_counts()
    {
        Assert.SkipUnless(File.Exists("/bin/sh"), "needs a shell");
        var file = Path.GetTempFileName();
        try
        {
            await new ProcessRecovery("/bin/sh", "-c", $"printf '%s %s %s' \"$HAKIT_POOL\" \"$HAKIT_ENDPOINT\" \"$HAKIT_FAULT\" > '{file}'").RunAsync(await EvidenceAsync(), Ct);
            (await File.ReadAllTextAsync(file, Ct)).Should().Be("test a ConnectFailed");
            var failing = async () => await new ProcessRecovery("/bin/sh", "-c", "exit 3").RunAsync(await EvidenceAsync(), Ct);
            (await failing.Should().ThrowAsync<InvalidOperationException>()).WithMessage("*exit code 3*");
            var missing = async () => await new ProcessRecovery("/no/such/program").RunAsync(await EvidenceAsync(), Ct);
            (await missing.Should().ThrowAsync<InvalidOperationException>()).WithMessage("*'/no/such/program'*");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_process_that_outstays_its_time_is_killed()
    {
        Assert.SkipUnless(File.Exists("/bin/sh"), "needs a shell");
        var file = Path.GetTempFileName();
        try
        {
            using var timeout = new CancellationTokenSource();
            var run = new ProcessRecovery("/bin/sh", "-c", $"echo $$ > '{file}'; exec sleep 1000").RunAsync(await EvidenceAsync(), timeout.Token).AsTask();
            string id;
            while (!(id = await File.ReadAllTextAsync(file, Ct)).EndsWith('\n'))
                Ct.ThrowIfCancellationRequested();
            timeout.Cancel();
            await run.Awaiting(r => r).Should().ThrowAsync<OperationCanceledException>();
            var find = () => System.Diagnostics.Process.GetProcessById(int.Parse(id, System.Globalization.CultureInfo.InvariantCulture));
            find.Should().Throw<ArgumentException>("it has ended");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_process_that_is_the_server_goes_on_and_has_ended_before_the_next_begins()
    {
        Assert.SkipUnless(File.Exists("/bin/sh"), "needs a shell");
        var file = Path.GetTempFileName();
        try
        {
            var server = new ProcessRecovery("/bin/sh", "-c", $"echo $$ >> '{file}'; exec sleep 1000") { IsServer = true };
            await server.RunAsync(await EvidenceAsync(), Ct);
            using var first = await StartedAsync(1);
            first.HasExited.Should().BeFalse("nobody waits for a server to end");
            await server.RunAsync(await EvidenceAsync(), Ct);
            first.HasExited.Should().BeTrue("the next one needs its port");
            using var second = await StartedAsync(2);
            second.HasExited.Should().BeFalse();
            second.Kill();
            await second.WaitForExitAsync(Ct);
            await server.RunAsync(await EvidenceAsync(), Ct); // a server that has exited by itself is started again too
            using var third = await StartedAsync(3);
            third.HasExited.Should().BeFalse();
        }
        finally
        {
            foreach (var id in await File.ReadAllLinesAsync(file, CancellationToken.None))
            {
                if (int.TryParse(id, out var number) && System.Diagnostics.Process.GetProcesses().FirstOrDefault(p => p.Id == number) is { } left)
                    left.Kill();
            }

            File.Delete(file);
        }

        async Task<System.Diagnostics.Process> StartedAsync(int count)
        {
            string[] lines;
            for (var patience = System.Diagnostics.Stopwatch.StartNew(); (lines = await File.ReadAllLinesAsync(file, Ct)).Length < count || !int.TryParse(lines[^1], out _);)
                patience.Elapsed.Should().BeLessThan(TimeSpan.FromMinutes(1));
            return System.Diagnostics.Process.GetProcessById(int.Parse(lines[^1], System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public async Task A_webhook_is_posted_and_its_refusal_is_a_failure()
    {
        var posted = "";
        var status = HttpStatusCode.NoContent;
        using var http = new HttpMessageInvoker(new Answering(async request =>
        {
            posted = await request.Content!.ReadAsStringAsync(Ct);
            request.Headers.GetValues("X-Token").Should().Equal("secret");
            return new HttpResponseMessage(status);
        }));
        using var hook = new WebhookRecovery(new Uri("http://hooks.example/restart"), http) { Headers = new Dictionary<string, string> { ["X-Token"] = "secret" } };
        await hook.RunAsync(await EvidenceAsync(), Ct);
        using var json = JsonDocument.Parse(posted);
        json.RootElement.GetProperty("endpoint").GetString().Should().Be("a");
        json.RootElement.GetProperty("fault").GetString().Should().Be("ConnectFailed");
        status = HttpStatusCode.InternalServerError;
        var refused = async () => await hook.RunAsync(await EvidenceAsync(), Ct);
        await refused.Should().ThrowAsync<HttpRequestException>();
    }

    private static async Task<EjectionEvidence> EvidenceAsync()
    {
        await using var bench = new HeartbeatBench(1, o => o.Heartbeat.Enabled = false);
        return new EjectionEvidence("test", bench.Pool.Endpoints[0], new Fault(FaultKind.ConnectFailed), bench.Health("a"), DateTimeOffset.UnixEpoch);
    }

    private static async Task ReadAsync(PoolEventSubscription subscription, List<PoolEvent> into)
    {
        await foreach (var happened in subscription.ConfigureAwait(false))
            into.Add(happened);
    }

    private sealed class Answering(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request);
    }

    [Fact]
    public async Task Server_of_one_endpoint_is_not_ended_because_another_endpoint_was_ejected()
    {
        var file = Path.GetTempFileName();
        var server = new ProcessRecovery("/bin/sh", "-c", $"echo $HAKIT_ENDPOINT $$ >> '{file}'; exec sleep 1000") { IsServer = true };
        await using var bench = new HeartbeatBench(2, o => o.Heartbeat.Enabled = false);
        var servers = new Dictionary<string, System.Diagnostics.Process>();
        try
        {
            foreach (var endpoint in bench.Pool.Endpoints)
            {
                await server.RunAsync(new EjectionEvidence("test", endpoint, null, bench.Health("a"), DateTimeOffset.UnixEpoch), Ct);
                for (var patience = System.Diagnostics.Stopwatch.StartNew(); !servers.ContainsKey(endpoint.Name);)
                {
                    patience.Elapsed.Should().BeLessThan(TimeSpan.FromMinutes(1));
                    foreach (var words in (await File.ReadAllLinesAsync(file, Ct)).Select(static line => line.Split(' ')))
                    {
                        if (words.Length == 2 && int.TryParse(words[1], out var id) && !servers.ContainsKey(words[0]))
                            servers[words[0]] = System.Diagnostics.Process.GetProcessById(id);
                    }
                }
            }
            servers["a"].HasExited.Should().BeFalse();
            servers["b"].HasExited.Should().BeFalse();
            await server.RunAsync(new EjectionEvidence("test", bench.Pool.Endpoints[0], null, bench.Health("a"), DateTimeOffset.UnixEpoch), Ct);
            servers["a"].HasExited.Should().BeTrue("its next run needs its port");
            servers["b"].HasExited.Should().BeFalse();
        }
        finally
        {
            foreach (var line in await File.ReadAllLinesAsync(file, CancellationToken.None))
            {
                if (int.TryParse(line.Split(' ')[^1], out var id) && System.Diagnostics.Process.GetProcesses().FirstOrDefault(p => p.Id == id) is { } left)
                    left.Kill();
            }

            File.Delete(file);
        }
    }

    [Fact]
    public void Endpoint_that_left_the_pool_is_not_remembered_for_ever()
    {
        var clock = new HaKit.Attempts.PoolClock(new ManualTimeProvider());
        var actions = new RecoveryActions(clock, [], static (_, _) => { });
        var gone = RunFor(actions, "gone", TimeSpan.Zero);
        RunFor(actions, "next", TimeSpan.FromMinutes(6));
        GC.Collect();
        gone.IsAlive.Should().BeFalse();
    }

    // A method of its own, so that no local variable of the test keeps the name.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference RunFor(RecoveryActions actions, string name, TimeSpan now)
    {
        var unique = string.Concat(name, Guid.NewGuid());
        actions.Run(new EjectionEvidence("test", new PoolEndpoint(new EndpointOptions { Name = unique }), null, new HealthState(now), DateTimeOffset.UnixEpoch), new RecoveryOptions(), now);
        return new WeakReference(unique);
    }
}
