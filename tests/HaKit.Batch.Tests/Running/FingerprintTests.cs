using System.Reflection;
using System.Text.Json;
using HaKit.AI;
using HaKit.Batch.Running;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Tests.Running;

/// <summary>Tests that a changed option is a changed request, so that the answers to another request are not returned.</summary>
public sealed class FingerprintTests
{
    // Properties that say nothing about the answer, each with its reason.
    private static readonly Dictionary<string, string> s_exceptions = new()
    {
        ["ChatOptions.RawRepresentationFactory"] = "a function, which cannot be compared",
        ["ChatOptions.ContinuationToken"] = "asks for the rest of a background response, which a batch never starts",
        ["ChatOptions.AllowBackgroundResponses"] = "says how the answer is delivered",
        ["EmbeddingGenerationOptions.RawRepresentationFactory"] = "a function, which cannot be compared",
    };

    private static readonly Dictionary<string, object> s_values = new()
    {
        [nameof(ChatOptions.Reasoning)] = new ReasoningOptions { Effort = ReasoningEffort.High },
        [nameof(ChatOptions.ResponseFormat)] = ChatResponseFormat.Json,
        [nameof(ChatOptions.ToolMode)] = ChatToolMode.RequireSpecific("read"),
        [nameof(ChatOptions.Tools)] = (IList<AITool>)[new HostedWebSearchTool()],
        [nameof(ChatOptions.StopSequences)] = (IList<string>)["stop"],
        [nameof(ChatOptions.AdditionalProperties)] = new AdditionalPropertiesDictionary { ["input_type"] = "query" },
    };

    public static TheoryData<string> ChatProperties => [.. Properties(typeof(ChatOptions))];

    public static TheoryData<string> EmbeddingProperties => [.. Properties(typeof(EmbeddingGenerationOptions))];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(ChatProperties))]
    public void Every_option_of_a_chat_is_part_of_its_fingerprint(string name)
    {
        var options = new ChatOptions();
        Set(options, name);
        ChatFingerprint.Compute([], options).Should().NotBe(ChatFingerprint.Compute([], new ChatOptions()));
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EmbeddingProperties))]
    public void Every_option_of_an_embedding_is_part_of_its_fingerprint(string name)
    {
        var options = new EmbeddingGenerationOptions();
        Set(options, name);
        Of(options).Should().NotBe(Of(new EmbeddingGenerationOptions()));

        static RequestFingerprint Of(EmbeddingGenerationOptions options)
        {
            using var generator = new FakeEmbeddingGenerator("a", TimeProvider.System);
            return new EmbeddingWork<string>(generator, static text => text, new EmbeddingBatchOptions { Embeddings = options }).FingerprintOf("text", default);
        }
    }

    public static TheoryData<string> Pairs => ["effort", "required tool", "schema name", "schema description", "strict tool", "vector store", "server of a tool"];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Pairs))]
    public void A_change_within_an_option_changes_the_fingerprint(string what)
    {
        using var schema = JsonDocument.Parse("""{"type":"object"}""");
        ChatOptions Options(string value) => what switch
        {
            "effort" => new() { Reasoning = new() { Effort = value == "one" ? ReasoningEffort.Low : ReasoningEffort.High } },
            "required tool" => new() { ToolMode = ChatToolMode.RequireSpecific(value) },
            "schema name" => new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.RootElement, value) },
            "schema description" => new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.RootElement, "name", value) },
            "strict tool" => new() { Tools = [AIFunctionFactory.Create(static () => 1, new AIFunctionFactoryOptions { Name = "tool", AdditionalProperties = new Dictionary<string, object?> { ["strict"] = value } })] },
            "vector store" => new() { Tools = [new HostedFileSearchTool { Inputs = [new HostedVectorStoreContent(value)] }] },
            _ => new() { Tools = [new HostedMcpServerTool("server", new Uri($"https://{value}.example"))] },
        };
        ChatFingerprint.Compute([], Options("one")).Should().NotBe(ChatFingerprint.Compute([], Options("two"))).And.Subject.Should().Be(ChatFingerprint.Compute([], Options("one")));
    }

    private static IEnumerable<string> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite && !s_exceptions.ContainsKey($"{type.Name}.{p.Name}")).Select(static p => p.Name);

    private static void Set(object options, string name)
    {
        var property = options.GetType().GetProperty(name)!;
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        property.SetValue(options, s_values.TryGetValue(name, out var value) ? value : type == typeof(string) ? "value" : type == typeof(bool) ? true : Convert.ChangeType(7, type, System.Globalization.CultureInfo.InvariantCulture));
    }
}
