using System.Text;
using HaKit.Faults;
using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>The order of the members of a chunk has no meaning, and neither has white space between them.</summary>
public sealed class ChunkOrderTests
{
    private static readonly (string Name, string Value)[] s_delta = [("role", "\"assistant\""), ("content", "\"Hi\""), ("refusal", "null")];
    private static readonly (string Name, string Value)[] s_tools = [("tool_calls", """[{"index":1,"id":"c","type":"function","function":{"name":"f","arguments":"{\"index\":3}"}}]""")];
    private static readonly (string Name, string Value)[] s_logged = [("content", "\"\\\"index\\\":7,\\\"delta\\\":\"")];

    public static TheoryData<bool, bool> Forms() => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Forms))]
    public void With_several_choices_the_end_of_one_is_not_the_end_of_the_stream_in_any_order(bool hasSpaces, bool hasRole)
    {
        foreach (var delta in Orders(hasRole ? s_delta : s_tools))
        {
            foreach (var order in Orders([("index", "1"), ("delta", Object(delta, hasSpaces)), ("logprobs", "null"), ("finish_reason", "null")]))
            {
                foreach (var last in Orders([("index", "0"), ("delta", "{}"), ("finish_reason", "\"stop\"")]))
                {
                    var reader = Reader();
                    Read(reader, [Object(order, hasSpaces)], hasSpaces).Should().Be(StreamSignal.Content);
                    Read(reader, [Object(last, hasSpaces)], hasSpaces).Should().Be(StreamSignal.None, "choice 1 has not ended: {0}", Object(order, hasSpaces));
                    reader.Read("data: [DONE]\n\n"u8.ToArray()).Should().Be(StreamSignal.End);
                }
            }
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Forms))]
    public void With_one_choice_its_end_is_the_end_of_the_stream_in_any_order(bool hasSpaces, bool hasRole)
    {
        foreach (var delta in Orders(hasRole ? s_delta : s_tools).Concat(Orders(s_logged)))
        {
            foreach (var order in Orders([("index", "0"), ("delta", Object(delta, hasSpaces)), ("finish_reason", "null"), ("logprobs", """{"content":[{"index":2}]}""")]))
            {
                foreach (var last in Orders([("index", "0"), ("delta", "{}"), ("finish_reason", "\"stop\"")]))
                {
                    var reader = Reader();
                    Read(reader, [Object(order, hasSpaces)], hasSpaces).Should().Be(StreamSignal.Content);
                    Read(reader, [Object(last, hasSpaces)], hasSpaces).Should().Be(StreamSignal.End, "{0}", Object(order, hasSpaces));
                }
            }
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Forms))]
    public void Several_choices_in_one_chunk_are_several_choices(bool hasSpaces, bool isReversed)
    {
        foreach (var first in Orders([("index", "0"), ("delta", """{"content":"a"}"""), ("finish_reason", "null")]))
        {
            foreach (var second in Orders([("index", "1"), ("delta", """{"content":"b"}"""), ("finish_reason", "null")]))
            {
                var reader = Reader();
                string[] choices = [Object(first, hasSpaces), Object(second, hasSpaces)];
                Read(reader, isReversed ? [choices[1], choices[0]] : choices, hasSpaces).Should().Be(StreamSignal.Content);
                Read(reader, ["""{"index":0,"delta":{},"finish_reason":"stop"}"""], hasSpaces).Should().Be(StreamSignal.None, "{0}", string.Join(',', choices));
            }
        }
        var ending = Reader();
        Read(ending, ["""{"index":0,"delta":{},"finish_reason":"stop"}""", """{"index":1,"delta":{"content":"b"},"finish_reason":null}"""], hasSpaces).Should().Be(StreamSignal.Content, "choice 1 goes on");
    }

    private static StreamSignal Read(SseReader reader, string[] choices, bool hasSpaces)
    {
        var all = string.Join(hasSpaces ? " , " : ",", choices);
        return reader.Read(Encoding.UTF8.GetBytes(hasSpaces ? $$"""data: { "id" : "c", "choices" : [ {{all}} ] }{{"\n\n"}}""" : $$"""data: {"id":"c","choices":[{{all}}]}{{"\n\n"}}"""));
    }

    private static string Object((string Name, string Value)[] members, bool hasSpaces) => hasSpaces
        ? "{ " + string.Join(" , ", members.Select(m => $"\"{m.Name}\" : {m.Value}")) + " }"
        : "{" + string.Join(',', members.Select(m => $"\"{m.Name}\":{m.Value}")) + "}";

    private static IEnumerable<(string Name, string Value)[]> Orders((string Name, string Value)[] members)
    {
        if (members.Length < 2)
            return [members];
        return members.SelectMany(first => Orders([.. members.Where(m => m != first)]).Select(rest => ((string, string)[])[first, .. rest]));
    }

    private static SseReader Reader() => new(FaultClassifier.Default, WireDialect.OpenAI, TimeProvider.System);
}
