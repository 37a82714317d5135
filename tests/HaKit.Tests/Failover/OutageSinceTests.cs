using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>
/// Tests that the status says since when an endpoint is out: neither a failed trial nor an ejection that is undone and decided again makes the time younger.
/// </summary>
public sealed class OutageSinceTests
{
    private const double Falls = 17;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 120_000)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(50)]
    public async Task While_no_server_accepts_a_connection_the_time_since_which_an_endpoint_is_out_does_not_change(int perSecond)
    {
        for (var seed = 1; seed <= 10; seed++)
        {
            var time = new ManualTimeProvider();
            var start = time.GetUtcNow();
            var gone = new HashSet<string>();
            await using var pool = TestPool.Create(time, 4, o =>
            {
                o.Seed = seed;
                o.Endpoints[3].Tier = 1;
                o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(100);
            });
            var since = new Dictionary<string, DateTimeOffset>();
            for (var i = 0; i < 60 * perSecond; i++)
            {
                var at = (double)i / perSecond;
                if (at >= 10)
                    gone.Add("c");
                if (at >= Falls)
                    gone.UnionWith(["a", "b", "d"]);
                _ = CallAsync(pool, gone, time);
                time.Advance(TimeSpan.FromSeconds(1.0 / perSecond));
                if (at < Falls + 5)
                    continue;
                var status = pool.GetStatus();
                status.Serving.Should().Be(0);
                foreach (var endpoint in status.Endpoints)
                {
                    var known = since.GetValueOrDefault(endpoint.Endpoint.Name, endpoint.OutSince!.Value);
                    endpoint.OutSince.Should().Be(known, "seed {0} at {1} s: {2} did not serve", seed, at, endpoint);
                    since[endpoint.Endpoint.Name] = known;
                }
            }
            foreach (var (name, at) in since)
                (at - start).TotalSeconds.Should().BeInRange(name == "c" ? 10 : Falls, Falls + 5, "seed {0}: {1} began to fail then", seed, name);
        }
    }

    // A connection is refused after 2 ms. A good answer takes 0.3 s.
    private static Task<int> CallAsync(EndpointPool pool, HashSet<string> gone, ManualTimeProvider time) => pool.ExecuteAsync(RequestProfile.Default, 0, async (attempt, _, _) =>
    {
        var isGone = gone.Contains(attempt.Endpoint.Name);
        await Task.Delay(TimeSpan.FromSeconds(isGone ? 0.002 : 0.3), time, CancellationToken.None);
        if (isGone)
            attempt.ReportFault(new Fault(FaultKind.ConnectFailed));
        return 0;
    }, Ct).AsTask();
}
