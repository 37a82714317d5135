using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using HaKit.Batch.Stores;

namespace HaKit.Batch;

/// <summary>
/// Represents a batch: items and their outcomes, in a store that survives the process. Add items, then run the batch over a pool, a chat client or an embedding
/// generator. Thread-safe. Only one run at a time is allowed: a second run throws an <see cref="InvalidOperationException"/>.
/// </summary>
/// <typeparam name="TItem">The type of the items; written as JSON.</typeparam>
public sealed class Batch<TItem> : IAsyncDisposable
{
    private const int AddAtOnce = 1000;

    private readonly JsonTypeInfo<TItem> _itemType;
    private int _isRunning;

    /// <summary>Creates a batch over a store. Items are written as JSON with reflection.</summary>
    /// <param name="store">The store; disposed with the batch.</param>
    [RequiresUnreferencedCode(Batch.Reflects)]
    [RequiresDynamicCode(Batch.Reflects)]
    public Batch(IBatchStore store)
        : this(store, (JsonTypeInfo<TItem>)JsonSerializerOptions.Web.GetTypeInfo(typeof(TItem)))
    {
    }

    /// <summary>Creates a batch over a store.</summary>
    /// <param name="store">The store; disposed with the batch.</param>
    /// <param name="itemType">The JSON contract of the items.</param>
    public Batch(IBatchStore store, JsonTypeInfo<TItem> itemType)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(itemType);
        (Store, _itemType) = (store, itemType);
        Panel = new BatchPanel(Path.GetFileName(store.Name), () => (Progress, IsRunning));
    }

    /// <summary>Gets the batch's name.</summary>
    public string Name => Store.Name;

    /// <summary>Gets the store.</summary>
    public IBatchStore Store { get; }

    /// <summary>
    /// Gets notices from the opening of the store, one sentence each, for example about a repaired end of a journal. Empty if there are none.
    /// </summary>
    public IReadOnlyList<string> Notices => Store.Notices;

    /// <summary>Gets the latest progress of the run in this process. Empty before the first run. Reading it costs nothing.</summary>
    public BatchProgress Progress => ProgressSource?.Invoke() ?? default;

    /// <summary>
    /// Gets the panel that shows the batch on the dashboard of HaKit.AspNetCore and in alerts. Register it as a singleton:
    /// <c>services.AddSingleton&lt;IStatusPanel&gt;(batch.Panel)</c>.
    /// </summary>
    public IStatusPanel Panel { get; }

    internal Func<BatchProgress>? ProgressSource { get; set; }

    /// <summary>Gets whether a run of this object is under way.</summary>
    internal bool IsRunning => Volatile.Read(ref _isRunning) != 0;

    /// <summary>Begins a run.</summary>
    /// <exception cref="InvalidOperationException">Another run is under way.</exception>
    internal void BeginRun()
    {
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
            throw new InvalidOperationException($"Batch '{Name}': a run is under way. Enumerate its results to the end, or dispose of its enumerator, before you begin another run.");
    }

    /// <summary>Ends the run, so that the next run may begin.</summary>
    internal void EndRun() => Volatile.Write(ref _isRunning, 0);

    /// <summary>Adds items. An item is skipped if the batch already has it with the same input. So a program may add all its items at each start.</summary>
    /// <param name="items">The items.</param>
    /// <param name="id">Returns an item's id, unique in the batch.</param>
    /// <param name="onChanged">
    /// The action if the batch already has the id with another input. Default: the changed items are refused with an exception, and the new items are added.
    /// </param>
    /// <param name="cancellationToken">Cancels the call; some of the items may have been added.</param>
    /// <returns>The number of new items.</returns>
    /// <exception cref="ArgumentException">Two of the items have the same id and different inputs, or an id is empty.</exception>
    /// <exception cref="BatchChangedException">Inputs have changed, and <paramref name="onChanged"/> is <see cref="OnChanged.Refuse"/>.</exception>
    /// <exception cref="BatchStoreException">The store failed.</exception>
    public async Task<int> AddAsync(IEnumerable<TItem> items, Func<TItem, string> id, OnChanged onChanged = OnChanged.Refuse, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(id);
        var adding = new Adding(this, id, onChanged);
        foreach (var chunk in items.Chunk(AddAtOnce))
            await adding.AddAsync(chunk, cancellationToken).ConfigureAwait(false);
        return adding.End();
    }

    /// <inheritdoc cref="AddAsync(IEnumerable{TItem}, Func{TItem, string}, OnChanged, CancellationToken)"/>
    public async Task<int> AddAsync(IAsyncEnumerable<TItem> items, Func<TItem, string> id, OnChanged onChanged = OnChanged.Refuse, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(id);
        var adding = new Adding(this, id, onChanged);
        var chunk = new List<TItem>(AddAtOnce);
        await foreach (var item in items.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            chunk.Add(item);
            if (chunk.Count < AddAtOnce)
                continue;
            await adding.AddAsync(chunk, cancellationToken).ConfigureAwait(false);
            chunk.Clear();
        }
        await adding.AddAsync(chunk, cancellationToken).ConfigureAwait(false);
        return adding.End();
    }

    /// <summary>Closes the store.</summary>
    public ValueTask DisposeAsync() => Store.DisposeAsync();

    internal TItem ItemOf(ReadOnlyMemory<byte> input) => JsonSerializer.Deserialize(input.Span, _itemType)!;

    private sealed class Adding(Batch<TItem> batch, Func<TItem, string> id, OnChanged onChanged)
    {
        private int _added;
        private long _changed;
        private string? _firstChanged;
        private readonly Dictionary<string, ReadOnlyMemory<byte>>? _all = onChanged == OnChanged.Refuse ? null : [];

        public async ValueTask AddAsync(IReadOnlyList<TItem> items, CancellationToken cancellationToken)
        {
            // If changes are refused, the store finds an id that comes again in a later chunk with another input. Otherwise one of the two inputs would be
            // lost silently.
            var known = _all ?? new Dictionary<string, ReadOnlyMemory<byte>>(items.Count);
            var inputs = new List<BatchInput>(items.Count);
            foreach (var item in items)
            {
                if (item is null)
                    throw new ArgumentException($"Batch '{batch.Name}': an item is null. Leave it out.", nameof(items));
                if (id(item) is not { Length: > 0 } name)
                    throw new ArgumentException($"Batch '{batch.Name}': the function for the id of an item returned nothing. Return a text that is different for each item.");
                var input = new BatchInput(name, JsonSerializer.SerializeToUtf8Bytes(item, batch._itemType));
                ref var same = ref CollectionsMarshal.GetValueRefOrAddDefault(known, input.Id, out var exists);
                if (exists && !same.Span.SequenceEqual(input.Payload.Span))
                    throw new ArgumentException($"Two items have the id '{input.Id}' and different inputs.", nameof(items));
                same = input.Payload;
                if (!exists)
                    inputs.Add(input);
            }
            if (inputs.Count == 0)
                return;
            var found = await batch.Store.AddAsync(inputs, onChanged == OnChanged.Redo, cancellationToken).ConfigureAwait(false);
            _added += found.Added;
            _changed += found.Changed;
            _firstChanged ??= found.FirstChanged;
        }

        public int End() => _changed > 0 && onChanged == OnChanged.Refuse
            ? throw new BatchChangedException(batch.Name, _changed, _firstChanged!, "the input")
            : _added;
    }
}

/// <summary>Contains what all batches have in common.</summary>
internal static class Batch
{
    public const string Reflects = "JSON by reflection. Use the overload that takes a JsonTypeInfo.";
}
