using System.Text;
using HaKit.Batch;
using HaKit.Batch.Stores;

namespace HaKit.PostgreSql.Tests;

/// <summary>Tests what two workers do to the same item, and statements that are repeated.</summary>
[Collection(nameof(PostgreSqlServer))]
public sealed class BatchStoreRaceTests(PostgreSqlServer server)
{
    private static BatchInput Input(int number, string text = "input") => new($"item-{number}", Encoding.UTF8.GetBytes($"{text} {number}"));

    private static BatchInput[] Inputs(int count, string text = "input") => [.. Enumerable.Range(0, count).Select(i => Input(i, text))];

    private static BatchOutcome Outcome(string result, BatchItemState state = BatchItemState.Succeeded, double cost = 0.5) => new()
    {
        State = state,
        Request = RequestFingerprint.Compute(Encoding.UTF8.GetBytes(result)),
        Result = Encoding.UTF8.GetBytes(result),
        Endpoint = "main",
        Attempts = 2,
        Cost = cost,
        InputTokens = 7,
        OutputTokens = 11,
    };

    private static async Task<Dictionary<string, string>> ResultsAsync(IBatchStore store) =>
        await store.ReadFinishedAsync(BatchContent.All).Where(s => s.Outcome.State == BatchItemState.Succeeded).ToDictionaryAsync(s => s.Id, s => Encoding.UTF8.GetString(s.Outcome.Result.Span));

    [Fact(Timeout = 120_000)]
    public async Task An_old_list_of_failed_items_removes_no_result_that_came_later()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var first = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await using var second = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await first.AddAsync(Inputs(1), false);
        await first.CommitAsync((await first.ClaimAsync(1, true)).Single(), Outcome("answer", BatchItemState.Failed));
        var (listOfFirst, listOfSecond) = (await first.ReadFinishedAsync(BatchContent.Outcome).ToListAsync(), await second.ReadFinishedAsync(BatchContent.Outcome).ToListAsync());
        await first.RedoAsync(listOfFirst);
        foreach (var state in (BatchItemState[])[BatchItemState.Failed, BatchItemState.Succeeded])
        {
            await first.CommitAsync((await first.ClaimAsync(1, true)).Single(), Outcome("answer", state));
            await second.RedoAsync(listOfSecond);
            (await second.ReadFinishedAsync(BatchContent.Outcome).ToListAsync()).Should().ContainSingle().Which.Outcome.State.Should().Be(state);
            if (state == BatchItemState.Failed)
                await first.RedoAsync(await first.ReadFinishedAsync(BatchContent.Outcome).ToListAsync());
        }
        (await ResultsAsync(second)).Should().ContainKey("item-0");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_input_is_not_replaced_in_silence_while_its_item_is_being_worked_on()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var first = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await using var second = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await first.AddAsync(Inputs(3), false);
        var claims = await first.ClaimAsync(2, true);
        var add = async () => await second.AddAsync(Inputs(3, "new"), true);
        await add.Should().ThrowAsync<BatchStoreException>().WithMessage("Item 'item-0' and 1 more are being worked on*after 60 s*");
        await first.ReleaseAsync([claims[0]]);
        await first.StartAsync(claims[1], new BatchStart(3, MaxCost: 100, MayRepeat: true));
        await using var crashed = database.CreateCommand("update hakit.batch_item set lease_until = clock_timestamp() - interval '1 second' where state = 1");
        await crashed.ExecuteNonQueryAsync();
        (await add()).Changed.Should().Be(2, "the lease of the crashed worker is over");
        (await first.CommitAsync(claims[1], Outcome("answer to the old input"))).Should().BeFalse();
        (await second.ClaimAsync(9, true)).Select(c => Encoding.UTF8.GetString(c.Input.Span)).Should().Equal("new 0", "new 1", "new 2");
        var counts = await second.CountAsync();
        (counts.UnderWay, counts.LostCalls, counts.Reserved).Should().Be((3, 1, 0));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_statement_that_is_repeated_because_its_answer_was_lost_counts_once()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await store.AddAsync(Inputs(2), false);
        var claims = await store.ClaimAsync(2, true);
        for (var time = 0; time < 2; time++)
            (await store.StartAsync(claims[0], new BatchStart(3, MaxCost: 3, MayRepeat: false))).Should().BeTrue();
        (await store.CountAsync()).Reserved.Should().Be(3);
        for (var time = 0; time < 2; time++)
            (await store.CommitAsync(claims[0], Outcome("answer", cost: 1))).Should().BeTrue();
        var counts = await store.CountAsync();
        (counts.Reserved, counts.Calls, counts.Spent, counts.Succeeded).Should().Be((0, 1, 1, 1));
        await store.StartAsync(claims[1], new BatchStart(1, null, MayRepeat: false));
        await store.ReleaseAsync([claims[1]]);
        (await store.ClaimAsync(1, false)).Should().ContainSingle("its call never began, or has ended");
    }

    [Fact(Timeout = 120_000)]
    public async Task Two_workers_do_not_get_the_same_fence_from_a_database_that_came_back_with_older_data()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var first = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await using var second = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await first.AddAsync(Inputs(1), false);
        var before = (await first.ClaimAsync(1, true)).Single();
        await using var older = database.CreateCommand("update hakit.batch_item set state = 0, fence = 0, worker = null, lease_until = null");
        await older.ExecuteNonQueryAsync();
        var after = (await second.ClaimAsync(1, true)).Single();
        (await second.CommitAsync(after, Outcome("answer"))).Should().BeTrue();
        (await first.CommitAsync(before, Outcome("answer"))).Should().BeFalse("the claim is lost, and another call gave the stored answer");
    }
}
