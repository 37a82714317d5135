using System.Globalization;
using System.Text;
using HaKit.Testing;
using static HaKit.Tool.Simulations.Scenarios;

namespace HaKit.Tool.Simulations;

/// <summary>The report's chapter about pools with few calls: how long a call waits at the end of an outage when no other call detects the recovery.</summary>
internal static class LowTraffic
{
    private const string Beginning = """

        ## Low traffic

        In a busy pool, other calls detect that an endpoint has recovered. In these scenarios there are few or no other calls. All endpoints fail, heartbeats are off, the deadline
        is 100 s, and a refusal takes 20 ms.

        ### One call

        All endpoints answer 503 from the beginning of the call for the time in the first column. An answer takes 0.1 s. The table shows when the served attempt
        began, and the number of attempts. Target: the served attempt begins at most half a second or a tenth of the outage (whichever is more) after the end of the outage. There are at
        most 12 attempts, plus one for each second and one for each endpoint.

        | outage | 1 endpoint | attempts | 3 endpoints | attempts | 5 endpoints | attempts |
        |--:|--:|--:|--:|--:|--:|--:|

        """;

    private const string BeforeRates = """

        ### A few calls per second

        Three endpoints (log-normal, median 1 s, p99 3 s) all fail for 10 s of every 300 s. A run has 100,000 s or 20,000 calls, whichever is less. In the silent rows the failures begin when 60 calls
        have been served, so that the pool has learned the answer times. Target: all calls are served. If the endpoints refuse, the p99 is at most 12 s. If they are silent, the p99 is at most 25 s, and the longest
        call takes at most 45 s.

        | calls/s | all endpoints | calls | served | attempts/call | p50 | p99 | longest |
        |--:|---|--:|--:|--:|--:|--:|--:|

        """;

    private const string AfterRates = """

        If the endpoints refuse, the longest call consists of these times: 10 s of outage, up to 1 s until the next trial, the answer of the trial, up to 1 s until a waiting call
        is released, and the call's own answer. Two answers in a row take 2 s at the median, and one answer in a hundred takes more than 3 s. With answers of exactly 1 s the longest
        call takes at most 14.1 s (`OutageTests`).

        """;

    private static readonly FakeFault Overloaded = FakeFault.Status(503).And(FakeFault.Latency(Ms(20)));

    private static readonly double[] Rates = [0.02, 0.1, 0.5, 2, 10];

    public static string Write()
    {
        var text = new StringBuilder(Beginning);
        foreach (var seconds in (double[])[0.3, 1, 3, 10, 30, 60])
        {
            text.Append(CultureInfo.InvariantCulture, $"| {seconds} s |");
            foreach (var endpoints in (int[])[1, 3, 5])
                AddCall(text, endpoints, S(seconds));
            text.Append('\n');
        }

        text.Append(BeforeRates);
        foreach (var (name, fault) in (ReadOnlySpan<(string, FakeFault)>)[("503", Overloaded), ("refuse connections", FakeFault.Refused.And(FakeFault.Latency(Ms(20)))), ("silent", FakeFault.Hang)])
        {
            foreach (var rate in Rates)
                AddRate(text, rate, name, fault);
        }

        return text.Append(AfterRates).ToString();
    }

    private static void AddCall(StringBuilder text, int endpoints, TimeSpan outage)
    {
        using var test = TestPools.Create(endpoints);
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.During(TimeSpan.Zero, outage, Overloaded);
        var detail = test.Call();
        text.Append(CultureInfo.InvariantCulture, $" {(test.Time.Elapsed - Ms(100)).TotalSeconds:0.00} s | {detail.AttemptCount} |");
    }

    private static void AddRate(StringBuilder text, double rate, string name, FakeFault fault)
    {
        var length = S(Math.Min(100_000, 20_000 / rate));
        var simulation = new Simulation().Endpoints(3, ServiceModel.LogNormal(S(1), S(3)));
        var first = fault == FakeFault.Hang ? S(Math.Max(150, 60 / rate)) : S(150);
        for (var at = first; at < length; at += S(300))
            simulation.FaultOfAll(fault, from: at, until: at + S(10));
        var result = simulation.Run(Workload.Poisson(rate), length);
        text.Append(
            CultureInfo.InvariantCulture,
            $"| {rate} | {name} | {result.Calls} | {100 * result.SuccessRate:0.00} % | {result.AttemptsPerCall:0.000} | {Seconds(result.Latency(0.5))} | {Seconds(result.Latency(0.99))} | {Seconds(result.Latency(1))} |\n");
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
}
