namespace HaKit.Tests.Failover;

/// <summary>The settings limit an attempt to less time than the pool needs to learn anything about a silence.</summary>
public sealed class ShortTimeoutTests : StreamBench
{
    [Theory]
    [InlineData("pool", 0.5)]
    [InlineData("pool", 0.999)]
    [InlineData("pool", 1)]
    [InlineData("endpoint", 0.1)]
    [InlineData("first content", 0.2)]
    [InlineData("unlearned first content", 0.5)]
    public async Task An_endpoint_that_never_answers_within_a_limit_of_the_settings_is_ejected(string limit, double seconds)
    {
        var timeout = TimeSpan.FromSeconds(seconds);
        await using var pool = Pool(2, o =>
        {
            if (limit == "pool")
                o.AttemptTimeout = new() { Timeout = timeout };
            else if (limit == "endpoint")
                o.Endpoints[0].AttemptTimeout = new() { Timeout = timeout };
            else
                (o.FirstContent.Timeout, o.FirstContent.Minimum, o.FirstContent.Learned) = (timeout, timeout, limit != "first content");
        });
        (Scripts["a"], Scripts["b"]) = (Says("wait"), Says("one ."));
        for (var i = 0; i < 40; i++)
        {
            var reading = Open(pool).AsTask();
            Time.Advance(timeout);
            (await ReadAll(await reading)).Should().Be("one .");
        }
        Opened.Count(name => name == "a").Should().BeLessThan(12);
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("health");
    }

    [Fact]
    public async Task A_caller_in_a_hurry_ejects_no_endpoint_whose_times_are_not_known()
    {
        await using var pool = Pool(2);
        (Scripts["a"], Scripts["b"]) = (Says("wait"), Says("one ."));
        for (var i = 0; i < 40; i++)
        {
            var reading = Open(pool, new RequestProfile { Deadline = TimeSpan.FromSeconds(0.5) }).AsTask();
            Time.Advance(TimeSpan.FromSeconds(0.25));
            await reading;
        }
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();
    }
}
