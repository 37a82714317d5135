using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>
/// Tests attempts that are kept although they are silent for longer than the limit that applies before the endpoint's times are learned: when a second attempt
/// may start beside them, and on which endpoint.
/// </summary>
public sealed class KeptAttemptTests : StreamBench
{
    private readonly List<string> _asked = [];

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static EndpointFaultException ThrottledFor(double seconds) => new("a", new Fault(FaultKind.Throttled) { RetryAfter = S(seconds) });

    [Theory(Timeout = 60_000)]
    [InlineData(5, 5, 1)]
    [InlineData(0.5, 0.9, 60)]
    public async Task A_plain_answer_that_takes_long_is_not_requested_twice_from_an_endpoint_that_answers_other_calls(double began, double takes, int others)
    {
        await using var pool = Pool(1);
        if (others > 1)
            Time.RunUntil(AskAsync(pool, 0.1, "other")); // the endpoint has answered before the long call begins, so that no answer ends a long silence of it
        var call = AskAsync(pool, 90, "long");
        Time.Advance(S(began));
        for (var other = 0; other < others; other++)
        {
            var answer = AskAsync(pool, takes, "other");
            Time.Advance(S(takes));
            answer.IsCompletedSuccessfully.Should().BeTrue();
        }
        Time.Advance(S(90));
        call.IsCompletedSuccessfully.Should().BeTrue();
        _asked.Count(static name => name == "long").Should().Be(1);
        (await call).PerhapsBilled.Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_held_stream_that_has_begun_to_answer_gets_no_second_attempt()
    {
        await using var pool = Pool(2, static o => (o.Streaming.HoldUntil, o.TotalRequestTimeout.Timeout) = (HoldUntil.End, S(200)));
        Scripts["a"] = static _ => throw ThrottledFor(60);
        Scripts["b"] = Says($"35s {string.Concat(Enumerable.Repeat("word 5s ", 17))}.");
        var stream = Time.RunUntil(Open(pool));
        (await ReadAll(stream)).Should().EndWith("word .");
        Opened.Should().Equal("a", "b");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_plain_answer_that_has_begun_gets_no_second_attempt()
    {
        await using var pool = Pool(2);
        var call = pool.ExecuteAsync(RequestProfile.Default, this, static async (attempt, test, token) =>
        {
            test._asked.Add(attempt.Endpoint.Name);
            if (attempt.Endpoint.Name == "a")
                throw ThrottledFor(60);
            await Task.Delay(S(35), test.Time, token).ConfigureAwait(false);
            attempt.ReportFirstContent();
            await Task.Delay(S(55), test.Time, token).ConfigureAwait(false);
            return attempt.Endpoint.Name;
        }, Ct);
        Time.RunUntil(call).Should().Be("b");
        _asked.Should().Equal("a", "b");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_known_refusal_goes_back_when_the_second_opinion_on_a_plain_answer_is_silent()
    {
        await using var pool = Pool(2);
        (await RefusedAsync(pool)).Should().Be("a");
        Time.Elapsed.Should().Be(S(30));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_known_refusal_goes_back_at_the_deadline()
    {
        await using var pool = Pool(2, static o => (o.FirstContent.Learned, o.TotalRequestTimeout.Timeout) = (false, S(60)));
        (await RefusedAsync(pool)).Should().Be("a");
        Time.Elapsed.Should().Be(S(60));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_refusal_that_is_an_exception_goes_back_at_the_deadline_too()
    {
        await using var pool = Pool(2, static o => (o.FirstContent.Learned, o.TotalRequestTimeout.Timeout) = (false, S(60)));
        var thrown = await FluentActions.Awaiting(() => RefusedAsync(pool, throws: true)).Should().ThrowAsync<EndpointFaultException>();
        thrown.Which.Endpoint.Should().Be("a");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_endpoint_that_is_asked_because_another_has_no_such_path_may_answer_as_late_as_any_other()
    {
        await using var pool = Pool(2);
        var call = pool.ExecuteAsync(RequestProfile.Default, Time, static async (attempt, time, token) =>
        {
            if (attempt.Endpoint.Name == "a")
                throw new EndpointFaultException("a", new Fault(FaultKind.NotServed) { SecondOpinion = SecondOpinion.Each, IsProvisional = true });
            await Task.Delay(S(40), time, token).ConfigureAwait(false);
            return attempt.Endpoint.Name;
        }, Ct);
        Time.RunUntil(call).Should().Be("b");
        pool.GetStatus().Endpoints.Single(static e => e.Endpoint.Name == "b").Health.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    // The endpoint "a" refuses the request, and the endpoint "b" never answers.
    private Task<string> RefusedAsync(EndpointPool pool, bool throws = false)
    {
        var refusal = new Fault(FaultKind.InvalidRequest) { SecondOpinion = SecondOpinion.One, IsProvisional = true };
        return Task.FromResult(Time.RunUntil(pool.ExecuteAsync(RequestProfile.Default, (throws, refusal), static async (attempt, s, token) =>
        {
            if (attempt.Endpoint.Name != "a")
                await new TaskCompletionSource().Task.WaitAsync(token).ConfigureAwait(false);
            if (s.throws)
                throw new EndpointFaultException("a", s.refusal);
            attempt.ReportFault(s.refusal);
            return attempt.Endpoint.Name;
        }, Ct)));
    }

    private Task<CallDetail> AskAsync(EndpointPool pool, double seconds, string name) => DetailOf(pool.ExecuteWithDetailAsync(RequestProfile.Default, (Test: this, seconds, name), static async (_, s, token) =>
    {
        s.Test._asked.Add(s.name);
        await Task.Delay(S(s.seconds), s.Test.Time, token).ConfigureAwait(false);
        return 0;
    }, Ct));

    private static async Task<CallDetail> DetailOf(ValueTask<Served<int>> call) => (await call.ConfigureAwait(false)).Detail;
}
