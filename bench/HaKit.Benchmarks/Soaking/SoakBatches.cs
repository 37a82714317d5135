using System.Net.Http.Json;
using System.Text.Json;
using HaKit.Batch;
using HaKit.Testing;

namespace HaKit.Benchmarks;

/// <summary>Runs one batch after another over a pool, each in its own journal. Every item must come exactly once, with the correct answer.</summary>
internal sealed class SoakBatches(EndpointPool pool, string folder) : IAsyncDisposable
{
    public const int Size = 200;

    private readonly HttpClient _http = new();

    public long Batches { get; private set; }

    public long Items { get; private set; }

    public long Bad { get; private set; }

    public string? FirstLoss { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var journal = Path.Combine(folder, "soak.journal");
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using (var batch = await BatchJournal.OpenAsync<string>(journal, cancellationToken: CancellationToken.None))
                    await RunAsync(batch);
                Batches++;
            }
#pragma warning disable CA1031 // An exception that ends a run is counted as a lost batch.
            catch (Exception e)
#pragma warning restore CA1031
            {
                (Bad, FirstLoss) = (Bad + 1, FirstLoss ?? e.ToString());
            }
            foreach (var file in Directory.EnumerateFiles(folder))
                File.Delete(file);
        }
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return default;
    }

    private async Task RunAsync(Batch<string> batch)
    {
        var prompts = Enumerable.Range(0, Size).Select(i => $"item {Batches % 50} {i}").ToHashSet();
        await batch.AddAsync(prompts, static p => p);
        await foreach (var done in pool.RunBatchAsync(batch, AskAsync))
        {
            Items++;
            if (prompts.Remove(done.Id) && done.Result == FakeAnswers.AnswerTo(done.Item))
                continue;
            (Bad, FirstLoss) = (Bad + 1, FirstLoss ?? $"{done.Id} is {done.State}: {done.Error ?? done.Result}");
        }
        Bad += prompts.Count;
    }

    private async ValueTask<string> AskAsync(EndpointAttempt attempt, string prompt, CancellationToken cancellationToken)
    {
        using var response = await _http.PostAsJsonAsync(
            new Uri(attempt.Endpoint.Address!.AbsoluteUri.TrimEnd('/') + "/chat/completions"), new { model = "m", messages = new[] { new { role = "user", content = prompt } } }, cancellationToken);
        response.EnsureSuccessStatusCode();
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (text.Length == 0)
            throw new HttpRequestException(HttpRequestError.InvalidResponse, "The answer is empty.");
        using var answer = JsonDocument.Parse(text);
        return answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }
}
