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
    private readonly byte[] _options = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{options.Embeddings?.ModelId}\n{options.Embeddings?.Dimensions}"));

    public override EndpointPool? Pool { get; } = generator.GetService(typeof(EndpointPool)) as EndpointPool;

    public override int GroupSize => options.GroupSize;

    public override RequestFingerprint FingerprintOf(TItem item, ReadOnlyMemory<byte> input) => RequestFingerprint.Compute(Encoding.UTF8.GetBytes(text(item)), _options);

    // Embeddings have no output tokens; 1 (not 0) marks the count as known.
    public override (long Input, long Output) EstimateTokens(TItem item) => (text(item).Length / 4 + 1, 1);

    public override async ValueTask<CallAnswer<Embedding<float>>> CallAsync(IReadOnlyList<TItem> items, RequestProfile profile, CancellationToken cancellationToken)
    {
        var embeddings = await generator.GenerateAsync(items.Select(text).ToArray(), options.Embeddings, cancellationToken).ConfigureAwait(false);
        if (embeddings.Count != items.Count)
            throw new InvalidOperationException($"{items.Count} texts gave {embeddings.Count} embeddings.");
        return new CallAnswer<Embedding<float>>
        {
            Results = [.. embeddings],
            Endpoint = embeddings.AdditionalProperties is { } properties && properties.TryGetValue(ChatStory.EndpointKey, out var endpoint) ? endpoint as string : null,
            InputTokens = embeddings.Usage?.InputTokenCount,
            OutputTokens = 0,
        };
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
