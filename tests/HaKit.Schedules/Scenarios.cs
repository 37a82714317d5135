using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using HaKit.Attempts;
using HaKit.Failover.Waiting;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Limits;
using HaKit.Testing;
using Microsoft.Coyote.Specifications;

namespace HaKit.Schedules;

/// <summary>Scenarios in which several threads act at the same time, with the conditions that must hold in any order.</summary>
internal static class Scenarios
{
    public static IReadOnlyList<(string Name, Func<Task> Run)> All { get; } =
    [
        ("planted: a place is taken twice", TakenTwiceAsync),
        ("queue: a release and a cancellation", ReleaseAndCancellationAsync),
        ("queue: a release and the time that is due", ReleaseAndDueAsync),
        ("queue: three calls and three releases", ThreeCallsAsync),
        ("heartbeat: an answer and the end of the probe's time", AnswerAndTimeoutAsync),
        ("stream: an item, the end and a cancellation", () => StreamAsync(disposes: false)),
        ("stream: an item, the end and a disposal", () => StreamAsync(disposes: true)),
    ];

    // The first of two waiting calls is cancelled while one call is released. Either the first or the second call gets the release.
    private static async Task ReleaseAndCancellationAsync()
    {
        var queue = new WaitQueue(10, TimeProvider.System);
        queue.TryEnter(0, out var first);
        queue.TryEnter(0, out var second);
        using var cancel = new CancellationTokenSource();
        var one = Task.Run(async () =>
        {
            var result = await first!.WaitAsync(null, cancel.Token);
            first.LeaveQueue();
            return result;
        });
        var two = Task.Run(async () =>
        {
            var result = await second!.WaitAsync(null, CancellationToken.None);
            second.LeaveQueue();
            return result;
        });
        var release = Task.Run(() => queue.Release(1));
        var cancellation = Task.Run(cancel.Cancel);
        await Task.WhenAll(one, release, cancellation);
        if (await one == WaitResult.Released && !two.IsCompleted)
            queue.Release(1);
        Specification.Assert(await two == WaitResult.Released, "the second call gets a release");
        Specification.Assert(queue.Count == 0, "both have left");
    }

    // A release at the time at which the wait ends is kept for the next wait.
    private static async Task ReleaseAndDueAsync()
    {
        var time = new ManualTimeProvider();
        var queue = new WaitQueue(10, time);
        queue.TryEnter(0, out var waiter);
        var wait = waiter!.WaitAsync(TimeSpan.FromSeconds(1), CancellationToken.None).AsTask();
        var release = Task.Run(() => queue.Release(1));
        var due = Task.Run(() => time.Advance(TimeSpan.FromSeconds(1)));
        await Task.WhenAll(release, due);
        var result = await wait;
        Specification.Assert(await release == 1, "there was one to release");
        if (result == WaitResult.Due)
            Specification.Assert(await waiter.WaitAsync(null, CancellationToken.None) == WaitResult.Released, "the release is kept");
        waiter.LeaveQueue();
        Specification.Assert(queue.Count == 0, "it has left");
    }

    // Three calls wait, each release serves one call, and a released call releases the next call.
    private static async Task ThreeCallsAsync()
    {
        var queue = new WaitQueue(10, TimeProvider.System);
        var calls = new Task<WaitResult>[3];
        for (var i = 0; i < calls.Length; i++)
        {
            queue.TryEnter(i % 2, out var waiter);
            calls[i] = Task.Run(async () =>
            {
                var result = await waiter!.WaitAsync(null, CancellationToken.None);
                waiter.LeaveQueue();
                queue.Release(1);
                return result;
            });
        }
        await Task.WhenAll(Task.Run(() => queue.Release(1)), Task.Run(() => queue.Release(1)));
        foreach (var call in calls)
            Specification.Assert(await call == WaitResult.Released, "each call is released");
        Specification.Assert(queue.Count == 0, "all have left");
    }

    // The answer of a probe arrives when its time ends. One of the two decides the heartbeat, and the next probe waits until it is due.
    private static async Task AnswerAndTimeoutAsync()
    {
        var time = new ManualTimeProvider();
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "e0", Address = "http://127.0.0.1:9000" });
        var pool = new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = time });
        var (member, clock, answer) = (pool.Engine.Snapshot.Members[0], new PoolClock(time), new Answer());
        var pacemaker = new Pacemaker(clock, new HealthTracker(new HealthOptions(), new Random(1)), new Chance(1), OutagePace.ProbePauseAt, static _ => { });
        var asked = 0;
        var probe = new DelegateProbe((ProbeContext _, CancellationToken _) =>
        {
            asked++;
            return new ValueTask<ProbeResult>(answer, 0);
        });
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        var context = new ProbeContext { Endpoint = member.Endpoint, Http = http, Classifier = pool.Owners.Classifier, Time = time };
        var heartbeat = new Heartbeat(member, pacemaker, new HeartbeatSetup(probe, context, new HeartbeatOptions { Jitter = 0 }));
        while (asked == 0)
            time.AdvanceToNextTimer();
        var answering = Task.Run(() => answer.SetResult(default));
        var timing = Task.Run(() => time.Advance(TimeSpan.FromSeconds(2)));
        await Task.WhenAll(answering, timing);
        Specification.Assert(asked == 1, "the next probe waits until it is due");
        time.Advance(TimeSpan.FromSeconds(9));
        Specification.Assert(asked == 2, "the next probe begins when it is due");
        heartbeat.Stop();
        pacemaker.Stop();
        await pool.DisposeAsync();
    }

    // A planted bug that must be found; otherwise the other scenarios prove nothing. Two threads check whether capacity is free before they take it.
    private static async Task TakenTwiceAsync()
    {
        var taken = 0;
        var first = Task.Run(Take);
        var second = Task.Run(Take);
        Specification.Assert(!(await first && await second), "only one may take it");

        bool Take() => Interlocked.CompareExchange(ref taken, 0, 0) == 0 && Interlocked.Exchange(ref taken, 1) >= 0;
    }

    // A stream's item, its end and its caller's cancellation come in any order. The lease is completed once, and nothing stays in flight.
    private static async Task StreamAsync(bool disposes)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "e0", Address = "http://127.0.0.1:9000" });
        var pool = new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = new ManualTimeProvider() });
        var (item, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var cancel = new CancellationTokenSource();
        item.SetResult();
        var stream = await pool.StreamAsync((item, end), static (_, gates, ct) => new ValueTask<IAsyncEnumerable<int>>(Items(gates.item, gates.end, ct)), new Reader(), cancel.Token);
        var reading = Task.Run(async () =>
        {
            try
            {
                await foreach (var _ in stream)
                {
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or PartialResponseException or ObjectDisposedException)
            {
            }
        });
        var ending = Task.Run(end.SetResult);
        var leaving = Task.Run(async () =>
        {
            await cancel.CancelAsync();
            if (disposes)
                await stream.DisposeAsync();
        });
        await Task.WhenAll(reading, ending, leaving);
        await stream.DisposeAsync();
        Specification.Assert(pool.Explain(RequestProfile.Default).Sum(static e => e.InFlight) == 0, "nothing stays in flight");
        var members = pool.Engine.Snapshot.Members;
        Specification.Assert(members.Sum(static m => m.Calls) == members.Sum(static m => m.Successes + m.Faults + m.Neutrals), "the lease is completed once");
        await pool.DisposeAsync();
    }

    private static async IAsyncEnumerable<int> Items(TaskCompletionSource item, TaskCompletionSource end, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await item.Task.WaitAsync(cancellationToken);
        yield return 1;
        await end.Task.WaitAsync(cancellationToken);
        yield return 2;
        yield return 0;
    }

    private sealed class Reader : StreamItemReader<int>
    {
        public override StreamSignal Read(int item) => item == 0 ? StreamSignal.End : StreamSignal.Content;
    }

    // Its continuation runs in the thread that gives the answer, so Coyote controls it.
    private sealed class Answer : IValueTaskSource<ProbeResult>
    {
        private ManualResetValueTaskSourceCore<ProbeResult> _core;

        public void SetResult(ProbeResult result) => _core.SetResult(result);

        public ProbeResult GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _core.OnCompleted(continuation, state, token, flags);
    }
}
