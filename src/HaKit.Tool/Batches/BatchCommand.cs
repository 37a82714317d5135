using System.CommandLine;
using System.Globalization;
using HaKit.Batch;
using HaKit.Batch.Formats;
using HaKit.Batch.Stores;
using HaKit.PostgreSql;

namespace HaKit.Tool.Batches;

/// <summary>The commands for batches of requests that continue after a restart of the process: run, show, repair, export, schema.</summary>
internal static class BatchCommand
{
    public static Command Create() => new("batch", """
        Runs files of requests (in the format of OpenAI's batch API) over a pool, and stores one result for each request.
        Shows, repairs and exports batches.
        If a run ends early, the same command continues it.
        """) { BatchRunCommand.Create(), Show(), Repair(), Export(), Schema() };

    private static Command Show()
    {
        var store = new BatchStoreOptions();
        var command = new Command("show", "Shows the progress and the cost of a batch.") { store.Journal, store.PostgreSql, store.Name };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var opened = await store.OpenAsync(parsed, create: false, cancellationToken);
            var counts = await opened.CountAsync(cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            foreach (var notice in opened.Notices)
                await output.WriteLineAsync(notice);
            foreach (var line in Lines(counts))
                await output.WriteLineAsync(line);
            return HakitTool.Good;
        });
        return command;
    }

    private static Command Repair()
    {
        var journal = CommandOptions.Text("--journal", "NAME", "the damaged journal; it is not changed");
        journal.Required = true;
        var to = CommandOptions.Text("--to", "NAME", "the new journal");
        to.Required = true;
        var command = new Command("repair", """
            Copies every valid record of a damaged journal to a new journal.
            Exit code 1 if records were lost. The next run repeats the calls that had their results in damaged records.
            """) { journal, to };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var repair = await BatchStoreOptions.InNamesAsync(() => BatchJournal.RepairAsync(parsed.GetRequiredValue(journal)!, parsed.GetRequiredValue(to)!, null, cancellationToken));
            await parsed.InvocationConfiguration.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{repair.Items} items and {repair.Outcomes} outcomes copied; {repair.SkippedBytes} bytes are damaged, {repair.Orphans} outcomes were not copied, because their items are lost."));
            return repair.SkippedBytes + repair.Orphans == 0 ? HakitTool.Good : HakitTool.Bad;
        });
        return command;
    }

    private static Command Export()
    {
        var store = new BatchStoreOptions();
        var file = CommandOptions.Text("--output", "FILE", "the file for the results, in the format of OpenAI's batch API");
        file.Required = true;
        var command = new Command("export", "Writes the results that a batch has, in the order of its items.") { store.Journal, store.PostgreSql, store.Name, file };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var opened = await store.OpenAsync(parsed, create: false, cancellationToken);
            await using var stream = OutputFile.Create("--output", parsed.GetRequiredValue(file)!);
            var lines = await OpenAIBatchFile.ExportAsync(stream, opened, cancellationToken);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{lines} results written."));
            return HakitTool.Good;
        });
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", "Prints the script that creates the tables and the roles hakit_owner and hakit_worker in PostgreSQL. You can run the script again.");
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.Write(PostgreSqlBatchStore.SchemaScript));
        return command;
    }

    private static IEnumerable<string> Lines(BatchCounts counts)
    {
        yield return Line("items", counts.Total);
        yield return Line("succeeded", counts.Succeeded);
        yield return Line("failed", counts.Failed);
        yield return Line("unknown", counts.Unknown);
        yield return Line("without an outcome", counts.Total - counts.Finished);
        yield return Line("calls begun", counts.Calls);
        yield return Line("calls lost with their process", counts.LostCalls);
        yield return string.Create(CultureInfo.InvariantCulture, $"{counts.Spent,12:0.00}  spent");

        static string Line(string what, long count) => string.Create(CultureInfo.InvariantCulture, $"{count,12}  {what}");
    }
}
