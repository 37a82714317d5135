using System.Diagnostics;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Tests.Failover;

/// <summary>
/// Runs many small, crowded worlds: a few threads, endpoints for one to three attempts, and health that changes all the time. A thread may lose the processor
/// whenever it reads the clock (as every decision does), calls the selector or classifies a fault. So the threads meet in ever different orders.
/// </summary>
public sealed class RandomScheduleTests
{
    private const int Threads = 6;
    private const int CallsOfEach = 25;

    /// <summary>Gets the number of worlds: 60 in a normal run; set HAKIT_SCHEDULES for more.</summary>
    private static int Worlds => int.TryParse(Environment.GetEnvironmentVariable("HAKIT_SCHEDULES"), out var worlds) ? worlds : 60;

    [Fact]
    public async Task In_whatever_order_threads_meet_every_call_ends_every_place_is_kept_to_and_nothing_stays_taken()
    {
        for (var seed = 0; seed < Worlds; seed++)
            await Live(seed);
    }

    private static async Task Live(int seed)
    {
        var world = $"world {seed}";
        // An abandoned attempt (a hedge that lost, a cancelled attempt, or one that was silent beyond its learned limit because its thread lost the processor) may
        // run for a moment after its capacity was released. Every other world has no such attempts.
        var leaves = seed % 2 == 0;
        var options = new EndpointPoolOptions { Seed = seed, Heartbeat = { Enabled = false }, Hedging = { Enabled = leaves }, FirstContent = { Learned = leaves } };
        options.CircuitBreaker.FailuresToEject = 2;
        options.CircuitBreaker.BreakDuration = TimeSpan.FromMilliseconds(1);
        options.CircuitBreaker.MaxBreakDuration = TimeSpan.FromMilliseconds(2);
        options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(20);
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(2);
        // One call in seven fails twice. With the default retry budget, the calls would spend most of their time waiting for the budget.
        options.RetryBudget.PerSuccess = 1;
        options.RetryBudget.Cap = 1000;
        var places = 1 + seed % 3;
        for (var i = 0; i < 3; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Limits = new LimitOptions { MaxConcurrency = places } });
        var schedule = new Schedule(seed);
        options.OnFault = schedule.Hesitate;
        var parts = new EndpointPoolParts { TimeProvider = schedule, Classifiers = { schedule } };
        if (seed % 4 < 2)
            parts.Selector = schedule;
        await using var pool = new EndpointPool("schedules", options, parts);
        var crowds = new int[3];
        int ended = 0, crowded = 0;

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(caller => Task.Factory.StartNew(() =>
        {
            var random = new Random(HashCode.Combine(seed, caller));
            for (var i = 0; i < CallsOfEach; i++)
            {
                using var given = new CancellationTokenSource();
                var call = pool.ExecuteAsync(random.Next(100), Serve, given.Token).AsTask();
                if (leaves && random.Next(8) == 0)
                    given.Cancel();
                // The calling thread blocks here, because the test is about threads and not about tasks.
                ((IAsyncResult)call).AsyncWaitHandle.WaitOne(TimeSpan.FromMinutes(1)).Should().BeTrue("{0}: no call hangs", world);
                (call.Exception?.InnerException is null or EndpointPoolException or EndpointFaultException).Should().BeTrue("{0}: {1}", world, call.Exception);
                Interlocked.Increment(ref ended);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        // Hedges that lost end within a moment, but their threads may lose the processor before that.
        for (var patience = Stopwatch.StartNew(); patience.Elapsed < TimeSpan.FromMinutes(1) && !pool.Engine.Snapshot.Members.All(IsAtRest);)
            await Task.Yield();
        ended.Should().Be(Threads * CallsOfEach, world);
        crowded.Should().Be(0, world);
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0, world);
        pool.Engine.Queue.Count.Should().Be(0, world);
        pool.Engine.Outage.TryClaim(TimeSpan.Zero).Should().BeTrue("{0}: nobody keeps the right to ask", world);
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            member.Calls.Should().Be(member.Successes + member.Faults + member.Neutrals, "{0}: every lease is completed exactly once", world);
            member.Health.State.Status.Should().NotBe(EndpointHealthStatus.Trial, world);
        }

        async ValueTask<int> Serve(EndpointAttempt attempt, int dice, CancellationToken ct)
        {
            var endpoint = attempt.Endpoint.Name[1] - '0';
            if (Interlocked.Increment(ref crowds[endpoint]) > places && !leaves)
                Interlocked.Increment(ref crowded);
            try
            {
                if (dice % 4 == 0)
                    await Task.Yield();
                schedule.Linger();
                if (dice < 7 && attempt.Number < 3)
                    attempt.ReportFault(new Fault(FaultKind.Overloaded));
                else if (dice < 14 && attempt.Number < 3)
                    throw new HttpRequestException(HttpRequestError.ConnectionError);
                return dice;
            }
            finally
            {
                Interlocked.Decrement(ref crowds[endpoint]);
            }
        }
    }

    private static bool IsAtRest(EndpointState member) =>
        member.InFlight == 0 && member.Calls == member.Successes + member.Faults + member.Neutrals && member.Health.State.Status != EndpointHealthStatus.Trial;

    /// <summary>
    /// The pool calls this object for the time, a classification or a choice. Before each call returns, the thread may lose the processor for a short or a longer
    /// time.
    /// </summary>
    private sealed class Schedule(int seed) : TimeProvider, IFaultClassifier, IEndpointSelector
    {
        private readonly Chance _chance = new((ulong)seed);

        public override long GetTimestamp() => After(base.GetTimestamp());

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(s => callback(After(s)), state, dueTime, period);

        public Fault? Classify(in FaultEvidence evidence) => After<Fault?>(null);

        public FaultAction? Hesitate(Fault fault, RequestProfile profile) => After<FaultAction?>(null);

        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates) => After(_chance.Next(candidates.Length));

        // This is long enough for other threads to find the capacity used up.
        public void Linger()
        {
            for (var i = 0; i < 20; i++)
                After(i);
        }

        private T After<T>(T answer)
        {
            switch (_chance.Next(4))
            {
                case 0:
                    Thread.Yield();
                    break;
                case 1:
                    Thread.SpinWait(_chance.Next(2000));
                    break;
            }
            return answer;
        }
    }
}
