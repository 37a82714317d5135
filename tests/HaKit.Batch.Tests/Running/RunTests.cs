using HaKit.AI;
using HaKit.Batch.Stores;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using static HaKit.Batch.Tests.Running.BatchWorld;

namespace HaKit.Batch.Tests.Running;

public sealed class RunTests
{
    [Fact(Timeout = 60_000)]
    public void Every_item_has_one_result_that_is_right_for_its_prompt()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(200));
        var results = world.Run(batch);
        results.Select(r => r.Id).Should().BeEquivalentTo(Reviews(200).Select(r => r.Id));
        results.Should().OnlyContain(r => r.State == BatchItemState.Succeeded && r.Result!.Text == FakeAnswers.AnswerTo(r.Item.Text, null) && r.Endpoint!.StartsWith("endpoint-") && !r.IsEarlier);
        world.Calls.Should().Be(200);
        batch.Progress.Share.Should().Be(1);
        batch.Progress.ToString().Should().StartWith("100.0 %");
    }

    [Fact(Timeout = 60_000)]
    public void Results_of_earlier_runs_come_first_and_are_not_asked_for_again()
    {
        using var world = new BatchWorld();
        var first = world.Open();
        world.Add(first, Reviews(50));
        world.Run(first);
        world.Time.Run(() => first.DisposeAsync().AsTask());
        var second = world.Open();
        world.Add(second, Reviews(60));
        var results = world.Run(second);
        results.Should().HaveCount(60);
        results.Take(50).Should().OnlyContain(r => r.IsEarlier && r.Result!.Text == FakeAnswers.AnswerTo(r.Item.Text, null));
        results.Skip(50).Should().OnlyContain(r => !r.IsEarlier);
        world.Calls.Should().Be(60);
        world.Run(second, new ChatBatchOptions { OnlyNew = true }).Should().BeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public void A_changed_prompt_is_refused_with_the_number_and_the_first_difference()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(10));
        world.Run(batch);
        var other = () => world.Run(batch, prompt: static r => [new(ChatRole.User, "Shorter: " + r.Text)]);
        var refused = other.Should().Throw<BatchChangedException>().Which;
        (refused.Count, refused.Id, refused.Difference).Should().Be((10, "r-0", "the messages"));
        refused.Message.Should().Contain("10 items have changed").And.NotContain("review 0");
        var options = () => world.Run(batch, new ChatBatchOptions { Chat = new ChatOptions { Temperature = 0.5f } });
        options.Should().Throw<BatchChangedException>().Which.Difference.Should().Be("the options");
        var schema = () => world.Run(batch, new ChatBatchOptions { Chat = new ChatOptions { ResponseFormat = ChatResponseFormat.Json } });
        schema.Should().Throw<BatchChangedException>().Which.Difference.Should().BeOneOf("the options", "the response schema");
        world.Calls.Should().Be(10, "nothing was asked before the refusal");
    }

    [Fact(Timeout = 60_000)]
    public void Only_what_has_changed_is_redone()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(10));
        world.Run(batch);
        Func<Review, IEnumerable<ChatMessage>> prompt = static r => [new(ChatRole.User, r.Id is "r-3" or "r-7" ? "new " + r.Text : r.Text)];
        var kept = world.Run(batch, new ChatBatchOptions { OnChanged = OnChanged.Keep }, prompt);
        kept.Should().OnlyContain(r => r.IsEarlier && r.Result!.Text == FakeAnswers.AnswerTo(r.Item.Text, null));
        var redone = world.Run(batch, new ChatBatchOptions { OnChanged = OnChanged.Redo }, prompt);
        redone.Where(r => !r.IsEarlier).Select(r => r.Id).Should().BeEquivalentTo("r-3", "r-7");
        redone.Where(r => !r.IsEarlier).Should().OnlyContain(r => r.Result!.Text == FakeAnswers.AnswerTo("new " + r.Item.Text, null));
        redone.Should().HaveCount(10);
        world.Calls.Should().Be(12);
        world.Run(batch, prompt: prompt).Should().OnlyContain(r => r.IsEarlier);
    }

    [Fact(Timeout = 60_000)]
    public void An_item_that_is_added_again_with_another_input_is_refused_unless_asked_for()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(10));
        world.Run(batch);
        var add = () => world.Add(batch, Reviews(10, "opinion"));
        add.Should().Throw<BatchChangedException>().Which.Count.Should().Be(10);
        world.Add(batch, Reviews(2, "opinion"), OnChanged.Redo);
        world.Run(batch).Where(r => !r.IsEarlier).Should().HaveCount(2).And.OnlyContain(r => r.Item.Text.StartsWith("opinion"));
        var twice = () => world.Add(batch, [new("x", "one"), new("x", "two")], OnChanged.Redo);
        twice.Should().Throw<ArgumentException>().WithMessage("Two items have the id 'x'*");
    }

    [Fact(Timeout = 60_000)]
    public void A_poisoned_item_fails_once_with_its_reason_and_stops_no_other()
    {
        using var world = new BatchWorld();
        foreach (var client in world.Clients)
        {
            var answer = client.Answer;
            client.Answer = request => request.Prompt == "review 5" ? throw new EndpointFaultException(client.Name, new Fault(FaultKind.ContentFilter) { StatusCode = 400 }) : answer(request);
        }
        var batch = world.Open();
        world.Add(batch, Reviews(20));
        var results = world.Run(batch);
        results.Should().HaveCount(20);
        var failed = results.Single(r => r.State == BatchItemState.Failed);
        (failed.Id, failed.Error).Should().Be(("r-5", "ContentFilter (400)"));
        world.Clients.Sum(c => c.Requests.Count(r => r.Prompt == "review 5")).Should().Be(1);
        world.Run(batch).Should().OnlyContain(r => r.IsEarlier);
        foreach (var client in world.Clients)
            client.Answer = static r => new ChatResponse(new ChatMessage(ChatRole.Assistant, r.Prompt));
        world.Run(batch, new ChatBatchOptions { RedoFailed = true }).Single(r => !r.IsEarlier).Id.Should().Be("r-5");
    }

    [Fact(Timeout = 60_000)]
    public void An_item_that_breaks_every_endpoint_is_given_up_after_three_tries_while_others_are_served()
    {
        using var world = new BatchWorld();
        foreach (var client in world.Clients)
        {
            var answer = client.Answer;
            client.Answer = request => request.Prompt == "review 5" ? throw new EndpointFaultException(client.Name, new Fault(FaultKind.ServerError) { StatusCode = 500 }) : answer(request);
        }
        var batch = world.Open();
        world.Add(batch, Reviews(400));
        var results = world.Run(batch);
        var failed = results.Single(r => r.State == BatchItemState.Failed);
        (failed.Id, failed.Error).Should().Be(("r-5", "ServerError (500)"));
        results.Should().HaveCount(400);
    }

    [Fact(Timeout = 60_000)]
    public void More_failures_than_allowed_end_the_run_and_the_results_so_far_are_returned()
    {
        using var world = new BatchWorld();
        foreach (var client in world.Clients)
            client.Answer = request => throw new EndpointFaultException(client.Name, new Fault(FaultKind.InvalidRequest) { StatusCode = 400 });
        var batch = world.Open();
        world.Add(batch, Reviews(1000));
        var results = new List<BatchResult<Review, ChatResponse>>();
        var run = () => world.Time.Run(() => world.RunAsync(batch, new ChatBatchOptions { MaxFailures = 5 }, into: results));
        run.Should().Throw<BatchStoppedException>().Which.Reason.Should().Be(BatchStopReason.MaxFailures);
        results.Count.Should().BeInRange(6, 100);
        var again = () => world.Run(batch, new ChatBatchOptions { MaxFailures = 5 });
        again.Should().Throw<BatchStoppedException>("failures of earlier runs count");
        world.Counts(batch).Failed.Should().Be(results.Count);
    }

    [Fact(Timeout = 60_000)]
    public void A_failed_item_whose_prompt_was_corrected_no_longer_counts_as_failed()
    {
        using var world = new BatchWorld();
        foreach (var client in world.Clients)
            client.Answer = request => throw new EndpointFaultException(client.Name, new Fault(FaultKind.InvalidRequest) { StatusCode = 400 });
        var batch = world.Open();
        world.Add(batch, Reviews(10));
        world.Run(batch).Should().OnlyContain(static r => r.State == BatchItemState.Failed);
        foreach (var client in world.Clients)
            client.Answer = null!;

        var results = world.Run(batch, new ChatBatchOptions { MaxFailures = 5, OnChanged = OnChanged.Redo }, static r => [new(ChatRole.User, "good " + r.Text)]);

        results.Should().HaveCount(10).And.OnlyContain(static r => r.State == BatchItemState.Succeeded);
    }

    [Fact(Timeout = 60_000)]
    public void No_call_starts_after_the_time_to_stop()
    {
        using var world = new BatchWorld(configure: static o =>
        {
            foreach (var endpoint in o.Endpoints)
                endpoint.Limits = new() { MaxConcurrency = 2 };
        });
        var batch = world.Open();
        world.Add(batch, Reviews(1000));
        var results = new List<BatchResult<Review, ChatResponse>>();
        var run = () => world.Time.Run(() => world.RunAsync(batch, new ChatBatchOptions { StopAt = world.Time.GetUtcNow() + TimeSpan.FromSeconds(2) }, into: results));
        run.Should().Throw<BatchStoppedException>().Which.Reason.Should().Be(BatchStopReason.StopAt);
        world.Time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(2.5));
        results.Count.Should().BeInRange(60, 140);
        world.Run(batch).Should().HaveCount(1000);
        world.Calls.Should().Be(1000);
    }

    [Fact(Timeout = 60_000)]
    public void The_cost_over_all_runs_stays_below_its_limit()
    {
        using var world = new BatchWorld(endpoint: static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1_000_000, 2_000_000)); // 1 for each token in, 2 for each out
        var batch = world.Open();
        world.Add(batch, Reviews(100));
        var options = new ChatBatchOptions { MaxCost = 2000, Chat = new ChatOptions { MaxOutputTokens = 20 } };
        var run = () => world.Run(batch, options);
        run.Should().Throw<BatchStoppedException>().Which.Reason.Should().Be(BatchStopReason.MaxCost);
        var spent = world.Counts(batch).Spent;
        spent.Should().BeInRange(1500, 2000);
        run.Should().Throw<BatchStoppedException>("the limit is for the batch and not for a run");
        world.Counts(batch).Spent.Should().BeLessThanOrEqualTo(2000);
        options.MaxCost = 100_000;
        world.Run(batch, options).Should().HaveCount(100);
        batch.Progress.ToString().Should().EndWith(" $");
    }

    [Fact(Timeout = 60_000)]
    public void A_limit_on_cost_without_prices_is_refused_at_the_start()
    {
        using var world = new BatchWorld();
        var run = () => world.Run(world.Open(), new ChatBatchOptions { MaxCost = 1 });
        run.Should().Throw<ArgumentException>().WithMessage("MaxCost needs the price of every endpoint*endpoint-0*");
    }

    [Fact(Timeout = 60_000)]
    public void A_consumer_that_leaves_early_loses_nothing()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(300));
        world.Time.Run(async () =>
        {
            var seen = 0;
            await foreach (var result in world.Chat.RunBatchAsync(batch, Prompt, CancellationToken.None).ConfigureAwait(false))
            {
                if (++seen == 20)
                    break;
            }
        });
        world.Counts(batch).UnderWay.Should().Be(0);
        var results = world.Run(batch);
        results.Select(r => r.Id).Should().OnlyHaveUniqueItems().And.HaveCount(300);
        results.Count(r => r.IsEarlier).Should().BeGreaterThanOrEqualTo(20);
    }

    [Fact(Timeout = 60_000)]
    public void A_store_that_fails_hands_over_what_it_did_not_take()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(100));
        var results = new List<BatchResult<Review, ChatResponse>>();
        var flushes = 0;
        world.Files.Trouble = what => what.StartsWith("flush", StringComparison.Ordinal) && ++flushes > 10 ? new IOException("disk error") : null;
        var run = () => world.Time.Run(() => world.RunAsync(batch, into: results));
        var failure = run.Should().Throw<BatchStoreException>().WithMessage("*disk error*").Which;
        results.Should().HaveCount(10);
        failure.Unsaved.Should().NotBeEmpty().And.OnlyContain(u => u.Outcome.State == BatchItemState.Succeeded && u.Outcome.Result.Length > 0);
        (results.Count + failure.Unsaved.Count).Should().Be(world.Calls, "every answer that was paid for is stored or handed over");
    }

    [Fact(Timeout = 60_000)]
    public void An_ambiguous_failure_of_a_call_that_must_not_be_repeated_leaves_its_item_unknown()
    {
        using var world = new BatchWorld();
        foreach (var client in world.Clients)
        {
            var answer = client.Answer;
            client.Answer = request => request.Prompt == "review 5" ? throw new EndpointFaultException(client.Name, new Fault(FaultKind.ConnectionReset)) : answer(request);
        }
        var batch = world.Open();
        world.Add(batch, Reviews(20));
        var results = world.Run(batch, new ChatBatchOptions { MayRepeat = false });
        results.Single(r => r.State == BatchItemState.Unknown).Id.Should().Be("r-5");
        world.Clients.Sum(c => c.Requests.Count(r => r.Prompt == "review 5")).Should().Be(1);
        world.Run(batch, new ChatBatchOptions { MayRepeat = false }).Should().OnlyContain(r => r.IsEarlier);
    }

    [Fact(Timeout = 60_000)]
    public void A_batch_of_callbacks_is_fingerprinted_by_its_version()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(30));
        Run("1").Should().HaveCount(30).And.OnlyContain(r => r.Result == r.Item.Text.Length && r.Attempts == 1);
        Run("1").Should().OnlyContain(r => r.IsEarlier);
        new Action(() => Run("2")).Should().Throw<BatchChangedException>().Which.Difference.Should().Be("the options");

        List<BatchResult<Review, int>> Run(string version) => world.Time.Run(async () =>
        {
            var results = new List<BatchResult<Review, int>>();
            await foreach (var result in world.Pool.RunBatchAsync(
                batch, static (attempt, review, token) => new ValueTask<int>(review.Text.Length), new BatchRunOptions { Version = version }, CancellationToken.None).ConfigureAwait(false))
            {
                results.Add(result);
            }

            return results;
        });
    }

    [Fact(Timeout = 60_000)]
    public void Embeddings_are_asked_for_in_groups_and_a_poisoned_text_fails_alone()
    {
        using var world = new BatchWorld();
        var options = new EndpointPoolOptions { Seed = 1 };
        options.Heartbeat.Enabled = false;
        var generator = new PickyGenerator(new FakeEmbeddingGenerator("main", world.Time));
        options.AddEndpoint("main", generator);
        using var pool = new EndpointPool("embeddings", options, new EndpointPoolParts { TimeProvider = world.Time });
        var embeddings = pool.AsEmbeddingGenerator();
        var batch = world.Open();
        world.Add(batch, Reviews(95));
        var results = world.Time.Run(async () =>
        {
            var all = new List<BatchResult<Review, Embedding<float>>>();
            await foreach (var result in embeddings.RunBatchAsync(batch, static r => r.Text, new EmbeddingBatchOptions { GroupSize = 10 }, CancellationToken.None).ConfigureAwait(false))
                all.Add(result);
            return all;
        });
        results.Should().HaveCount(95);
        results.Where(r => r.State == BatchItemState.Succeeded).Should().HaveCount(94)
            .And.OnlyContain(r => r.Result!.Vector.ToArray().SequenceEqual(FakeAnswers.EmbeddingOf(r.Item.Text, "fake-embedding", 16)));
        results.Single(r => r.State == BatchItemState.Failed).Id.Should().Be("r-5");
        generator.Calls.Should().Be(10 + 10);
    }

    private sealed class PickyGenerator(FakeEmbeddingGenerator inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
    {
        public int Calls { get; private set; }

        public override Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            Calls++;
            return values.Contains("review 5") ? throw new EndpointFaultException("main", new Fault(FaultKind.InvalidRequest) { StatusCode = 400 }) : base.GenerateAsync(values, options, cancellationToken);
        }
    }
}
