using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Embeddings;

/// <summary>Tests how the size of an embedding call is compared with context windows and token limits.</summary>
public sealed class EmbeddingSizeTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(1_000, null)]
    [InlineData(null, 1_000)]
    [InlineData(50, null)]
    public void An_estimate_refuses_no_call(int? window, int? limit)
    {
        var world = new World(_time, (_, e) => (e.ContextWindow, e.Limits) = (window, limit is null ? null : new() { TokensPerMinute = limit }));

        world.Generate(Texts(100, 400)).Should().HaveCount(100, "each text has about 100 tokens");
        world["a"].Counts.Received.Should().Be(1);
    }

    [Fact]
    public void An_estimate_above_a_whole_minute_of_the_account_refuses_no_call()
    {
        var world = new World(_time, (_, e) => e.Account = "team", o => o.AccountLimits["team"] = new() { TokensPerMinute = 1_000 });

        world.Generate(Texts(100, 400)).Should().HaveCount(100);
    }

    [Fact]
    public void The_longest_text_and_not_the_sum_of_all_texts_must_fit_into_the_context_window()
    {
        var world = new World(_time, (name, e) => e.ContextWindow = name == "a" ? 1_000 : null);

        world.Generate(Texts(100, 400)).AdditionalProperties![ChatStory.EndpointKey].Should().Be("a");
        world.Generate([.. Texts(1, 10_000), .. Texts(1, 4)]).AdditionalProperties![ChatStory.EndpointKey].Should().Be("b", "one text has about 2,500 tokens");
    }

    [Fact]
    public void A_number_of_tokens_that_the_caller_gives_is_that_of_all_texts_and_no_window_is_compared_with_it()
    {
        var world = new World(_time, (_, e) => e.ContextWindow = 1_000);

        world.Generate(Texts(100, 400), 10_000).Should().HaveCount(100);
    }

    [Fact]
    public void Each_part_of_a_split_call_counts_only_its_share_of_the_tokens_that_the_caller_gives()
    {
        var world = new World(_time, (_, e) => e.Limits = new() { TokensPerMinute = 300_000 });

        world.Generate(Texts(5_000, 40), 500_000).Should().HaveCount(5_000);

        (world["a"].Counts.Received + world["b"].Counts.Received).Should().Be(3);
        _time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(1), "the parts have about 205,000, 205,000 and 90,000 tokens, so the endpoints have room for all of them");
    }

    [Fact]
    public void A_number_of_tokens_that_the_caller_gives_refuses_a_call_above_a_whole_minute_of_every_endpoint()
    {
        var world = new World(_time, (_, e) => e.Limits = new() { TokensPerMinute = 1_000 });

        Record.Exception(() => world.Generate(Texts(1, 40), 2_000)).Should().BeOfType<NoEndpointAvailableException>();
    }

    private static string[] Texts(int count, int length) => [.. Enumerable.Repeat(new string('x', length), count)];

    private sealed class World
    {
        private readonly Dictionary<string, FakeEmbeddingGenerator> _fakes;
        private readonly EndpointPoolEmbeddingGenerator _generator;
        private readonly ManualTimeProvider _time;

        public World(ManualTimeProvider time, Action<string, EndpointOptions> endpoint, Action<EndpointPoolOptions>? configure = null)
        {
            _time = time;
            _fakes = new() { ["a"] = new("a", time), ["b"] = new("b", time) };
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
            foreach (var (name, fake) in _fakes)
            {
                options.AddEndpoint(name, fake, e =>
                {
                    e.Tier = name[0] - 'a';
                    endpoint(name, e);
                });
            }
            configure?.Invoke(options);
            _generator = new EndpointPool("vectors", options, new EndpointPoolParts { TimeProvider = time }).AsEmbeddingGenerator();
        }

        public FakeEmbeddingGenerator this[string name] => _fakes[name];

        public GeneratedEmbeddings<Embedding<float>> Generate(string[] texts, int inputTokens = 0)
        {
            var options = inputTokens == 0 ? null : new EmbeddingGenerationOptions().UseHaProfile(new RequestProfile { InputTokens = inputTokens });
            return _time.Run(() => _generator.GenerateAsync(texts, options, TestContext.Current.CancellationToken));
        }
    }
}
