using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using HaKit.Batch;
using HaKit.Batch.Stores;

namespace HaKit.PostgreSql.Tests;

/// <summary>
/// Measures what the stores alone do in a second, with results of 500 bytes. Run with HAKIT_BATCH_MEASURE=1 on an idle machine; no assertion depends on a time.
/// </summary>
[Collection(nameof(PostgreSqlServer))]
public sealed class ThroughputTests(PostgreSqlServer server)
{
    private static readonly byte[] Payload = RandomNumberGenerator.GetBytes(500);

    private static void OnlyWhenAsked() => Assert.SkipUnless(Environment.GetEnvironmentVariable("HAKIT_BATCH_MEASURE") == "1", "Measures times; set HAKIT_BATCH_MEASURE=1.");

    private static void Tell(string line) => TestContext.Current.SendDiagnosticMessage("EVIDENCE " + line);

    private static BatchOutcome Outcome => new() { State = BatchItemState.Succeeded, Request = RequestFingerprint.Compute(Payload), Result = Payload, Endpoint = "main", Attempts = 1 };

    [Fact(Timeout = 900_000)]
    public async Task Journal()
    {
        OnlyWhenAsked();
        var folder = Directory.CreateTempSubdirectory("hakit-batch-");
        foreach (var workers in (int[])[1, 10, 50, 200])
        {
            await using var store = await BatchJournal.OpenStoreAsync(Path.Combine(folder.FullName, $"{workers}.journal"));
            var items = workers == 1 ? 2000 : 20_000;
            await store.AddAsync(Inputs(0, items), false);
            var seconds = await WorkAsync([store], workers, claimAtOnce: 10);
            Tell(string.Create(CultureInfo.InvariantCulture, $"journal, {workers} calls at once: {items / seconds:0} items/s"));
        }
        folder.Delete(recursive: true);
    }

    [Fact(Timeout = 900_000)]
    public async Task PostgreSql_in_groups_of_ten_before_and_after_a_million_finished_items()
    {
        OnlyWhenAsked();
        await using var database = await server.NewDatabaseAsync();
        var store = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews");
        store.Notices.Should().BeEmpty("synchronous_commit and fsync are on");
        const int items = 5000;
        var rates = new List<double>();
        for (var round = 0; round < 4; round++)
        {
            if (round == 2)
            {
                await using var fill = database.CreateCommand("""
                    insert into hakit.batch_item (batch_id, item_id, input, input_hash, state, request, result, endpoint, finished_at)
                    select 1, 'done-' || i, decode(repeat('ab', 500), 'hex'), '\x00', 2, decode(repeat('cd', 44), 'hex'), decode(repeat('ef', 500), 'hex'), 'main', now() from generate_series(1, 1000000) i
                    """);
                fill.CommandTimeout = 900;
                await fill.ExecuteNonQueryAsync();
                await using var vacuum = database.CreateCommand("vacuum analyze hakit.batch_item");
                vacuum.CommandTimeout = 900;
                await vacuum.ExecuteNonQueryAsync();
            }
            await store.AddAsync(Inputs(round * items, items), false);
            var workers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PostgreSqlBatchStore.OpenStoreAsync(database, "reviews")));
            var seconds = await WorkAsync(workers, 80, claimAtOnce: 10);
            rates.Add(items / seconds);
            Tell(string.Create(CultureInfo.InvariantCulture, $"PostgreSQL, 8 workers in groups of 10{(round < 2 ? "" : ", with 1,000,000 finished items in the store")}: {items / seconds:0} items/s"));
        }
        Tell(string.Create(CultureInfo.InvariantCulture, $"with the finished items, the faster of the two rounds takes {rates.Take(2).Max() / rates.Skip(2).Max():0.00} times as long"));
    }

    private static BatchInput[] Inputs(int from, int count) => [.. Enumerable.Range(from, count).Select(static i => new BatchInput(string.Create(CultureInfo.InvariantCulture, $"item-{i}"), Payload))];

    // Each lane claims some items, then stores all their outcomes at once, as calls that end together do.
    private static async Task<double> WorkAsync(IBatchStore[] stores, int lanes, int claimAtOnce)
    {
        var outcome = Outcome;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Math.Max(1, lanes / claimAtOnce)).Select(i => Task.Run(() => LaneAsync(stores[i % stores.Length]))));
        return Stopwatch.GetElapsedTime(began).TotalSeconds;

        async Task LaneAsync(IBatchStore store)
        {
            while (await store.ClaimAsync(lanes == 1 ? 1 : claimAtOnce, true) is { Count: > 0 } claims)
                await Task.WhenAll(claims.Select(c => store.CommitAsync(c, outcome).AsTask()));
        }
    }
}
