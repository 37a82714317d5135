using System.Diagnostics;
using System.Globalization;
using HaKit.Batch;
using HaKit.Batch.Formats;

namespace HaKit.PostgreSql.Tests;

/// <summary>
/// Whole batches from the command line, killed with −9 and frozen. HAKIT_BATCH_ITEMS and HAKIT_BATCH_KILLS set how many; the figures of docs/evidence are from 10,000 and 20.
/// </summary>
[Collection(nameof(PostgreSqlServer))]
public sealed class KilledBatchTests(PostgreSqlServer server)
{
    private static readonly int Items = Setting("HAKIT_BATCH_ITEMS", 600);
    private static readonly int Kills = Setting("HAKIT_BATCH_KILLS", 4);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static void Tell(string line) => TestContext.Current.SendDiagnosticMessage("EVIDENCE " + line);

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : usual;

    [Fact(Timeout = 1_800_000)]
    public async Task A_journal_whose_process_is_killed_again_and_again_has_one_right_result_for_each_item()
    {
        await using var world = await BatchProcesses.StartAsync(Items);
        var journal = Path.Combine(world.Folder, "reviews.journal");
        var random = new Random(26);
        var killed = 0;
        while (true)
        {
            using var process = world.Run("--output", world.Output, "--journal", journal);
            if (killed < Kills)
            {
                var before = world.Requests.Values.Sum();
                await WaitForProgressAsync(world, process, before + random.Next(1, Math.Max(2, 2 * Items / Math.Max(1, Kills + 1))));
                if (!process.HasExited)
                {
                    process.Kill();
                    killed++;
                }
            }
            await process.WaitForExitAsync(Token);
            if (killed >= Kills && process.ExitCode == 0)
                break;
            if (process.ExitCode == 0)
                killed = Kills; // the batch was done before all kills
            process.ExitCode.Should().BeOneOf([0, 137], "it said: {0}", string.Join('\n', world.Errors));
        }
        world.VerifyResults(Items);
        await using var store = await BatchJournal.OpenExistingStoreAsync(journal, null, Token);
        var counts = await store.CountAsync(Token);
        counts.Succeeded.Should().Be(Items);
        Tell($"journal: {Items} items, the process killed {Kills} times. The journal has notes of {counts.Calls} calls; {counts.LostCalls} of these calls have no result, because the process was killed. {world.Story}");
    }

    [Fact(Timeout = 1_800_000)]
    public async Task Workers_on_PostgreSQL_of_which_one_is_frozen_past_its_lease_and_others_are_killed_give_one_right_result_for_each_item()
    {
        await using var database = await server.NewDatabaseAsync();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Freezing needs signals.");
        await using var world = await BatchProcesses.StartAsync(Items);
        string[] store = ["--postgresql", database.ConnectionString, "--batch", "reviews"];
        var workers = Enumerable.Range(0, 4).Select(_ => world.Run(store)).ToList();
        var random = new Random(27);
        await WaitForProgressAsync(world, workers[0], Items / 10);
        var frozen = workers[0];
        Signal("STOP", frozen);
        await ExpireLeasesAsync(database, frozen.Id);
        for (var kill = 0; kill < Kills; kill++)
        {
            await WaitForProgressAsync(world, workers[1], world.Requests.Values.Sum() + random.Next(1, Math.Max(2, Items / (Kills + 1))));
            var victim = workers[random.Next(1, workers.Count)];
            if (!victim.HasExited)
                victim.Kill();
            await victim.WaitForExitAsync(Token);
            await ExpireLeasesAsync(database, victim.Id);
            workers.Add(world.Run(store));
        }
        Signal("CONT", frozen);
        foreach (var worker in workers)
            await worker.WaitForExitAsync(Token);
        workers.Select(w => w.ExitCode).Should().OnlyContain(code => code == 0 || code == 137, "they said: {0}", string.Join('\n', world.Errors));
        await using var opened = await PostgreSqlBatchStore.OpenStoreAsync(database, "reviews", null, Token);
        await using (var file = File.Create(world.Output))
            await OpenAIBatchFile.ExportAsync(file, opened, Token);
        world.VerifyResults(Items);
        var counts = await opened.CountAsync(Token);
        (counts.Total, counts.Succeeded, counts.UnderWay).Should().Be((Items, Items, 0));
        Tell($"PostgreSQL: {Items} items, {workers.Count} workers, one of them frozen and {Kills} killed. {counts.LostCalls} claims were taken over by another worker. {world.Story}");
        workers.ForEach(static w => w.Dispose());
    }

    private static async Task WaitForProgressAsync(BatchProcesses world, Process process, int requests)
    {
        while (!process.HasExited && world.Requests.Values.Sum() < requests)
            await Task.Delay(20, Token);
    }

    private static void Signal(string signal, Process process)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    // The test does not wait for a minute: the leases of one process end now.
    private static async Task ExpireLeasesAsync(Npgsql.NpgsqlDataSource database, int process)
    {
        await using var command = database.CreateCommand("update hakit.batch_item set lease_until = clock_timestamp() - interval '1 second' where state = 1 and worker like $1");
        command.Parameters.Add(new() { Value = $"%/{process.ToString(CultureInfo.InvariantCulture)}/%" });
        await command.ExecuteNonQueryAsync(Token);
    }
}
