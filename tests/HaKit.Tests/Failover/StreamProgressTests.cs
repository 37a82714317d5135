using HaKit.Faults;

namespace HaKit.Tests.Failover;

/// <summary>Tests items that contain no part of the answer, but show that the endpoint works on the answer.</summary>
public sealed class StreamProgressTests : StreamBench
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private sealed class Working : StreamItemReader<string>
    {
        public override StreamSignal Read(string item) => item switch
        {
            "role" => StreamSignal.None,
            "work" => StreamSignal.Progress,
            "." => StreamSignal.End,
            _ => StreamSignal.Content,
        };

        public override int SizeOf(string item) => 100;
    }

    private static string Times(int count, string words) => string.Join(' ', Enumerable.Repeat(words, count));

    private ValueTask<StreamedAnswer<string>> OpenWorking(EndpointPool pool) =>
        pool.StreamAsync(RequestProfile.Default, this, static (attempt, test, token) =>
        {
            test.Opened.Add(attempt.Endpoint.Name);
            return ValueTask.FromResult(test.Scripts[attempt.Endpoint.Name](token));
        }, new Working(), null, Ct);

    private string Read(EndpointPool pool) => Time.Run(async () => await ReadAll(await OpenWorking(pool)));

    [Fact]
    public async Task More_progress_than_items_may_be_held_is_no_silence()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says($"role {Times(200, "work")} Hello .");
        Read(pool).Should().EndWith("work Hello .");
        Opened.Should().Equal("a");
    }

    [Fact]
    public async Task Progress_puts_off_the_limit_on_the_first_content()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says($"role {Times(50, "1s work")} Hello .");
        Read(pool).Should().EndWith("work Hello .");
        Opened.Should().Equal("a");
    }

    [Fact]
    public async Task Progress_ends_a_silence_between_contents()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says($"Hello {Times(5, "20s work")} 20s world .");
        Read(pool).Should().EndWith("work world .");
    }

    [Theory]
    [InlineData("role 10s work wait", 40)]
    [InlineData("10s work wait", 30)]
    public async Task An_endpoint_that_is_silent_after_progress_is_left_and_a_first_item_puts_off_no_limit(string script, int seconds)
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says(script);
        Scripts["b"] = Says("role Hello .");
        Read(pool).Should().Be("role Hello .");
        Opened.Should().Equal("a", "b");
        Time.Elapsed.Should().Be(S(seconds));
    }

    [Fact]
    public async Task A_failure_after_progress_is_invisible_to_the_caller()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says($"role {Times(10, "work")} cut");
        Scripts["b"] = Says("role Hello .");
        Read(pool).Should().Be("role Hello .");
        Opened.Should().Equal("a", "b");
    }

    [Fact]
    public async Task The_only_endpoint_gets_a_second_attempt_after_a_failure_soon_after_progress()
    {
        await using var pool = Pool(1, o => o.TotalRequestTimeout.Timeout = S(20));
        var again = false;
        Scripts["a"] = token => { var script = again ? "role Hello ." : "role 1s work cut"; again = true; return Play(script, token); };
        Read(pool).Should().Be("role Hello .");
        Opened.Should().Equal("a", "a");
    }

    [Fact]
    public async Task When_no_more_bytes_may_be_held_the_stream_is_handed_over_and_no_endpoint_is_blamed()
    {
        await using var pool = Pool(2, o => o.Streaming.HoldBytes = 1_000);
        Scripts["a"] = Says($"role {Times(20, "work")} cut");
        Scripts["b"] = Says("role Hello .");
        var reading = () => Read(pool);
        reading.Should().Throw<PartialResponseException>().Which.DeliveredItems.Should().Be(0);
        Opened.Should().Equal("a");
    }

    [Fact]
    public async Task A_stream_in_progress_is_handed_over_before_the_deadline_for_a_first_content_could_cut_it()
    {
        await using var pool = Pool(2, o => o.TotalRequestTimeout.Timeout = S(40));
        Scripts["a"] = Says($"role {Times(100, "1s work")} Hello .");
        Read(pool).Should().EndWith("work Hello .");
        Opened.Should().Equal("a");
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
    }

    [Fact]
    public async Task The_first_progress_is_the_measured_time_to_the_first_content()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says($"role 1s {Times(20, "work 1s")} Hello .");
        Read(pool);
        pool.Explain(RequestProfile.Default)[0].FirstContentSeconds.Should().BeApproximately(1, 0.2);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_endpoint_that_works_again_after_a_long_silence_gets_no_second_attempt_beside_it()
    {
        await using var pool = Pool(2);
        Scripts["a"] = static _ => throw new EndpointFaultException("a", new Fault(FaultKind.Throttled) { RetryAfter = S(60) });
        Scripts["b"] = Says("role 35s work 20s work 20s Hello .");
        Read(pool).Should().EndWith("work Hello .");
        Opened.Should().Equal("a", "b");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_endpoint_that_is_silent_again_after_its_progress_gets_a_second_attempt_beside_it()
    {
        await using var pool = Pool(2, o => o.TotalRequestTimeout.Timeout = S(200));
        Scripts["a"] = token => Opened.Count == 1 ? throw new EndpointFaultException("a", new Fault(FaultKind.Throttled) { RetryAfter = S(60) }) : Play("role Hello .", token);
        Scripts["b"] = Says("role 35s work wait");
        Read(pool).Should().Be("role Hello .");
        Opened.Should().Equal("a", "b", "a");
        Time.Elapsed.Should().BeGreaterThanOrEqualTo(S(65)).And.BeLessThan(S(70));
    }
}
