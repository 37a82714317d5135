using System.CommandLine;
using HaKit.Batch;
using HaKit.Batch.Formats;
using HaKit.Batch.Stores;
using HaKit.Tool.Simulations;

namespace HaKit.Tool.Batches;

/// <summary>Runs a file of requests over a pool.</summary>
internal static class BatchRunCommand
{
    public static Command Create()
    {
        var store = new BatchStoreOptions();
        var input = CommandOptions.Text("--input", "FILE", "the requests, in the format of OpenAI's batch API; not needed if the batch already has its requests");
        var pool = CommandOptions.Text("--pool", "FILE", "the pool's settings as JSON, such as an appsettings.json");
        pool.Required = true;
        var output = CommandOptions.Text("--output", "FILE", "the file to which all results are written at the end of the batch, in the format of OpenAI's batch API");
        var maxCost = CommandOptions.Number("--max-cost", "C", "the maximum cost of the batch, all its runs together; 0: no limit", 0, 0, 1e12);
        var maxFailures = CommandOptions.CreateWhole("--max-failures", "N", "how many items may fail before the run ends", int.MaxValue);
        var stopAfter = CommandOptions.Duration("--stop-after", "the time after which the run stops (default: at the end of the batch)");
        var onChanged = CommandOptions.CreateOption<OnChanged>("--on-changed", "WHAT", "what to do if a request has changed since its result was stored: refuse the run, redo the request, or keep the old result",
            text => Enum.TryParse<OnChanged>(text, ignoreCase: true, out var value) && !int.TryParse(text, out _) ? value : null, "refuse, redo or keep", OnChanged.Refuse);
        var once = CommandOptions.Flag("--no-repeat", "does not repeat a call that may have been processed");
        var redoFailed = CommandOptions.Flag("--redo-failed", "tries failed items again");
        var command = new Command("run", """
            Runs the requests over a pool until each request has a result. After an interruption, the same command continues.
            Exit code 1 if items failed, or if the run ended before all items had a result.
            """) { store.Journal, store.PostgreSql, store.Name, input, pool, output, maxCost, maxFailures, stopAfter, onChanged, once, redoFailed };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new BatchRunOptions
            {
                OnlyNew = true,
                OnChanged = parsed.GetValue(onChanged),
                MaxCost = parsed.GetValue(maxCost) is > 0 and var cost ? cost : null,
                MaxFailures = parsed.GetValue(maxFailures) is < int.MaxValue and var failures ? failures : null,
                StopAt = parsed.GetValue(stopAfter) is { } after ? DateTimeOffset.UtcNow + after : null,
                MayRepeat = !parsed.GetValue(once),
                RedoFailed = parsed.GetValue(redoFailed),
            };
            var error = parsed.InvocationConfiguration.Error;
            var poolOptions = ReadPool(parsed.GetRequiredValue(pool)!); // read first, so that a mistake in it leaves no new journal
            // The file is opened first, so that a long run does not end with a file that cannot be written. Its content is replaced at the end.
            await using var results = parsed.GetValue(output) is { } name ? OutputFile.Open("--output", name) : null;
            await using var batch = (await store.OpenAsync(parsed, create: true, cancellationToken)).AsOpenAIBatch();
            foreach (var notice in batch.Notices)
                await error.WriteLineAsync(notice);
            using var endpoints = new EndpointPool("batch", poolOptions);
            if (parsed.GetValue(input) is { } requests)
                await AddAsync(batch, requests, options.OnChanged, cancellationToken);
            if ((await batch.Store.CountAsync(cancellationToken)).Total == 0)
                throw new UsageException(parsed.GetValue(input) is { } empty ? $"--input is '{empty}', which has no requests. {Form}" : $"The batch has no requests yet: give them with --input FILE. {Form}");
            var exitCode = await RunAsync(endpoints, batch, options, error, cancellationToken);
            if (results is not null)
            {
                results.SetLength(0);
                await OpenAIBatchFile.ExportAsync(results, batch.Store, cancellationToken);
            }
            return exitCode;
        });
        return command;
    }

    private const string Form = """Each line is one request: {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": { … }}.""";

    private static EndpointPoolOptions ReadPool(string file)
    {
        var options = PoolFile.Read(file);
        return options.Endpoints.FirstOrDefault(static e => e.Address is null) is { } without
            ? throw new UsageException($"--pool is '{file}': the endpoint '{without.Name}' has no Address. Set the Address, because the requests are sent over HTTP.")
            : options;
    }

    private static async Task AddAsync(Batch<OpenAIBatchRequest> batch, string file, OnChanged onChanged, CancellationToken cancellationToken)
    {
        try
        {
            await using var requests = File.OpenRead(file);
            await batch.AddAsync(OpenAIBatchFile.ReadAsync(requests, cancellationToken), static r => r.CustomId, onChanged, cancellationToken);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException or InvalidDataException or BatchChangedException or ArgumentException)
        {
            throw new UsageException($"--input is '{file}', which cannot be used: {exception.Message}");
        }
    }

    private static async Task<int> RunAsync(EndpointPool pool, Batch<OpenAIBatchRequest> batch, BatchRunOptions options, TextWriter error, CancellationToken cancellationToken)
    {
        await using var progress = BatchProgressLine.Start(error, () => batch.Progress);
        try
        {
            await foreach (var _ in pool.RunOpenAIBatchAsync(batch, options, cancellationToken))
            {
                // The run has committed all results. They are exported from the store.
            }
        }
        catch (Exception exception) when (exception is EndpointPoolException or BatchStoppedException or BatchStoreException or BatchChangedException or ArgumentException)
        {
            await progress.EndAsync();
            await error.WriteLineAsync(exception is EndpointPoolException ? CommandFailure.FromException(exception).Message : exception.Message);
            return HakitTool.Bad;
        }
        await progress.EndAsync();
        return batch.Progress.Counts is { Failed: 0, Unknown: 0 } ? HakitTool.Good : HakitTool.Bad;
    }
}
