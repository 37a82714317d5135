using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using HaKit.Batch.Running;
using Microsoft.Extensions.AI;

namespace HaKit.Batch;

/// <summary>Sets how a batch of chat calls is run. Not thread-safe; the method that runs the batch takes a copy.</summary>
public sealed class ChatBatchOptions : BatchRunOptions
{
    /// <summary>
    /// Gets or sets the options of every call: model, temperature, output tokens, response format, tools. If they change, stored results no longer match (<see
    /// cref="OnChanged"/>). Default null.
    /// </summary>
    public ChatOptions? Chat { get; set; }

    internal override BatchRunOptions Copy()
    {
        var copy = (ChatBatchOptions)base.Copy();
        copy.Chat = Chat?.Clone();
        return copy;
    }
}

/// <summary>Sets how a batch of embeddings is run. Not thread-safe; the method that runs the batch takes a copy.</summary>
public sealed class EmbeddingBatchOptions : BatchRunOptions
{
    /// <summary>Gets or sets the options of every call. If they change, stored results no longer match (<see cref="OnChanged"/>). Default null.</summary>
    public EmbeddingGenerationOptions? Embeddings { get; set; }

    /// <summary>
    /// Gets or sets the number of texts in one call. Default 100; at least 1, at most the maximum of the model. Never more than <see
    /// cref="HaKit.AI.EndpointPoolEmbeddingOptions.MaxBatchSize"/>.
    /// </summary>
    public int GroupSize { get; set; } = 100;

    internal override BatchRunOptions Copy()
    {
        var copy = (EmbeddingBatchOptions)base.Copy();
        copy.Embeddings = Embeddings?.Clone();
        return copy;
    }
}

/// <summary>Runs batches.</summary>
public static class BatchExtensions
{
    /// <inheritdoc cref="RunBatchAsync{TItem}(IChatClient, Batch{TItem}, Func{TItem, IEnumerable{ChatMessage}}, ChatBatchOptions?, CancellationToken)"/>
    public static IAsyncEnumerable<BatchResult<TItem, ChatResponse>> RunBatchAsync<TItem>(
        this IChatClient chat, Batch<TItem> batch, Func<TItem, IEnumerable<ChatMessage>> messages, CancellationToken cancellationToken) =>
        RunBatchAsync(chat, batch, messages, null, cancellationToken);

    /// <summary>
    /// Runs a batch of chat calls. It returns the results of earlier runs first. Then it returns each result as soon as the result is durable, in the order of
    /// completion. The enumeration ends when all items have an outcome. Each item has one stored result, but its call may be made, and billed, more than once.
    /// </summary>
    /// <typeparam name="TItem">The type of the items.</typeparam>
    /// <param name="chat">The chat client of a pool, or a client that wraps it.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="messages">Creates an item's prompt. It may run several times for an item, and must return the same prompt each time.</param>
    /// <param name="options">The options of the run. Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the run: calls in flight are cancelled, stored outcomes stay.</param>
    /// <exception cref="BatchChangedException">Stored results belong to other prompts or options, and <see cref="BatchRunOptions.OnChanged"/> is <see cref="OnChanged.Refuse"/>.</exception>
    /// <exception cref="BatchStoppedException">The run ended before all items had an outcome, because a limit of the options was reached (<see cref="BatchStopReason"/>).</exception>
    /// <exception cref="BatchStoreException">The store failed; outcomes that it did not store are in <see cref="BatchStoreException.Unsaved"/>.</exception>
    /// <exception cref="InvalidOperationException">Another run of this batch is under way.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or there is a cost limit and an endpoint has no price.</exception>
    public static IAsyncEnumerable<BatchResult<TItem, ChatResponse>> RunBatchAsync<TItem>(
        this IChatClient chat, Batch<TItem> batch, Func<TItem, IEnumerable<ChatMessage>> messages, ChatBatchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chat);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(messages);
        options = (ChatBatchOptions?)options?.Copy() ?? new();
        return new BatchRun<TItem, ChatResponse>(batch, new ChatWork<TItem>(chat, messages, options), options).RunAsync(cancellationToken);
    }

    /// <summary>Runs a batch of embeddings, with many texts in a call.</summary>
    /// <typeparam name="TItem">The type of the items.</typeparam>
    /// <param name="generator">The generator of a pool, or a generator that wraps it.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="text">Returns an item's text.</param>
    /// <param name="options">The options of the run. Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <inheritdoc cref="RunBatchAsync{TItem}(IChatClient, Batch{TItem}, Func{TItem, IEnumerable{ChatMessage}}, ChatBatchOptions?, CancellationToken)" path="/exception"/>
    public static IAsyncEnumerable<BatchResult<TItem, Embedding<float>>> RunBatchAsync<TItem>(
        this IEmbeddingGenerator<string, Embedding<float>> generator, Batch<TItem> batch, Func<TItem, string> text, EmbeddingBatchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(text);
        options = (EmbeddingBatchOptions?)options?.Copy() ?? new();
        BatchRunOptions.ThrowIf(options.GroupSize < 1, nameof(options.GroupSize), options.GroupSize, "Give at least 1.");
        return new BatchRun<TItem, Embedding<float>>(batch, new EmbeddingWork<TItem>(generator, text, options), options).RunAsync(cancellationToken);
    }

    /// <summary>Runs a batch of callbacks over a pool. Results are written as JSON with reflection.</summary>
    /// <inheritdoc cref="RunBatchAsync{TItem, TResult}(EndpointPool, Batch{TItem}, Func{EndpointAttempt, TItem, CancellationToken, ValueTask{TResult}}, JsonTypeInfo{TResult}, BatchRunOptions?, CancellationToken)"/>
    [RequiresUnreferencedCode(Batch.Reflects)]
    [RequiresDynamicCode(Batch.Reflects)]
    public static IAsyncEnumerable<BatchResult<TItem, TResult>> RunBatchAsync<TItem, TResult>(
        this EndpointPool pool, Batch<TItem> batch, Func<EndpointAttempt, TItem, CancellationToken, ValueTask<TResult>> callback, BatchRunOptions? options = null, CancellationToken cancellationToken = default) =>
        RunBatchAsync(pool, batch, callback, (JsonTypeInfo<TResult>)JsonSerializerOptions.Web.GetTypeInfo(typeof(TResult)), options, cancellationToken);

    /// <summary>Runs a batch of callbacks over a pool. The fingerprint of a request covers the item and <see cref="BatchRunOptions.Version"/>.</summary>
    /// <typeparam name="TItem">The type of the items.</typeparam>
    /// <typeparam name="TResult">The type of the results.</typeparam>
    /// <param name="pool">The pool.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="callback">Makes one attempt for an item, as the callback of <see cref="EndpointPool.ExecuteAsync{TState, TResult}"/> does.</param>
    /// <param name="resultType">The JSON contract of the results.</param>
    /// <param name="options">The options of the run. Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <inheritdoc cref="RunBatchAsync{TItem}(IChatClient, Batch{TItem}, Func{TItem, IEnumerable{ChatMessage}}, ChatBatchOptions?, CancellationToken)" path="/exception"/>
    public static IAsyncEnumerable<BatchResult<TItem, TResult>> RunBatchAsync<TItem, TResult>(
        this EndpointPool pool, Batch<TItem> batch, Func<EndpointAttempt, TItem, CancellationToken, ValueTask<TResult>> callback, JsonTypeInfo<TResult> resultType,
        BatchRunOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(callback);
        ArgumentNullException.ThrowIfNull(resultType);
        options = options?.Copy() ?? new();
        return new BatchRun<TItem, TResult>(batch, new CallbackWork<TItem, TResult>(pool, callback, options.Version, resultType), options).RunAsync(cancellationToken);
    }
}
