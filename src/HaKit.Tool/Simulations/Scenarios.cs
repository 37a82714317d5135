using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>HaKit's own scenarios of the report.</summary>
internal static class Scenarios
{
    private static readonly ServiceModel Quick = ServiceModel.LogNormal(Ms(80), Ms(200));
    private static readonly ServiceModel Slow = ServiceModel.Exponential(S(5));
    private static readonly FakeFault Overloaded = FakeFault.Status(503).And(FakeFault.Latency(Ms(20)));
    private static readonly FakeFault FailsFast = FakeFault.Reset.And(FakeFault.Latency(Ms(20)));
    private static readonly FakeFault Throttled = FakeFault.Status(429).WithHeader("Retry-After", "10").And(FakeFault.Latency(Ms(20)));

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("total-outage", "3 endpoints answer 503 all the time. 10,000 calls with at most 3 attempts each, deadline 10 s.", "at most 1.101 attempts per call",
            () => Three().FaultOfAll(Overloaded).Options(o => { Deadline(o, 10); o.Retry.MaxRetryAttempts = 2; }), Workload.Poisson(100), S(100)),
        new("all-503-for-5-s", "All endpoints answer 503 for 5 s, and then work again. Deadline 10 s.", "all succeed, at most 1.1 attempts per call",
            () => Three().FaultOfAll(Overloaded, until: S(5)).Options(o => Deadline(o, 10)), Workload.Poisson(40), S(20)),
        new("silent-endpoint", "e0 of 3 accepts requests and never answers, from 30 s on.", "all succeed, p99 at most 700 ms, only trials go to e0 after its ejection",
            () => Three().Fault("e0", FakeFault.Hang, from: S(30)), Workload.Poisson(40), S(120)),
        new("20-times-slower", "e0 of 3 takes 20 times as long.", "all succeed, p99 at most 400 ms",
            () => Three().Slow("e0", 20), Workload.Poisson(40), S(120)),
        new("black-hole", "e0 of 5 fails within 20 ms, the others take 5 s on average.", "at most 0.2 % of the attempts to it",
            () => Five().Fault("e0", FailsFast), Workload.Poisson(10), S(600)),
        new("30-percent-failures", "e0 of 5 fails three times in ten within 20 ms.", "at most 10 % of the attempts to it",
            () => Five().Fault("e0", FailsFast, probability: 0.3), Workload.Poisson(10), S(600)),
        new("30-percent-cut", "e0 of 5 cuts three answers in ten after their first content.", "at most 2 % of the attempts to it",
            () => new Simulation().Endpoints(5, Slow.FirstContentAfter(0.1)).Fault("e0", FakeFault.CutAfter(5), probability: 0.3), Workload.Poisson(10), S(600)),
        new("half-speed", "4 endpoints divide their speed among their calls. e0 is half as fast. The load is 75 %. A fifth of the work of a call comes before the first content.",
            "p99 of the first content at most 13.6 s (from a rough model; see below for the true value)",
            () => new Simulation(2).Endpoints(4, Slow.FirstContentAfter(0.2).Sharing()).Slow("e0", 2).Options(o => Deadline(o, 18_000)),
            Workload.Poisson(0.75 * 3.5 / 5), S(20_000)) { NeedsAll = true },
        new("one-of-eleven-at-2-s", "e0 of 11 takes 2 s for 30 s of 60; deadline 1 s.", "at least 99.9 % served (in a similar case, Linkerd's authors estimated 95 % for round robin and 99 % for least loaded)",
            () => new Simulation().Endpoints(11, ServiceModel.LogNormal(Ms(60), Ms(200))).Fault("e0", FakeFault.Latency(S(2)), from: S(15), until: S(45))
                .Options(o => Deadline(o, 1)), Workload.Poisson(100), S(60)),
        new("token-quotas", "4 endpoints with quotas of 60,000 tokens per minute, at 85 % load. The quotas are configured as limits of the pool.", "at most 0.022 refusals per call",
            () => new Simulation().Endpoints(4, Quick.Quota(tokensPerMinute: 60_000)).Options(o =>
            {
                foreach (var endpoint in o.Endpoints)
                    endpoint.Limits = new() { TokensPerMinute = 60_000 };
            }).Profile(static _ => new RequestProfile { InputTokens = 800, MaxOutputTokens = 200 }),
            Workload.Poisson(0.85 * 4).OfTokens(800, 200), S(600)) { NeedsAll = true },
        new("hedging", "2 % of the answers of 5 endpoints stall for 18 s; hedging is on.", "p99 at most 2.2 s, with at most 5 % extra load",
            () => new Simulation().Endpoints(5, ServiceModel.LogNormal(S(1), S(2))).FaultOfAll(FakeFault.Latency(S(18)), probability: 0.02)
                .Options(static o => o.Hedging.Enabled = true), Workload.Poisson(10), S(600)),
        new("flapping", "e0 of 3 is repeatedly down for 20 s and up for 1 s.", "at most one trial per ejection; the period doubles",
            () => Three().Flap("e0", FakeFault.Refused, down: S(20), up: S(1)), Workload.Poisson(20), S(300)),
        new("storm-of-429", "All endpoints answer 429 with Retry-After 10 for 5 s.", "no early request, no ejection, the returning calls are spread over time",
            () => Three().FaultOfAll(Throttled, from: S(30), until: S(35)), Workload.Poisson(40), S(90)),
        new("own-pause", "The process of the pool is paused for 20 s.", "no ejection", () => Three().Pause(S(30), S(20)), Workload.Poisson(40), S(120)),
        new("clock-jump", "e0 of 3 is down from 10 s to 40 s, and the wall clock jumps by an hour at 20 s.", "the same result as without the jump",
            () => Three().Fault("e0", FakeFault.Refused, S(10), S(40)).JumpClock(S(20), TimeSpan.FromHours(1)), Workload.Poisson(40), S(120)),
        new("recovery", "e0 of 5 is forced down at 10 s and brought up at 60 s.", "at most 10 % of the attempts in its first second, a fair share after 30 s",
            () => new Simulation().Endpoints(5, ServiceModel.Exponential(Ms(500)))
                .At(S(10), test => test.Pool.ForceDownAsync("e0").AsTask()).At(S(60), test => test.Pool.BringUpAsync("e0").AsTask()), Workload.Poisson(60), S(120)),
        new("region-lost", "2 of 3 endpoints are in one region, which refuses connections from 30 s to 90 s.", "all succeed",
            () => new Simulation().Endpoint("e0", Quick, e => e.Region = "eu").Endpoint("e1", Quick, e => e.Region = "eu").Endpoint("e2", Quick, e => e.Region = "us")
                .FaultOf(static e => e.Region == "eu", FakeFault.Refused, S(30), S(90)), Workload.Poisson(40), S(120)),
        new("used-up-quota", "e0 of 3 answers that its quota is exhausted, from 30 s on.", "all succeed, one attempt is enough to detect it",
            () => Three().Fault("e0", FakeFaults.OpenAI.QuotaExhausted(), from: S(30)), Workload.Poisson(40), S(120)),
    ];

    private static Simulation Three() => new Simulation().Endpoints(3, Quick);

    private static Simulation Five() => new Simulation().Endpoints(5, Slow);

    internal static void Deadline(EndpointPoolOptions options, double seconds) => options.TotalRequestTimeout.Timeout = S(seconds);

    internal static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    internal static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
