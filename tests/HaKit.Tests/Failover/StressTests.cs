using HaKit.Faults;
using HaKit.Limits;

namespace HaKit.Tests.Failover;

public sealed class StressTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    /// <summary>Gets the number of calls: 10,000 in a normal run; set HAKIT_STRESS_CALLS for more.</summary>
    private static int Calls => int.TryParse(Environment.GetEnvironmentVariable("HAKIT_STRESS_CALLS"), out var calls) ? calls : 10_000;

    // There are so many callers that all threads of the thread pool have work, although most calls wait.
    private const int Callers = 100;

    [Fact]
    public async Task Callers_on_all_threads_with_random_faults_cancellations_and_disposals_leave_nothing_behind()
    {
        var options = new EndpointPoolOptions { Seed = 7, Heartbeat = { Enabled = false }, Hedging = { Enabled = true } };
        options.CircuitBreaker.BreakDuration = TimeSpan.FromMilliseconds(2);
        options.CircuitBreaker.MaxBreakDuration = TimeSpan.FromMilliseconds(4);
        options.CircuitBreaker.TrialTimeout = TimeSpan.FromSeconds(1);
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(2);
        options.TotalRequestTimeout.Timeout = TimeSpan.FromMilliseconds(200);
        for (var i = 0; i < 4; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = $"http://127.0.0.1:{9000 + i}", Limits = new LimitOptions { MaxConcurrency = 64 } });
        await using var pool = new EndpointPool("stress", options);
        long begun = 0, ended = 0;
        var callers = Enumerable.Range(0, Callers).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var i = 0; i < Calls / Callers; i++)
            {
                using var caller = new CancellationTokenSource();
                Interlocked.Increment(ref begun);
                var call = One(pool, random, caller.Token);
                if (random.Next(10) == 0)
                    caller.Cancel();
                try
                {
                    await call;
                }
                catch (Exception e) when (e is EndpointPoolException or OperationCanceledException or EndpointFaultException)
                {
                }
                Interlocked.Increment(ref ended);
            }
        }, Ct)).ToArray();
        await Task.WhenAll(callers);

        ended.Should().Be(begun).And.Be(Calls / Callers * Callers);
        // Hedges that lost and abandoned attempts end within a moment. After that they must hold no resources.
        for (var i = 0; i < 1000 && pool.Explain(RequestProfile.Default).Any(e => e.InFlight > 0); i++)
            await Task.Yield();
        TestContext.Current.TestOutputHelper!.WriteLine($"EVIDENCE {ended} of {begun} calls of {Callers} callers ended; {pool.Explain(RequestProfile.Default).Sum(e => e.InFlight)} attempts in flight, {pool.Engine.Queue.Count} waiting");
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
        pool.Engine.Queue.Count.Should().Be(0);
        pool.Engine.Snapshot.Members.Sum(m => m.Calls).Should().Be(
            pool.Engine.Snapshot.Members.Sum(m => m.Successes + m.Faults + m.Neutrals), "every lease is completed exactly once");
        pool.Engine.Outage.TryClaim(TimeSpan.Zero).Should().BeTrue("no call may keep the right to ask");
    }

    private static async Task One(EndpointPool pool, Random random, CancellationToken token)
    {
        var dice = random.Next(100);
        if (dice < 70)
        {
            await pool.ExecuteAsync(dice, static async (attempt, dice, ct) =>
            {
                if (dice % 3 == 0)
                    await Task.Yield();
                if (dice < 10 && attempt.Number == 1)
                    attempt.ReportFault(new Fault(FaultKind.Overloaded));
                else if (dice is >= 10 and < 20 && attempt.Number < 3)
                    throw new HttpRequestException(HttpRequestError.ConnectionError);
                else if (dice == 20)
                    await Task.Delay(Timeout.Infinite, ct);
                return dice;
            }, token);
            return;
        }
        await using var stream = await pool.StreamAsync(dice, static (attempt, dice, ct) => new ValueTask<IAsyncEnumerable<int>>(Items(attempt, dice, ct)), new Reader(), token);
        var read = 0;
        await foreach (var _ in stream)
        {
            if (dice > 90 && ++read == 2)
                break;
        }
    }

    private static async IAsyncEnumerable<int> Items(EndpointAttempt attempt, int dice, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (dice % 5 == 0)
            await Task.Yield();
        if (dice % 7 == 0 && attempt.Number == 1)
            throw new HttpRequestException(HttpRequestError.ResponseEnded);
        yield return 1;
        yield return 2;
        if (dice % 11 == 0)
            throw new HttpIOException(HttpRequestError.ResponseEnded);
        yield return 0;
    }

    private sealed class Reader : StreamItemReader<int>
    {
        public override StreamSignal Read(int item) => item == 0 ? StreamSignal.End : StreamSignal.Content;
    }
}
