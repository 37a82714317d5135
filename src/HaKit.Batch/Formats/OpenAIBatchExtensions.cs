using HaKit.Batch.Running;

namespace HaKit.Batch.Formats;

/// <summary>Runs requests in OpenAI's batch format over a pool.</summary>
public static class OpenAIBatchExtensions
{
    /// <summary>Creates a batch of requests over a store.</summary>
    /// <param name="store">The store; disposed with the batch.</param>
    public static Batch<OpenAIBatchRequest> AsOpenAIBatch(this Stores.IBatchStore store) => new(store, OpenAIBatchJson.Default.OpenAIBatchRequest);

    /// <summary>
    /// Runs a batch of requests. Each request is posted to the pool unchanged. If a request has another path or body than the request to which its stored result
    /// belongs, <see cref="BatchRunOptions.OnChanged"/> decides what happens.
    /// </summary>
    /// <param name="pool">The pool; its endpoints must have addresses.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="options">The options of the run. Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <exception cref="BatchChangedException">Stored results belong to other requests, and <see cref="BatchRunOptions.OnChanged"/> is <see cref="OnChanged.Refuse"/>.</exception>
    /// <exception cref="BatchStoppedException">The run ended before all items had an outcome, because a limit of the options was reached (<see cref="BatchStopReason"/>).</exception>
    /// <exception cref="BatchStoreException">The store failed.</exception>
    /// <exception cref="InvalidOperationException">Another run of this batch is under way.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or there is a cost limit and an endpoint has no price.</exception>
    public static IAsyncEnumerable<BatchResult<OpenAIBatchRequest, OpenAIBatchAnswer>> RunOpenAIBatchAsync(
        this EndpointPool pool, Batch<OpenAIBatchRequest> batch, BatchRunOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(batch);
        options = options?.Copy() ?? new();
        return new BatchRun<OpenAIBatchRequest, OpenAIBatchAnswer>(batch, new HttpWork(pool, pool.CreateHttpClient()), options).RunAsync(cancellationToken);
    }
}
