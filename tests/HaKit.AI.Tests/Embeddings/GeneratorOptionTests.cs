using System.Globalization;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Embeddings;

/// <summary>Tests the options of an embedding generator after its creation, and the cost of a call that is split.</summary>
public sealed class GeneratorOptionTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void What_the_caller_changes_in_the_options_after_the_generator_was_made_takes_no_effect()
    {
        using var fake = new FakeEmbeddingGenerator("a", _time);
        var options = new EndpointPoolEmbeddingOptions { MaxBatchSize = 2 };
        var generator = new EndpointPoolEmbeddingGenerator(Pool(fake), options);
        (options.MaxBatchSize, options.MaxParallelBatches) = (0, 0);

        Generate(generator, ["one", "two", "three"]).Should().HaveCount(3);
        fake.Requests.Select(r => r.Count).Should().BeEquivalentTo([2, 1]);
        generator.MaxBatchSize.Should().Be(2);
    }

    [Fact]
    public void The_cost_of_a_split_call_is_the_cost_of_its_parts()
    {
        using var fake = new FakeEmbeddingGenerator("a", _time);
        var pool = Pool(fake, e => e.InputTokenPrice = 2);
        string[] texts = ["one text", "another text", "a third one"];
        var whole = Generate(new EndpointPoolEmbeddingGenerator(pool), texts);
        var split = Generate(new EndpointPoolEmbeddingGenerator(pool, new() { MaxBatchSize = 1 }), texts);

        Cost(split).Should().BeApproximately(Cost(whole), 1e-12).And.BePositive();

        static double Cost(GeneratedEmbeddings<Embedding<float>> of) => double.Parse((string)of.AdditionalProperties![ChatStory.CostKey]!, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void A_split_call_has_no_cost_if_the_cost_of_a_part_is_not_known()
    {
        using var fake = new FakeEmbeddingGenerator("a", _time);
        Generate(new EndpointPoolEmbeddingGenerator(Pool(fake), new() { MaxBatchSize = 1 }), ["one", "two"]).AdditionalProperties.Should().NotContainKey(ChatStory.CostKey);
    }

    private EndpointPool Pool(FakeEmbeddingGenerator fake, Action<EndpointOptions>? configure = null) =>
        new("vectors", new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } }.AddEndpoint("a", fake, configure), new EndpointPoolParts { TimeProvider = _time });

    private GeneratedEmbeddings<Embedding<float>> Generate(EndpointPoolEmbeddingGenerator generator, string[] texts) => _time.Run(() => generator.GenerateAsync(texts));
}
