using System.Text;
using HaKit.Batch;
using HaKit.Batch.Stores;
using Npgsql;

namespace HaKit.PostgreSql.Tests;

[Collection(nameof(PostgreSqlServer))]
public sealed class BatchStoreTests(PostgreSqlServer server)
{
    private static readonly byte[] Key = "a key of 24 bytes or more"u8.ToArray();

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

    /// <summary>A server may write any text as its error code, and an application may give its endpoints and items any name. PostgreSQL stores no U+0000.</summary>
    [Theory(Timeout = 120_000)]
    [InlineData("a\0b")]
    [InlineData("a\ud800b")]
    [InlineData("\udc00")]
    [InlineData("tab\tand\u0001")]
    public async Task A_text_that_PostgreSQL_cannot_store_takes_no_outcome_with_it(string text)
    {
        await using var database = await server.NewDatabaseAsync();
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await store.AddAsync(Inputs(3), false);
        var claims = await store.ClaimAsync(3, mayRepeat: true);
        var commits = claims.Select((c, i) => store.CommitAsync(c, i == 1 ? Outcome("", BatchItemState.Failed) with { Error = text, Endpoint = text } : Outcome("answer")).AsTask());
        (await Task.WhenAll(commits)).Should().OnlyContain(static isStored => isStored);
        var stored = await store.ReadFinishedAsync(BatchContent.All).ToListAsync();
        stored.Should().HaveCount(3);
        stored.Single(static s => s.Outcome.State == BatchItemState.Failed).Outcome.Error.Should().NotBeNullOrEmpty();
    }

    [Fact(Timeout = 120_000)]
    public async Task An_id_that_PostgreSQL_cannot_store_is_named()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        var add = () => store.AddAsync([Input(0), new BatchInput("a\0b", "input"u8.ToArray())], replaceChanged: false).AsTask();
        (await add.Should().ThrowAsync<ArgumentException>()).WithMessage("*item 2*");
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Items_and_outcomes_are_read_back_as_they_were_written(bool isSealed)
    {
        await using var database = await server.NewDatabaseAsync();
        var options = new PostgreSqlBatchOptions { SealKey = isSealed ? Key.AsMemory() : (ReadOnlyMemory<byte>?)null };
        await using (var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews", options))
        {
            (await store.AddAsync(Inputs(3), false)).Should().Be(new BatchAdded(3, 0, null));
            (await store.AddAsync(Inputs(4), false)).Should().Be(new BatchAdded(1, 0, null));
            var claims = await store.ClaimAsync(2, mayRepeat: true);
            claims.Select(c => c.Id + ": " + Encoding.UTF8.GetString(c.Input.Span)).Should().Equal("item-0: input 0", "item-1: input 1");
            (await store.CommitAsync(claims[0], Outcome("answer"))).Should().BeTrue();
            (await store.CommitAsync(claims[1], Outcome("", BatchItemState.Failed) with { Error = "ContentFilter (400)", Endpoint = null })).Should().BeTrue();
        }
        await using var again = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews", options);
        (await again.CountAsync()).Should().Be(new BatchCounts { Total = 4, Succeeded = 1, Failed = 1, Calls = 2, Spent = 1 });
        var stored = await again.ReadFinishedAsync(BatchContent.All).ToListAsync();
        stored.Select(s => s.Id).Should().Equal("item-0", "item-1");
        Encoding.UTF8.GetString(stored[0].Input.Span).Should().Be("input 0");
        Encoding.UTF8.GetString(stored[0].Outcome.Result.Span).Should().Be("answer");
        stored[0].Outcome.Request.Should().Be(RequestFingerprint.Compute("answer"u8));
        (stored[0].Outcome.Endpoint, stored[0].Outcome.Attempts, stored[0].Outcome.InputTokens, stored[1].Outcome.Error).Should().Be(("main", 2, 7, "ContentFilter (400)"));
        if (!isSealed)
            return;
        await using var command = database.CreateCommand("select count(*) from hakit.batch_item where position('input'::bytea in input) > 0 or position('answer'::bytea in result) > 0");
        (await command.ExecuteScalarAsync()).Should().Be(0L);
        var without = () => PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await without.Should().ThrowAsync<BatchStoreException>().WithMessage("*sealed: its key is needed*");
        var other = () => PostgreSqlBatchStore.OpenStoreAsync(database, "reviews", new() { SealKey = "another key, as long as it"u8.ToArray() });
        await other.Should().ThrowAsync<BatchStoreException>().WithMessage("*sealed with another key*");
    }

    [Fact(Timeout = 120_000)]
    public async Task Two_workers_never_hold_the_same_item()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var first = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await using var second = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await first.AddAsync(Inputs(300), false);
        var claimed = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => (i % 2 == 0 ? first : second).ClaimAsync(10, true).AsTask()));
        claimed.SelectMany(c => c).Select(c => c.Id).Should().OnlyHaveUniqueItems().And.HaveCount(300);
        (await first.CountAsync()).UnderWay.Should().Be(300);
        await first.ReleaseAsync([.. claimed.SelectMany(c => c)]);
        (await second.CountAsync()).UnderWay.Should().Be(0);
        (await second.ClaimAsync(1, true)).Single().Id.Should().Be("item-0");
    }

    [Fact(Timeout = 120_000)]
    public async Task The_late_outcome_of_a_worker_that_lost_its_lease_is_refused_by_the_fence()
    {
        await using var database = await server.NewDatabaseAsync();
        var options = new PostgreSqlBatchOptions { Lease = TimeSpan.FromSeconds(1) };
        await using var frozen = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews", options);
        await using var other = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews", options);
        await frozen.AddAsync(Inputs(1), false);
        var late = (await frozen.ClaimAsync(1, true)).Single();
        await Expire(database);
        var taken = (await other.ClaimAsync(1, true)).Single();
        taken.Fence.Should().BeGreaterThan(late.Fence);
        (await frozen.CommitAsync(late, Outcome("late"))).Should().BeFalse();
        (await frozen.RenewAsync([late])).Should().Equal([late], "it is told what it has lost");
        await frozen.ReleaseAsync([late]);
        (await other.CommitAsync(taken, Outcome("in time"))).Should().BeTrue();
        (await frozen.CommitAsync(late, Outcome("later still"))).Should().BeFalse();
        (await ResultsAsync(other)).Should().BeEquivalentTo(new Dictionary<string, string> { ["item-0"] = "in time" });
        (await other.CountAsync()).Should().Be(new BatchCounts { Total = 1, Succeeded = 1, Calls = 3, LostCalls = 1, Spent = 1.5 });
    }

    [Fact(Timeout = 120_000)]
    public async Task A_lease_that_is_renewed_is_kept()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await store.AddAsync(Inputs(1), false);
        var claims = await store.ClaimAsync(1, true);
        await Expire(database);
        (await store.RenewAsync(claims)).Should().BeEmpty();
        (await store.ClaimAsync(1, true)).Should().BeEmpty();
        (await store.CommitAsync(claims[0], Outcome("answer"))).Should().BeTrue();
    }

    [Fact(Timeout = 120_000)]
    public async Task An_item_that_must_not_be_repeated_and_lost_its_worker_becomes_unknown()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var lost = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await using var other = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await lost.AddAsync(Inputs(2), false);
        var claims = await lost.ClaimAsync(2, mayRepeat: false);
        (await lost.StartAsync(claims[0], new BatchStart(3, null, MayRepeat: false))).Should().BeTrue();
        await Expire(database);
        (await other.ClaimAsync(5, mayRepeat: false)).Select(c => c.Id).Should().Equal(["item-1"], "its call had not begun");
        (await lost.CommitAsync(claims[0], Outcome("late"))).Should().BeFalse();
        var counts = await other.CountAsync();
        (counts.Unknown, counts.UnderWay, counts.Reserved, counts.LostCalls).Should().Be((1, 1, 0, 2));
        counts.Spent.Should().Be(3 + 0.5);
        (await other.ReadFinishedAsync(BatchContent.All).SingleAsync()).Outcome.Should().BeEquivalentTo(new { State = BatchItemState.Unknown, Request = RequestFingerprint.None });
    }

    [Fact(Timeout = 120_000)]
    public async Task The_workers_share_one_limit_on_cost()
    {
        await using var database = await server.NewDatabaseAsync();
        var stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostgreSqlBatchStore.OpenStoreAsync(database, "reviews")));
        await stores[0].AddAsync(Inputs(100), false);
        var claims = new List<(IBatchStore Store, BatchClaim Claim)>();
        foreach (var store in stores)
            claims.AddRange((await store.ClaimAsync(25, true)).Select(c => (store, c)));
        var started = await Task.WhenAll(claims.Select(c => c.Store.StartAsync(c.Claim, new BatchStart(1, MaxCost: 37.5, MayRepeat: true)).AsTask()));
        started.Count(s => s).Should().Be(37);
        (await stores[1].CountAsync()).Reserved.Should().Be(37);
        var own = claims.Where((_, i) => started[i]).ToList();
        await own[0].Store.CommitAsync(own[0].Claim, Outcome("cheap", cost: 0.25));
        await own[1].Store.EndAsync(own[1].Claim, 0.25);
        var counts = await stores[2].CountAsync();
        (counts.Reserved, counts.Spent).Should().Be((35, 0.5));
    }

    [Fact(Timeout = 120_000)]
    public async Task Changed_inputs_are_told_and_replaced_when_asked_for_and_outcomes_are_redone()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await store.AddAsync(Inputs(3), false);
        foreach (var claim in await store.ClaimAsync(2, true))
            await store.CommitAsync(claim, Outcome("answer"));
        (await store.AddAsync(Inputs(3, "new"), false)).Should().Be(new BatchAdded(0, 3, "item-0"));
        (await store.CountAsync()).Succeeded.Should().Be(2);
        (await store.AddAsync([Input(0, "new"), Input(1)], true)).Should().Be(new BatchAdded(0, 1, "item-0"));
        (await store.CountAsync()).Succeeded.Should().Be(1);
        var finished = await store.ReadFinishedAsync(BatchContent.Outcome).ToListAsync();
        finished.Select(f => f.Id).Should().Equal("item-1");
        await store.RedoAsync(finished);
        await store.RedoAsync(finished);
        (await store.CountAsync()).Finished.Should().Be(0);
        (await store.ClaimAsync(9, true)).Select(c => Encoding.UTF8.GetString(c.Input.Span)).Should().Equal("new 0", "input 1", "input 2");
    }

    [Fact(Timeout = 120_000)]
    public async Task Workers_that_open_a_new_database_at_once_migrate_it_once()
    {
        await using var database = await server.NewDatabaseAsync();
        var stores = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => PostgreSqlBatchStore.OpenStoreAsync(database, $"batch-{i}")));
        stores.Should().HaveCount(10);
        var same = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => PostgreSqlBatchStore.OpenStoreAsync(database, "one")));
        await same[0].AddAsync(Inputs(5), false);
        (await same[9].CountAsync()).Total.Should().Be(5);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_missing_or_newer_schema_is_refused_by_name()
    {
        await using var database = await server.NewDatabaseAsync();
        var open = () => PostgreSqlBatchStore.OpenStoreAsync(database, "reviews", new() { Migrate = false });
        await open.Should().ThrowAsync<BatchStoreException>().WithMessage("*schema 'hakit' is missing*hakit batch schema*");
        await (await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews")).DisposeAsync();
        await using var command = database.CreateCommand("insert into hakit.schema_version (version) values (2)");
        await command.ExecuteNonQueryAsync();
        await open.Should().ThrowAsync<BatchStoreException>().WithMessage("*has version 2*knows version 1*Update the package*");
    }

    [Fact(Timeout = 120_000)]
    public async Task The_script_makes_a_role_that_runs_batches_and_changes_no_table()
    {
        await using var database = await server.NewDatabaseAsync();
        for (var run = 0; run < 2; run++)
        {
            await using var script = database.CreateCommand(PostgreSqlBatchStore.SchemaScript);
            await script.ExecuteNonQueryAsync();
        }
        await using var login = database.CreateCommand("create role a_worker login in role hakit_worker");
        await login.ExecuteNonQueryAsync();
        await using var asWorker = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "a_worker" });
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(asWorker, "reviews", new() { Migrate = false });
        await store.AddAsync(Inputs(2), false);
        foreach (var claim in await store.ClaimAsync(2, true))
            (await store.CommitAsync(claim, Outcome("answer"))).Should().BeTrue();
        await using var drop = asWorker.CreateCommand("drop table hakit.batch_item");
        await drop.Invoking(d => d.ExecuteNonQueryAsync()).Should().ThrowAsync<PostgresException>().WithMessage("*must be owner*");
        await using var delete = asWorker.CreateCommand("delete from hakit.batch_item");
        await delete.Invoking(d => d.ExecuteNonQueryAsync()).Should().ThrowAsync<PostgresException>().WithMessage("*permission denied*");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_server_that_does_not_wait_for_its_disk_is_noticed_and_said()
    {
        await using var database = await server.NewDatabaseAsync(static b => b.Options = "-c synchronous_commit=off");
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        store.Notices.Should().ContainSingle().Which.Should().StartWith("synchronous_commit is off");
        await using var safe = await server.NewDatabaseAsync();
        (await PostgreSqlBatchStore.OpenStoreAsync(safe, "reviews")).Notices.Should().BeEmpty();
    }

    [Fact(Timeout = 120_000)]
    public async Task Claims_read_the_open_items_alone()
    {
        await using var database = await server.NewDatabaseAsync();
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        await store.AddAsync(Inputs(1), false);
        await using var fill = database.CreateCommand("""
            insert into hakit.batch_item (batch_id, item_id, input, input_hash, state) select batch_id, 'done-' || i, 'x', 'x', 2 from hakit.batch, generate_series(1, 20000) i;
            analyze hakit.batch_item
            """);
        await fill.ExecuteNonQueryAsync();
        await using var explain = database.CreateCommand("""
            explain (analyze, buffers, format text) select ordinal from hakit.batch_item
            where batch_id = 1 and state < 2 and (state = 0 or lease_until < clock_timestamp()) order by ordinal limit 10
            """);
        var plan = new StringBuilder();
        await using (var reader = await explain.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                plan.AppendLine(reader.GetString(0));
        }

        plan.ToString().Should().Contain("batch_item_open").And.MatchRegex(@"Buffers: shared hit=\d\b");
    }

    [Fact(Timeout = 300_000)]
    public async Task A_server_that_is_killed_or_frozen_in_the_middle_of_a_batch_loses_nothing_that_was_stored()
    {
        var own = new PostgreSqlServer();
        await own.InitializeAsync();
        try
        {
            await using var database = await own.NewDatabaseAsync();
            await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
            await store.AddAsync(Inputs(400), false);
            var stored = new System.Collections.Concurrent.ConcurrentBag<string>();
            var workers = Enumerable.Range(0, 4).Select(_ => Task.Run(WorkAsync)).ToArray();
            for (var times = 0; times < 2; times++)
            {
                while (stored.Count < 100 * (times + 1))
                    await Task.Delay(5);
                if (times == 0)
                {
                    await own.KillAsync();
                    await own.RestartAsync();
                }
                else
                {
                    await own.SignalAsync("STOP");
                    await Task.Delay(2000);
                    await own.SignalAsync("CONT");
                }
            }
            await Task.WhenAll(workers);
            var results = await ResultsAsync(store);
            stored.Should().OnlyHaveUniqueItems();
            stored.Except(results.Keys).Should().BeEmpty("what was said to be stored is there");
            results.Should().OnlyContain(r => r.Value == "answer to " + r.Key);

            async Task WorkAsync()
            {
                while (await store.ClaimAsync(3, true) is { Count: > 0 } claims)
                {
                    foreach (var claim in claims)
                    {
                        if (await store.CommitAsync(claim, Outcome("answer to " + claim.Id)))
                            stored.Add(claim.Id);
                    }
                }
            }
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_database_with_the_first_schema_is_opened_by_this_version()
    {
        await using var database = await server.NewDatabaseAsync();
        await using (var script = database.CreateCommand(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "fixtures", "schema-1.sql"))))
            await script.ExecuteNonQueryAsync();
        await using var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews", new() { Migrate = false });
        (await ResultsAsync(store)).Should().BeEquivalentTo(new Dictionary<string, string> { ["item-0"] = "answer" });
        (await store.ClaimAsync(9, true)).Select(c => c.Id).Should().Equal("item-1");
    }

    private static async Task Expire(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("update hakit.batch_item set lease_until = clock_timestamp() - interval '1 second' where state = 1");
        await command.ExecuteNonQueryAsync();
    }
}
