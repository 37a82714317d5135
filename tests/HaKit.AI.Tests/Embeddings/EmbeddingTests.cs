using HaKit.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.AI.Tests.Embeddings;

public sealed class EmbeddingTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();
    private readonly FakeEmbeddingGenerator _a;
    private readonly FakeEmbeddingGenerator _b;

    public EmbeddingTests() => (_a, _b) = (new("a", _time), new("b", _time));

    public static TheoryData<string> Faults => ["refused", "hang", "429", "500", "broken", "404", "405", "400", "model"];

    [Theory]
    [MemberData(nameof(Faults))]
    public void Whatever_one_endpoint_does_the_other_s_vectors_come(string fault)
    {
        _a.Faults.Always(fault switch
        {
            "refused" => FakeFault.Refused,
            "hang" => FakeFault.Hang,
            "429" => FakeFaults.OpenAI.RateLimited(),
            "500" => FakeFault.Status(500),
            "404" or "405" or "400" => FakeFault.Throw(() => new HttpRequestException("from an SDK", null, (System.Net.HttpStatusCode)int.Parse(fault, System.Globalization.CultureInfo.InvariantCulture))),
            "model" => FakeFault.Status(404, """{"error":{"code":"model_not_found","message":"The model does not exist"}}"""),
            _ => FakeFault.TruncatedBody,
        });

        var embeddings = Generate(Pool(), ["one", "two"]);

        embeddings.Select(e => e.Vector.ToArray()).Should().BeEquivalentTo([Vector("one"), Vector("two")], o => o.WithStrictOrdering());
        embeddings.AdditionalProperties![ChatStory.EndpointKey].Should().Be("b");
    }

    [Fact]
    public void An_answer_with_fewer_vectors_than_texts_is_none()
    {
        using var half = new Half(_a);
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } }.AddEndpoint("a", half).AddEndpoint("b", _b, e => e.Tier = 1);
        var pool = new EndpointPool("vectors", options, new EndpointPoolParts { TimeProvider = _time }).AsEmbeddingGenerator();

        Generate(pool, ["one", "two"]).AdditionalProperties![ChatStory.EndpointKey].Should().Be("b");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_empty_vector_is_no_answer_and_the_pool_s_length_is_not_taken_from_it(int ofTexts)
    {
        using var empty = new Empty(_a, ofTexts);
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } }.AddEndpoint("a", empty).AddEndpoint("b", _b, e => e.Tier = 1);
        var pool = new EndpointPool("vectors", options, new EndpointPoolParts { TimeProvider = _time }).AsEmbeddingGenerator();

        for (var i = 0; i < 2; i++)
            Generate(pool, ["one", "two"]).AdditionalProperties![ChatStory.EndpointKey].Should().Be("b");
    }

    [Fact]
    public void An_answer_that_no_caller_got_does_not_set_the_length_of_the_pool_s_vectors()
    {
        using var mixed = new Mixed(_a);
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } }.AddEndpoint("a", mixed).AddEndpoint("b", _b, e => e.Tier = 1);
        var pool = new EndpointPool("vectors", options, new EndpointPoolParts { TimeProvider = _time }).AsEmbeddingGenerator();

        Failure(pool, ["one", "two"]).Should().BeOfType<EmbeddingMismatchException>("the vectors of one answer have different lengths");
        _a.Faults.Always(FakeFault.Refused);

        Generate(pool, ["one", "two"]).Should().HaveCount(2);
    }

    [Fact]
    public void Vectors_of_another_length_are_refused_loudly_and_never_handed_out()
    {
        var pool = Pool();
        Generate(pool, ["one"]);
        _a.Faults.Always(FakeFault.Refused);
        _b.Dimensions = 32;

        Failure(pool, ["two"]).Should().BeOfType<EmbeddingMismatchException>().Which.Should().Match<EmbeddingMismatchException>(e =>
            e.Endpoint == "b" && e.Pool == "vectors" && e.Message.Contains("32") && e.Message.Contains("16"));
    }

    [Fact]
    public void Vectors_of_another_model_are_refused_though_their_length_is_the_same()
    {
        var pool = Pool();
        Generate(pool, ["one"]);
        _a.Faults.Always(FakeFault.Refused);
        _b.Model = "another-model";

        Failure(pool, ["two"]).Should().BeOfType<EmbeddingMismatchException>().Which.Message.Should().Contain("another-model").And.Contain("fake-embedding");
    }

    [Fact]
    public void A_mismatch_is_the_operator_s_to_solve_and_ejects_nobody()
    {
        var pool = Pool(o => o.Dimensions = 8);

        for (var i = 0; i < 10; i++)
            Failure(pool, ["one"]).Should().BeOfType<EmbeddingMismatchException>();

        _b.Counts.Received.Should().Be(0, "it is not tried elsewhere");
        pool.GetService<EndpointPool>()!.Explain(RequestProfile.Default).Should().OnlyContain(e => e.NotAdmittedBy == null);
    }

    [Fact]
    public void Endpoints_that_declare_different_models_are_refused_before_any_call()
    {
        var make = () => Pool(endpoint: (name, e) => e.Model = $"model-of-{name}");

        make.Should().Throw<EmbeddingMismatchException>().WithMessage("*'model-of-b'*'model-of-a'*set Model*");
        _a.Metadata = new("a", null, null, 16);
        _b.Metadata = new("b", null, null, 32);
        var lengths = () => Pool();
        lengths.Should().Throw<EmbeddingMismatchException>().WithMessage("*32*16*");
    }

    [Fact]
    public void One_model_may_have_different_names_where_the_operator_says_so()
    {
        var pool = Pool(o => o.Model = "fake-embedding", (name, e) => e.Model = $"deployment-{name}");
        _a.Model = "deployment-a"; // some servers name the deployment in their answers
        Generate(pool, ["one"]);
        _a.Faults.Always(FakeFault.Refused);

        Generate(pool, ["two"]).Should().ContainSingle();
        _b.Model = "deployment-of-somebody-else";
        Failure(pool, ["three"]).Should().BeOfType<EmbeddingMismatchException>();
    }

    [Fact]
    public void A_length_that_a_call_asks_for_holds_for_that_call()
    {
        var pool = Pool();
        Generate(pool, ["one"]);

        Generate(pool, ["one"], new EmbeddingGenerationOptions { Dimensions = 4 })[0].Dimensions.Should().Be(4);
        Generate(pool, ["one"])[0].Dimensions.Should().Be(16);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_large_call_is_split_keeps_its_order_and_tries_again_only_the_part_that_failed(int parallel)
    {
        var pool = Pool(o => (o.MaxBatchSize, o.MaxParallelBatches) = (10, parallel));
        string[] texts = [.. Enumerable.Range(0, 95).Select(i => $"text {i}")];
        _a.Faults.InOrder(FakeFault.None, FakeFault.None, FakeFault.Reset);

        var embeddings = Generate(pool, texts);

        embeddings.Select(e => e.Vector.ToArray()).Should().BeEquivalentTo(texts.Select(Vector), o => o.WithStrictOrdering());
        embeddings.Usage!.InputTokenCount.Should().Be(texts.Sum(FakeAnswers.CountTokens));
        _b.Requests.Should().ContainSingle("one part of ten failed").Which.Should().HaveCount(10);
        embeddings.AdditionalProperties![ChatStory.EndpointKey].Should().Be("a, b");
    }

    [Fact]
    public void Parts_share_the_deadline_of_the_call_and_the_first_failure_is_the_call_s()
    {
        var pool = Pool(o => (o.MaxBatchSize, o.MaxParallelBatches, o.Profile) = (1, 1, new RequestProfile { Deadline = TimeSpan.FromSeconds(10) }));
        _a.Faults.Always(FakeFault.Latency(TimeSpan.FromSeconds(1)));
        _b.Faults.Always(FakeFault.Latency(TimeSpan.FromSeconds(1)));

        Failure(pool, [.. Enumerable.Range(0, 50).Select(i => $"{i}")]).Should().BeOfType<DeadlineExceededException>();

        _time.Elapsed.Should().BeCloseTo(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1.1));
    }

    [Fact]
    public void A_split_call_that_was_cancelled_before_it_began_is_cancelled_and_asks_nobody()
    {
        var pool = Pool(o => o.MaxBatchSize = 1);
        var cancelled = new CancellationToken(canceled: true);

        Record.Exception(() => _time.Run(() => pool.GenerateAsync(["one", "two"], null, cancelled)))
            .Should().BeAssignableTo<OperationCanceledException>().Which.CancellationToken.Should().Be(cancelled);

        _a.Counts.Received.Should().Be(0);
    }

    [Fact]
    public void A_split_call_that_is_cancelled_on_its_way_carries_its_caller_s_token()
    {
        var pool = Pool(o => (o.MaxBatchSize, o.MaxParallelBatches) = (1, 2));
        _a.Faults.Always(FakeFault.Latency(TimeSpan.FromSeconds(5)));
        using var caller = new CancellationTokenSource(TimeSpan.FromSeconds(2), _time);

        Record.Exception(() => _time.Run(() => pool.GenerateAsync(["one", "two", "three"], null, caller.Token)))
            .Should().BeAssignableTo<OperationCanceledException>().Which.CancellationToken.Should().Be(caller.Token);
    }

    [Fact]
    public async Task The_container_disposes_of_no_generator_that_serves_an_endpoint()
    {
        using var given = new Owned(_a);
        using var made = new Owned(_b);
        var services = new ServiceCollection();
        services.AddHaEndpointPool("vectors", o => o.Heartbeat.Enabled = false).AddEndpoint("a", given).AddEndpoint("b", _ => made);
        services.AddHaEmbeddingGenerator("vectors");
        await using (var provider = services.BuildServiceProvider())
            (await provider.GetRequiredService<EndpointPoolEmbeddingGenerator>().GenerateAsync(["one"], null, Ct)).Should().ContainSingle();

        given.IsDisposed.Should().BeFalse();
        made.IsDisposed.Should().BeFalse();
    }

    [Fact]
    public void Nothing_to_embed_asks_nobody()
    {
        Generate(Pool(), []).Should().BeEmpty();
        _a.Counts.Received.Should().Be(0);
    }

    [Fact]
    public async Task It_comes_from_a_container_keyed_and_not()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("vectors", o => o.Heartbeat.Enabled = false).AddEndpoint("a", _a).AddEndpoint("b", _ => _b);
        services.AddHaEmbeddingGenerator("vectors");
        services.AddKeyedHaEmbeddingGenerator("key", "vectors");
        await using var provider = services.BuildServiceProvider();

        (await provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>().GenerateAsync(["one"], null, Ct)).Should().ContainSingle();
        provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("key").Should().BeOfType<EndpointPoolEmbeddingGenerator>();
    }

    [Fact]
    public void Its_services_can_be_reached_and_metadata_are_what_is_common()
    {
        var pool = Pool();

        pool.GetService<EndpointPool>()!.Name.Should().Be("vectors");
        pool.GetService(typeof(FakeEmbeddingGenerator), "b").Should().BeSameAs(_b);
        pool.GetService<EmbeddingGeneratorMetadata>()!.ProviderName.Should().BeNull();
        _b.Metadata = _a.Metadata;
        pool.GetService<EmbeddingGeneratorMetadata>()!.ProviderName.Should().Be("a");
    }

    private sealed class Half(FakeEmbeddingGenerator inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
    {
        public override async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            new((await base.GenerateAsync(values, options, cancellationToken)).Skip(1));
    }

    private sealed class Empty(FakeEmbeddingGenerator inner, int ofTexts) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
    {
        public override async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            new((await base.GenerateAsync(values, options, cancellationToken)).Select((e, i) => i < ofTexts ? new Embedding<float>(Array.Empty<float>()) : e));
    }

    private sealed class Mixed(FakeEmbeddingGenerator inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
    {
        public override async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            new((await base.GenerateAsync(values, options, cancellationToken)).Select((e, i) => new Embedding<float>(e.Vector[..(i + 3)])));
    }

    private sealed class Owned(FakeEmbeddingGenerator inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
    {
        public bool IsDisposed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }

    private static float[] Vector(string text) => FakeAnswers.EmbeddingOf(text, "fake-embedding");

    private EndpointPoolEmbeddingGenerator Pool(Action<EndpointPoolEmbeddingOptions>? configure = null, Action<string, EndpointOptions>? endpoint = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } }
            .AddEndpoint("a", _a, e => endpoint?.Invoke("a", e))
            .AddEndpoint("b", _b, e => { e.Tier = 1; endpoint?.Invoke("b", e); });
        return new EndpointPool("vectors", options, new EndpointPoolParts { TimeProvider = _time }).AsEmbeddingGenerator(configure);
    }

    private GeneratedEmbeddings<Embedding<float>> Generate(EndpointPoolEmbeddingGenerator pool, string[] texts, EmbeddingGenerationOptions? options = null) =>
        _time.Run(() => pool.GenerateAsync(texts, options, Ct));

    private Exception? Failure(EndpointPoolEmbeddingGenerator pool, string[] texts) => Record.Exception(() => Generate(pool, texts));
}
