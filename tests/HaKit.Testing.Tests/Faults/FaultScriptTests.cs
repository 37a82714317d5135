namespace HaKit.Testing.Tests.Faults;

public sealed class FaultScriptTests
{
    private static readonly FakeFault A = FakeFault.Status(500).Named("a");
    private static readonly FakeFault B = FakeFault.CutAfter(1).Named("b");

    private readonly ManualTimeProvider _clock = new();
    private readonly FakeEndpoint<int> _endpoint;
    private readonly FaultScript _script;
    private readonly List<FakeRequest> _requests = [];

    public FaultScriptTests()
    {
        _endpoint = new("e", _ => 0, _clock);
        _script = new(_clock, seed: 5);
    }

    [Fact]
    public void A_sequence_strikes_one_request_after_the_other_and_is_then_used_up()
    {
        _script.InOrder(A, FakeFault.None, B);
        _script.Next(2, A);

        Names(7).Should().Equal("a", "none", "b", "a", "a", "none", "none");
    }

    [Fact]
    public void A_period_counts_from_the_moment_its_rule_is_added()
    {
        _clock.Advance(TimeSpan.FromHours(1));
        _script.During(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10), A);

        var names = new List<string>();
        for (var second = 0; second < 12; second++)
        {
            names.AddRange(Names(1));
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        names.Should().Equal(Enumerable.Range(0, 12).Select(s => s is >= 5 and < 10 ? "a" : "none"));
    }

    [Fact]
    public void Chance_is_seeded_and_near_its_probability()
    {
        _script.WithProbability(0.1, A);
        var again = new FaultScript(_clock, seed: 5);
        again.WithProbability(0.1, A);

        var names = Names(10_000);

        names.Should().Equal(Enumerable.Range(0, 10_000).Select(_ => again.ChooseFault(Ask()).Name));
        // The tolerance is six standard deviations (30 each) around the mean of 1,000. With the seed, the number is always the same.
        names.Count(n => n == "a").Should().BeInRange(820, 1180);
    }

    [Fact]
    public void Rules_that_apply_together_combine_in_the_order_they_were_added()
    {
        _script.Always(FakeFault.Latency(perToken: TimeSpan.FromSeconds(1)));
        _script.Always(A);
        _script.Next(1, B);

        Names(2).Should().Equal("latency + a + b", "latency + a");
    }

    [Fact]
    public void Conditions_of_one_rule_hold_together()
    {
        _script.Add(new(A) { From = TimeSpan.FromSeconds(1), Count = 2 });

        Names(1).Should().Equal("none");
        _clock.Advance(TimeSpan.FromSeconds(1));
        Names(3).Should().Equal("a", "a", "none");
    }

    [Fact]
    public void A_count_is_used_by_struck_requests_only()
    {
        _script.Add(new(A) { Probability = 0.5, Count = 3 });

        Names(100).Count(n => n == "a").Should().Be(3);
    }

    [Fact]
    public async Task A_rule_strikes_only_the_requests_it_is_for()
    {
        using var endpoint = new FakeHttpEndpoint();
        using var client = endpoint.CreateClient();
        endpoint.Faults.Always(FakeFault.Status(401), r => r.ApiKey == "bad");
        endpoint.Faults.Always(FakeFault.Status(404), r => r.Model == "gone");

        (await StatusOf("good", "here")).Should().Be(200);
        (await StatusOf("bad", "here")).Should().Be(401);
        (await StatusOf("good", "gone")).Should().Be(404);

        async Task<int> StatusOf(string key, string model)
        {
            using var ask = Fakes.BareClient.Ask("p", stream: false, path: "chat/completions", model: model);
            ask.Headers.Add("Authorization", $"Bearer {key}");
            return (int)(await client.SendAsync(ask, TestContext.Current.CancellationToken)).StatusCode;
        }
    }

    [Fact]
    public void A_rule_can_be_lifted_alone_or_with_all_others()
    {
        var first = _script.Always(A);
        _script.Always(B);

        first.Dispose();
        Names(1).Should().Equal("b");
        _script.Clear();
        Names(1).Should().Equal("none");
        first.Dispose();
    }

    [Fact]
    public void Rules_that_make_no_sense_are_refused()
    {
        _script.Invoking(s => s.WithProbability(1.1, A)).Should().Throw<ArgumentOutOfRangeException>();
        _script.Invoking(s => s.WithProbability(double.NaN, A)).Should().Throw<ArgumentOutOfRangeException>();
        _script.Invoking(s => s.Next(-1, A)).Should().Throw<ArgumentOutOfRangeException>();
        _script.Invoking(s => s.During(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), A)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => FakeFault.Latency(TimeSpan.FromSeconds(-1))).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => FakeFault.Status(99)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => FakeFault.CutAfter(-1)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => FakeFault.KeepAlives(TimeSpan.Zero)).Should().Throw<ArgumentOutOfRangeException>();
    }

    private List<string> Names(int count) => [.. Enumerable.Range(0, count).Select(_ => _script.ChooseFault(Ask()).Name)];

    // Only a fake creates a request. This callback gets one.
    private FakeRequest Ask()
    {
        if (_requests.Count > 0)
            return _requests[0];
        using var rule = _endpoint.Faults.Always(FakeFault.None, r =>
        {
            _requests.Add(r);
            return true;
        });
        _endpoint.CallAsync(TestContext.Current.CancellationToken).AsTask().IsCompletedSuccessfully.Should().BeTrue();
        return _requests[0];
    }
}
