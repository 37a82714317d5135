using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using HaKit.AI;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Running;

/// <summary>Makes embedding calls. A call has as many texts as the options allow.</summary>
internal sealed class EmbeddingWork<TItem>(IEmbeddingGenerator<string, Embedding<float>> generator, Func<TItem, string> text, EmbeddingBatchOptions options)
    : BatchWork<TItem, Embedding<float>>
{
    private readonly byte[] _options =
    [
        .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{options.Embeddings?.ModelId}\n{options.Embeddings?.Dimensions}")),
        .. ChatFingerprint.WrittenProperties(options.Embeddings?.AdditionalProperties),
    ];

    // The pool's own generator returns the details of each call; a generator that wraps it has them in the answer's properties.
    private readonly EndpointPoolEmbeddingGenerator? _own = generator as EndpointPoolEmbeddingGenerator;

    public override EndpointPool? Pool { get; } = generator.GetService(typeof(EndpointPool)) as EndpointPool;

    // The pool's generator would split a larger call. If one part of a split call fails, the other parts may have been served, so the call could not be repeated
    // safely.
    public override int GroupSize { get; } =
        Math.Min(options.GroupSize, (generator.GetService(typeof(EndpointPoolEmbeddingGenerator)) as EndpointPoolEmbeddingGenerator)?.MaxBatchSize ?? int.MaxValue);

    private string TextOf(TItem item) =>
        text(item) ?? throw new InvalidOperationException("RunBatchAsync: the function for the text of an item returned null. Return a text.");

    public override RequestFingerprint FingerprintOf(TItem item, ReadOnlyMemory<byte> input) => RequestFingerprint.Compute(Encoding.UTF8.GetBytes(TextOf(item)), _options);

    // Embeddings have no output tokens; 1 (not 0) marks the count as known.
    public override PreparedCall<Embedding<float>> Prepare(IReadOnlyList<TItem> items)
    {
        var texts = items.Select(TextOf).ToArray();
        return new([.. texts.Select(static t => (t.Length / 4 + 1L, 1L))], (profile, token) => CallAsync(texts, profile, token));
    }

    private async ValueTask<CallAnswer<Embedding<float>>> CallAsync(string[] texts, RequestProfile profile, CancellationToken cancellationToken)
    {
        // The profile is for a pool; another generator would send it to its server.
        var asked = Pool is null ? options.Embeddings : (options.Embeddings?.Clone() ?? new EmbeddingGenerationOptions()).UseHaProfile(profile);
        if (_own is not null)
        {
            var (served, detail) = await _own.GenerateWithDetailAsync(texts, asked, cancellationToken).ConfigureAwait(false);
            return detail.Answer<Embedding<float>>([.. served]) with { InputTokens = CallDetails.Plausible(served.Usage?.InputTokenCount) ?? detail.InputTokens, OutputTokens = 0 };
        }
        var embeddings = await generator.GenerateAsync(texts, asked, cancellationToken).ConfigureAwait(false);
        if (embeddings.Count != texts.Length)
            throw new InvalidOperationException($"{texts.Length} texts gave {embeddings.Count} embeddings.");
        return CallDetails.ReadAnswer<Embedding<float>>([.. embeddings], embeddings.AdditionalProperties) with { InputTokens = CallDetails.Plausible(embeddings.Usage?.InputTokenCount), OutputTokens = 0 };
    }

    // Four bytes for each number; JSON text would need three times as much.
    public override byte[] Write(Embedding<float> result)
    {
        var model = Encoding.UTF8.GetBytes(result.ModelId ?? "");
        var bytes = new byte[4 + model.Length + 4 * result.Vector.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, model.Length);
        model.CopyTo(bytes, 4);
        var vector = bytes.AsSpan(4 + model.Length);
        for (var i = 0; i < result.Vector.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(vector[(4 * i)..], result.Vector.Span[i]);
        return bytes;
    }

    public override Embedding<float> Read(ReadOnlyMemory<byte> bytes)
    {
        var model = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span);
        var numbers = bytes.Span[(4 + model)..];
        var vector = new float[numbers.Length / 4];
        for (var i = 0; i < vector.Length; i++)
            vector[i] = BinaryPrimitives.ReadSingleLittleEndian(numbers[(4 * i)..]);
        return new Embedding<float>(vector) { ModelId = model == 0 ? null : Encoding.UTF8.GetString(bytes.Span.Slice(4, model)) };
    }
}
