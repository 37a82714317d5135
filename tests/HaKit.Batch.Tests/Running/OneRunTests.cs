using HaKit.Testing;
using Microsoft.Extensions.AI;
using static HaKit.Batch.Tests.Running.BatchWorld;

namespace HaKit.Batch.Tests.Running;

/// <summary>A batch has one run at a time, and a run keeps the options with which it was begun.</summary>
public sealed class OneRunTests
{
    [Fact(Timeout = 60_000)]
    public void A_second_run_is_refused_while_the_first_is_under_way_and_allowed_after_it()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(20));
        world.Time.Run(async () =>
        {
            var first = world.RunAsync(batch);
            await FluentActions.Awaiting(() => world.RunAsync(batch)).Should().ThrowAsync<InvalidOperationException>().WithMessage("*a run is under way*");
            (await first).Should().HaveCount(20, "the second run does not disturb the first");
        });
        world.Run(batch, new ChatBatchOptions()).Should().HaveCount(20).And.OnlyContain(r => r.IsEarlier);
    }

    [Fact(Timeout = 60_000)]
    public void A_run_whose_reader_has_left_lets_the_next_run_begin()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(20));
        world.Time.Run(async () =>
        {
            await foreach (var _ in world.Chat.RunBatchAsync(batch, Prompt))
                break;
        });
        world.Run(batch).Should().HaveCount(20);
    }

    [Fact(Timeout = 60_000)]
    public void Each_enumeration_of_the_results_is_a_run()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(20));
        var results = world.Chat.RunBatchAsync(batch, Prompt);
        Enumerate(1).Should().HaveCount(1);
        Enumerate(100).Should().HaveCount(20);
        Enumerate(100).Should().HaveCount(20).And.OnlyContain(r => r.IsEarlier);

        List<BatchResult<Review, ChatResponse>> Enumerate(int most) => world.Time.Run(async () =>
        {
            var list = new List<BatchResult<Review, ChatResponse>>();
            await foreach (var result in results)
            {
                list.Add(result);
                if (list.Count == most)
                    break;
            }
            return list;
        });
    }

    [Fact(Timeout = 60_000)]
    public void What_the_caller_changes_in_the_options_of_a_run_takes_no_effect()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(5));
        var options = new ChatBatchOptions();
        var results = world.Chat.RunBatchAsync(batch, Prompt, options);
        (options.StopAt, options.OnlyNew, options.Profile) = (DateTimeOffset.MinValue, true, null!);
        world.Time.Run(async () =>
        {
            var count = 0;
            await foreach (var _ in results)
                count++;
            return count;
        }).Should().Be(5);
    }

    [Fact(Timeout = 60_000)]
    public void What_the_caller_changes_in_the_chat_options_of_a_run_takes_no_effect()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(20));
        var options = new ChatBatchOptions { Chat = new ChatOptions { Seed = 1, StopSequences = ["end"] }, MaxConcurrency = 1 };
        var results = world.Chat.RunBatchAsync(batch, Prompt, options);
        options.Chat.Seed = 2;
        world.Time.Run(async () =>
        {
            var count = 0;
            await foreach (var _ in results)
            {
                options.Chat.Seed = 3 + count++;
                options.Chat.StopSequences.Add("stop");
            }
            return count;
        }).Should().Be(20);
        world.Clients.SelectMany(static c => c.Requests).Should().OnlyContain(r => r.Options!.Seed == 1 && r.Options.StopSequences!.Count == 1);
        world.Run(batch, new ChatBatchOptions { Chat = new ChatOptions { Seed = 1, StopSequences = ["end"] } }).Should().HaveCount(20).And.OnlyContain(r => r.IsEarlier);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_journal_that_is_opened_without_a_contract_of_its_items_keeps_no_lock()
    {
        var folder = Directory.CreateTempSubdirectory("hakit-one-run-");
        try
        {
            var path = Path.Combine(folder.FullName, "items.journal");
            await FluentActions.Awaiting(() => BatchJournal.OpenAsync<int>(path, itemType: null!, cancellationToken: TestContext.Current.CancellationToken)).Should().ThrowAsync<ArgumentNullException>().WithParameterName("itemType");
            await using var store = await BatchJournal.OpenStoreAsync(path, cancellationToken: TestContext.Current.CancellationToken);
            store.Notices.Should().BeEmpty();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
