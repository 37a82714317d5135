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

    private sealed record Thinking(int Budget, Type? Kind = null);

    private sealed class Loop
    {
        public Loop Self => this;

        public int Budget { get; init; }
    }

    public static TheoryData<string> Values => ["a record", "an anonymous object", "a list of records", "a number", "a decimal", "bytes", "a JSON node"];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Values))]
    public void A_change_within_a_property_of_the_application_changes_the_fingerprint(string what)
    {
        ChatOptions Options(int value) => new()
        {
            AdditionalProperties = new AdditionalPropertiesDictionary
            {
                ["thinking"] = what switch
                {
                    "a record" => new Thinking(value),
                    "an anonymous object" => new { budget = value },
                    "a list of records" => new List<Thinking> { new(value) },
                    "a number" => 1e300 * value,
                    "a decimal" => value + 0.1m,
                    "bytes" => new byte[] { (byte)value },
                    _ => System.Text.Json.Nodes.JsonNode.Parse($$"""{"budget":{{value}}}"""),
                },
            },
        };
        ChatFingerprint.Compute([], Options(1)).Should().NotBe(ChatFingerprint.Compute([], Options(2))).And.Subject.Should().Be(ChatFingerprint.Compute([], Options(1)));
    }

    [Fact(Timeout = 30_000)]
    public void The_culture_does_not_change_a_fingerprint()
    {
        var invariant = Of();
        var before = System.Globalization.CultureInfo.CurrentCulture;
        var other = (System.Globalization.CultureInfo)System.Globalization.CultureInfo.InvariantCulture.Clone();
        (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.NegativeSign, other.DateTimeFormat.DateSeparator) = (",", "\u2212", ".");
        System.Globalization.CultureInfo.CurrentCulture = other;
        try
        {
            Of().Should().Be(invariant);
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }

        static RequestFingerprint Of() => ChatFingerprint.Compute(
            [new ChatMessage(ChatRole.User, [new TextContent("INPUT"), new FunctionCallContent("1", "find", new Dictionary<string, object?> { ["Ii"] = 1.5, ["i"] = new DateTime(2026, 1, 2), ["I"] = -3m })])],
            new ChatOptions { Temperature = 0.5f, Seed = -1234567, Reasoning = new() { Effort = ReasoningEffort.High }, ToolMode = ChatToolMode.RequireSpecific("find") });
    }

    public static TheoryData<string> ValuesWithoutJson => ["a type", "a member that is a type", "a cycle", "a function", "a token", "not a number", "a profile"];

    // Such values are for code of the application between the batch and the server. The run must not end because of them.
    [Theory(Timeout = 30_000)]
    [MemberData(nameof(ValuesWithoutJson))]
    public void A_value_that_is_never_sent_does_not_end_the_run_and_does_not_change_the_fingerprint(string what)
    {
        using var source = new CancellationTokenSource();
        object Value(int number) => what switch
        {
            "a type" => number == 1 ? typeof(int) : typeof(string),
            "a member that is a type" => new Thinking(number, typeof(string)),
            "a cycle" => new Loop { Budget = number },
            "a function" => new Func<int>(() => number),
            "a token" => source.Token,
            "not a number" => number == 1 ? double.NaN : double.PositiveInfinity,
            _ => new RequestProfile { Deadline = TimeSpan.FromSeconds(number) },
        };
        RequestFingerprint Of(int number) => ChatFingerprint.Compute(
            [new ChatMessage(ChatRole.Tool, [new FunctionResultContent("id", Value(number))])], new ChatOptions { AdditionalProperties = new() { ["value"] = Value(number) } });
        Of(1).Should().Be(Of(2));
    }

    public static TheoryData<string> Contents => ["text", "data", "uri", "call", "result", "thought", "hosted file", "role", "author", "split text"];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Contents))]
    public void A_change_within_a_message_changes_the_fingerprint(string what)
    {
        ChatMessage Message(int value) => what switch
        {
            "text" => new(ChatRole.User, "text " + value),
            "data" => new(ChatRole.User, [new DataContent(new[] { (byte)value }, "image/png")]),
            "uri" => new(ChatRole.User, [new UriContent($"https://a.example/{value}", "image/png")]),
            "call" => new(ChatRole.Assistant, [new FunctionCallContent("id", "f", new Dictionary<string, object?> { ["a"] = new Thinking(value) })]),
            "result" => new(ChatRole.Tool, [new FunctionResultContent("id", value)]),
            "thought" => new(ChatRole.Assistant, [new TextReasoningContent("thought " + value)]),
            "hosted file" => new(ChatRole.User, [new HostedFileContent("file-" + value)]),
            "role" => new(value == 1 ? ChatRole.User : ChatRole.System, "text"),
            "author" => new(ChatRole.User, "text") { AuthorName = "author " + value },
            _ => value == 1 ? new(ChatRole.User, [new TextContent("ab")]) : new(ChatRole.User, [new TextContent("a"), new TextContent("b")]),
        };
        ChatFingerprint.Compute([Message(1)], null).Should().NotBe(ChatFingerprint.Compute([Message(2)], null)).And.Subject.Should().Be(ChatFingerprint.Compute([Message(1)], null));
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
