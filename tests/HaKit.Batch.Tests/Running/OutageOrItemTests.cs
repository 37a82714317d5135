using System.Globalization;
using HaKit.Batch.Running;
using HaKit.Batch.Stores;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using static HaKit.Batch.Tests.Running.BatchWorld;

namespace HaKit.Batch.Tests.Running;

/// <summary>Tests that an outage is told from an item that fails by itself.</summary>
public sealed class OutageOrItemTests
{
    private static readonly FailureFacts Waited = new() { IsPatient = true };

    public static TheoryData<string, object, bool, bool> Table => new()
    {
        { "the first failure of an item: an outage may have begun", Waited with { ServedBefore = 5, ServedNow = 9 }, false, false },
        { "no call began and was served since the last failure: it may be the same outage", Waited with { PreviousFailure = 10, ServedBefore = 9, ServedNow = 9 }, false, false },
        { "a call that began before the last failure was served later", Waited with { PreviousFailure = 10, ServedBefore = 9, ServedNow = 30 }, false, false },
        { "another call was served between the failures", Waited with { PreviousFailure = 10, ServedBefore = 11, ServedNow = 11 }, true, true },
        { "the call could not wait", new FailureFacts { PreviousFailure = 10, ServedBefore = 11, ServedNow = 11 }, true, false },
        { "another item failed since the last served call: a new outage may have begun", Waited with { PreviousFailure = 10, ServedBefore = 11, ServedNow = 11, OtherFailure = 15 }, true, false },
        { "another item failed, and a later call was served", Waited with { PreviousFailure = 10, ServedBefore = 11, ServedNow = 16, OtherFailure = 15 }, true, true },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Whether_a_failure_counts_follows_from_the_facts(string why, object facts, bool failsAlone, bool counts)
    {
        var known = (FailureFacts)facts;
        (FailureEvidence.FailsAlone(in known), FailureEvidence.CountsAsTry(in known)).Should().Be((failsAlone, counts), why);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("hang")]
    [InlineData("refused")]
    [InlineData("503")]
    public void No_item_fails_because_of_an_outage_of_two_hours(string kind)
    {
        using var world = new BatchWorld();
        MakeLatencies(world, 100, 137);
        foreach (var client in world.Clients)
            client.Faults.During(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(7205), FaultOf(kind));
        var batch = world.Open();
        world.Add(batch, Reviews(5000));
        var results = world.Run(batch, new ChatBatchOptions { MaxConcurrency = 4 }, within: TimeSpan.FromHours(9));
        results.Where(static r => r.State != BatchItemState.Succeeded).Select(static r => $"{r.Id} {r.Error}").Should().BeEmpty();
        results.Should().HaveCount(5000);
    }

    [Fact(Timeout = 60_000)]
    public void Prompt_that_throws_for_the_repeated_request_ends_the_run_with_its_exception()
    {
        using var world = new BatchWorld(endpoints: 1);
        var isRefused = false;
        var answer = world.Clients[0].Answer;
        world.Clients[0].Answer = request =>
        {
            isRefused |= request.Prompt == "review 4";
            return isRefused ? throw new EndpointFaultException("endpoint-0", new Fault(FaultKind.ServerError) { StatusCode = 500 }) : answer(request);
        };
        var batch = world.Open();
        world.Add(batch, Reviews(5));
        var run = () => world.Run(batch, new ChatBatchOptions { MaxConcurrency = 1 }, review => isRefused && review.Text != "review 4" ? throw new NotSupportedException("my prompt") : Prompt(review));
        run.Should().Throw<NotSupportedException>().WithMessage("my prompt");
        world.Counts(batch).Failed.Should().Be(0);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 10)];

    [Theory(Timeout = 300_000)]
    [InlineData(34)]
    [InlineData(44)]
    [InlineData(46)]
    [InlineData(107)]
    [InlineData(153)]
    [InlineData(203)]
    [InlineData(218)]
    [InlineData(231)]
    [MemberData(nameof(Seeds))]
    public void Items_fail_only_if_they_are_the_reason(int decade)
    {
        for (var seed = 20 * decade; seed < 20 * (decade + 1); seed++)
            new Case(seed).Check();
    }

    [Fact(Timeout = 60_000)]
    public void A_run_in_which_every_item_fails_ends_after_the_longest_outage_and_no_item_fails()
    {
        using var world = new BatchWorld();
        foreach (var client in world.Clients)
            client.Faults.Always(FakeFault.Status(500));
        var batch = world.Open();
        world.Add(batch, Reviews(5));
        var run = () => world.Run(batch, new ChatBatchOptions { MaxOutage = TimeSpan.FromHours(3) }, within: TimeSpan.FromHours(4));
        run.Should().Throw<BatchStoppedException>().Which.Reason.Should().Be(BatchStopReason.MaxOutage);
        world.Counts(batch).Finished.Should().Be(0);
        world.Time.Elapsed.Should().BeGreaterThan(TimeSpan.FromHours(3));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public void The_last_item_is_compared_with_a_request_that_was_served_only_if_it_may_be_repeated(bool mayRepeat)
    {
        using var world = new BatchWorld(around: static client => new Picky(client, "503", static prompt => prompt == "review 5"));
        var batch = world.Open();
        world.Add(batch, Reviews(6));
        var options = new ChatBatchOptions { MayRepeat = mayRepeat, MaxOutage = TimeSpan.FromHours(1) };
        if (mayRepeat)
            world.Run(batch, options).Single(static r => r.State == BatchItemState.Failed).Id.Should().Be("r-5");
        else
            new Action(() => world.Run(batch, options)).Should().Throw<BatchStoppedException>().Which.Reason.Should().Be(BatchStopReason.MaxOutage);
        var repeated = world.Calls - 5;
        repeated.Should().BeInRange(mayRepeat ? 1 : 0, mayRepeat ? 5 : 0);
    }

    [Fact(Timeout = 60_000)]
    public void A_result_of_an_earlier_run_is_compared_with_the_last_item_and_the_repeated_calls_are_paid_for()
    {
        using var world = new BatchWorld(endpoint: static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1_000, 1_000), around: static client => new Picky(client, "503", static prompt => prompt == "review 5"));
        var batch = world.Open();
        world.Add(batch, Reviews(5));
        world.Run(batch);
        var (calls, spent) = (world.Calls, world.Counts(batch).Spent);
        world.Add(batch, Reviews(6));
        world.Run(batch).Single(static r => !r.IsEarlier).State.Should().Be(BatchItemState.Failed);
        (world.Calls - calls).Should().BeInRange(3, 5);
        (world.Counts(batch).Spent - spent).Should().BeApproximately(spent / 5 * (world.Calls - calls), spent / 5);
        world.Add(batch, [new Review("r-6", "review 5")]);
        var limited = () => world.Run(batch, new ChatBatchOptions { MaxCost = spent + 1e-9 });
        limited.Should().Throw<BatchStoppedException>().Which.Reason.Should().Be(BatchStopReason.MaxCost);
    }

    private static FakeFault FaultOf(string kind) => kind switch
    {
        "hang" => FakeFault.Hang,
        "refused" => FakeFault.Refused,
        "reset" => FakeFault.Reset,
        _ => FakeFault.Status(int.Parse(kind, CultureInfo.InvariantCulture)),
    };

    private static void MakeLatencies(BatchWorld world, int first, int step)
    {
        for (var i = 0; i < world.Clients.Length; i++)
            world.Clients[i].Faults.Always(FakeFault.Latency(toFirstToken: TimeSpan.FromMilliseconds(first + step * i)));
    }

    /// <summary>Represents an endpoint's client that fails for some prompts, and serves all others.</summary>
    private sealed class Picky(FakeChatClient inner, string kind, Func<string, bool> fails) : DelegatingChatClient(inner)
    {
        public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            if (!fails(messages.Last().Text))
                return await base.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
            if (kind == "hang")
            {
                var never = new TaskCompletionSource();
                await using var cancelled = cancellationToken.UnsafeRegister(_ => never.TrySetCanceled(cancellationToken), null).ConfigureAwait(false);
                await never.Task.ConfigureAwait(false);
            }
            throw new EndpointFaultException(inner.Name, kind switch
            {
                "reset" => new Fault(FaultKind.ConnectionReset) { Applied = FaultApplied.Ambiguous },
                "403" => new Fault(FaultKind.Forbidden) { StatusCode = 403 },
                "503" => new Fault(FaultKind.Overloaded) { StatusCode = 503 },
                _ => new Fault(FaultKind.ServerError) { StatusCode = 500 },
            });
        }
    }

    /// <summary>One random outage, and items of which some fail by themselves.</summary>
    private sealed class Case
    {
        private static readonly string[] Outages = ["hang", "refused", "503", "500", "reset"];
        private static readonly string[] Poisons = ["hang", "500", "503", "reset", "403"];
        private static readonly int[] Counts = [1, 2, 3, 7, 40, 300];

        private readonly int _seed;
        private readonly int _items;
        private readonly int _poisoned;
        private readonly int? _concurrency;
        private readonly int _endpoints;
        private readonly int _maxTries;
        private readonly int _outages;
        private readonly TimeSpan _apart;
        private readonly int _latency;
        private readonly TimeSpan _from;
        private readonly TimeSpan _until;
        private readonly string _outage;
        private readonly string _poison;

        public Case(int seed)
        {
            var random = new Random(seed);
            _seed = seed;
            _items = Counts[random.Next(Counts.Length)];
            _poisoned = random.Next(3) == 0 ? 0 : random.Next(Math.Min(_items, 6));
            _concurrency = random.Next(4) == 0 ? null : 1 << random.Next(6);
            _endpoints = random.Next(1, 4);
            // One outage never makes an item fail. With several outages, an item can be unlucky once.
            _outages = random.Next(3) == 0 ? random.Next(2, 6) : 1;
            _maxTries = _outages > 1 ? 3 : random.Next(1, 4);
            _latency = random.Next(2) == 0 ? 100 : 5000;
            _from = TimeSpan.FromSeconds(random.Next(3) == 0 ? 0 : 20 * random.NextDouble());
            _until = _from + TimeSpan.FromSeconds(Math.Pow(10, 4 * random.NextDouble() - 1)); // 0.1 s to 1,000 s
            if (random.Next(8) == 0)
                _until += TimeSpan.FromHours(2);
            _apart = TimeSpan.FromSeconds(Math.Pow(10, 3 * random.NextDouble() - 1)); // 0.1 s to 100 s
            _outage = Outages[random.Next(Outages.Length)];
            _poison = Poisons[random.Next(Poisons.Length)];
        }

        private bool IsPoisoned(string prompt) => int.Parse(prompt.Split(' ')[1], CultureInfo.InvariantCulture) is var number && (number * 11 + _seed) % _items < _poisoned;

        public void Check()
        {
            using var world = new BatchWorld(_endpoints, around: client => new Picky(client, _poison, IsPoisoned));
            MakeLatencies(world, _latency, _latency / 3);
            foreach (var client in world.Clients)
            {
                for (var i = 0; i < _outages; i++)
                    client.Faults.During(_from + i * (_until - _from + _apart), _until + i * (_until - _from + _apart), FaultOf(_outage));
            }
            var batch = world.Open();
            var reviews = Reviews(_items);
            world.Add(batch, reviews);
            var expected = reviews.Where(r => IsPoisoned(r.Text)).Select(static r => r.Id).ToArray();
            List<BatchResult<Review, ChatResponse>> results;
            try
            {
                results = world.Run(batch, new ChatBatchOptions { MaxConcurrency = _concurrency, MaxTries = _maxTries }, within: TimeSpan.FromHours(60));
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"{this}: {exception.Message}; {world.Counts(batch)}", exception);
            }
            var wrong = results.Where(r => r.State == BatchItemState.Succeeded == expected.Contains(r.Id)).Select(static r => $"{r.Id} {r.State} {r.Error}").ToArray();
            wrong.Should().BeEmpty("{0}", this);
            results.Should().HaveCount(_items, "{0}", this);
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"seed {_seed}: {_items} items, {_poisoned} with {_poison}, concurrency {_concurrency}, {_endpoints} endpoints, {_latency} ms, tries {_maxTries}, {_outages} times {_outage} from {_from} until {_until}, {_apart} apart");
    }
}
