using HaKit.Health;
using HaKit.Limits;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>
/// Random calls that may be hedged. The details say "hedged" exactly if a hedge began, the budget has paid for exactly the hedges that began, and every result
/// that no caller got is disposed exactly once.
/// </summary>
public sealed class HedgeAccountTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task Hedges_are_told_paid_and_their_results_disposed()
    {
        var hedges = 0;
        for (var seed = 1; seed <= 60; seed++)
        {
            var world = new World(seed);
            await using var pool = world.Pool;
            await world.LearnAsync();
            for (var i = 0; i < 60; i++)
                await world.CallAsync();
            world.Time.Advance(TimeSpan.FromSeconds(60)); // the losers that ignored their token end too

            world.Wrong.Should().BeEmpty("seed {0}", seed);
            (world.Calls - Allowance(pool.Engine.Budget)).Should().Be(world.Hedges, "each hedge that began has cost one, and no other (seed {0})", seed);
            world.Results.Where(static r => !r.IsServed && r.Disposals != 1).Should().BeEmpty("a result that no caller got is disposed once (seed {0})", seed);
            world.Results.Where(static r => r.IsServed && r.Disposals > 0).Should().BeEmpty("seed {0}", seed);
            pool.Explain(RequestProfile.Default).Sum(static e => e.InFlight).Should().Be(0);
            hedges += world.Hedges;
        }
        hedges.Should().BeGreaterThan(200, "calls without hedges would show nothing");
    }

    // A callback may return an object that it keeps, such as the client of its endpoint.
    [Theory(Timeout = 60_000)]
    [InlineData("same", true)]
    [InlineData("same", false)]
    [InlineData("client", true)]
    [InlineData("client", false)]
    public async Task A_kept_object_that_each_attempt_returns_is_not_disposed(string kind, bool isLate)
    {
        var time = new ManualTimeProvider();
        var (same, clients) = (new Result(), new Dictionary<string, Result> { ["a"] = new(), ["b"] = new() });
        await using var pool = TestPool.Create(time, 2, o =>
        {
            o.Hedging.Enabled = true;
            foreach (var endpoint in o.Endpoints)
                (endpoint.Address, endpoint.Client) = (null, clients[endpoint.Name]);
        });
        for (var i = 0; i < 60; i++)
            await RunAsync(0.1, 0.1);
        await RunAsync(isLate ? 2 : 0.35, 0.1);
        time.Advance(TimeSpan.FromSeconds(5));
        same.Disposals.Should().Be(0);
        clients.Values.Sum(static c => c.Disposals).Should().Be(0);

        async Task RunAsync(double first, double later)
        {
            var attempts = 0;
            var call = pool.ExecuteAsync(RequestProfile.Default, 0, async (attempt, _, _) =>
            {
                await Task.Delay(TimeSpan.FromSeconds(attempts++ == 0 ? first : later), time, CancellationToken.None);
                return kind == "same" ? same : clients[attempt.Endpoint.Name];
            }, Ct).AsTask();
            time.Advance(TimeSpan.FromSeconds(0.6));
            await call;
        }
    }

    private static int Allowance(RetryBudget budget)
    {
        var allowance = 0;
        while (budget.TryHedge())
            allowance++;
        return allowance;
    }

    private sealed class Result : IDisposable
    {
        public int Disposals { get; private set; }

        public bool IsServed { get; set; }

        public void Dispose() => Disposals++;
    }

    private sealed class World
    {
        private readonly Random _random;
        private readonly int _endpoints;

        public World(int seed)
        {
            _random = new Random(seed);
            _endpoints = _random.Next(1, 5);
            Pool = TestPool.Create(Time, _endpoints, o =>
            {
                o.Seed = seed;
                // A hedge costs nothing but its allowance, which begins at zero, grows by one with each call, and never reaches the cap.
                (o.RetryBudget.Cap, o.RetryBudget.Cost, o.RetryBudget.PerSuccess, o.RetryBudget.HedgesPerCall) = (1000, 0, 0, 1);
                (o.FirstContent.Learned, o.FirstContent.DeadlineShare) = (false, 1); // no silent attempt is kept, so each attempt beside another one is a hedge
                o.CircuitBreaker.FailuresRule = o.CircuitBreaker.FailureRatioRule = o.CircuitBreaker.ConnectFailuresRule = RuleMode.Off;
                if (_random.Next(2) == 0)
                    o.Endpoints[^1].Limits = new() { MaxConcurrency = 1 };
            });
        }

        public ManualTimeProvider Time { get; } = new();

        public EndpointPool Pool { get; }

        public int Hedges { get; private set; }

        public int Calls { get; private set; }

        public List<string> Wrong { get; } = [];

        public List<Result> Results { get; } = [];

        public async Task LearnAsync()
        {
            for (var i = 0; i < 200; i++)
            {
                Calls++;
                var call = Pool.ExecuteAsync(new RequestProfile { MayHedge = false }, 0, (_, _, _) => AnswerAsync(0.1, true, default), Ct).AsTask();
                Time.Advance(TimeSpan.FromSeconds(0.1));
                (await call).IsServed = true;
            }
        }

        public async Task CallAsync()
        {
            var (running, hedges, isRefused) = (new List<CancellationToken>(), 0, false);
            var profile = new RequestProfile { MayHedge = true, MayRepeat = _random.Next(5) > 0, Deadline = TimeSpan.FromSeconds(3) };
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            Calls++;
            var occupying = _random.Next(3) == 0 ? OccupyAsync() : Task.CompletedTask;
            var call = Pool.ExecuteWithDetailAsync(profile, 0, async (_, _, token) =>
            {
                // An attempt that the pool has given up may go on. What begins after it is a retry and no hedge.
                if (running.Exists(static t => !t.IsCancellationRequested))
                    hedges++;
                running.Add(token);
                try
                {
                    return await AttemptAsync(token);
                }
                finally
                {
                    running.Remove(token);
                }
            }, cancellation.Token).AsTask();
            if (_random.Next(6) == 0)
            {
                Time.Advance(TimeSpan.FromSeconds(_random.NextDouble()));
                await cancellation.CancelAsync();
            }
            for (var i = 0; i < 40 && !call.IsCompleted; i++)
                Time.Advance(TimeSpan.FromSeconds(0.1));
            try
            {
                var (result, detail) = await call;
                result.IsServed = true;
                if (detail.Hedged != hedges > 0)
                    Wrong.Add($"{hedges} hedges, Hedged = {detail.Hedged}, {string.Join(", ", detail.Attempts)}");
            }
            catch (Exception exception) when (exception is OperationCanceledException or EndpointPoolException or HttpRequestException or TimeoutException)
            {
                isRefused = true;
            }
            Hedges += hedges;
            Time.Advance(TimeSpan.FromSeconds(isRefused ? 1 : 0));
            while (!occupying.IsCompleted)
                Time.Advance(TimeSpan.FromSeconds(1));
            await occupying;
        }

        // Takes the only place of an endpoint, so that a hedge may find no place.
        private async Task OccupyAsync()
        {
            Calls++;
            var call = Pool.ExecuteAsync(new RequestProfile { MayHedge = false, Endpoints = [((char)('a' + _endpoints - 1)).ToString()] }, 0, (_, _, _) => AnswerAsync(0.25, true, default), Ct);
            try
            {
                (await call).IsServed = true;
            }
            catch (EndpointPoolException)
            {
                // An attempt that ignores its token may hold the place until the deadline.
            }
        }

        private ValueTask<Result> AttemptAsync(CancellationToken token) => _random.Next(8) switch
        {
            0 => throw new HttpRequestException("refused at once"),
            1 => FailAsync(_random.NextDouble() / 2, token),
            2 => AnswerAsync(20, _random.Next(2) == 0, token),
            3 or 4 => AnswerAsync(0.5 + _random.NextDouble(), _random.Next(2) == 0, token),
            _ => AnswerAsync(_random.NextDouble() / 3, _random.Next(2) == 0, token),
        };

        private async ValueTask<Result> FailAsync(double seconds, CancellationToken token)
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds), Time, token);
            throw new HttpRequestException("failed");
        }

        private async ValueTask<Result> AnswerAsync(double seconds, bool ignoresToken, CancellationToken token)
        {
            if (seconds > 0)
                await Task.Delay(TimeSpan.FromSeconds(seconds), Time, ignoresToken ? CancellationToken.None : token);
            var result = new Result();
            Results.Add(result);
            return result;
        }
    }
}
