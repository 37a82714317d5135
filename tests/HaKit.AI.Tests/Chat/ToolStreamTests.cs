using HaKit.AI.Tests.Scenarios;
using HaKit.Faults;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>Clients return an update without content for each piece of a tool call's arguments, and the tool call itself when it is complete.</summary>
public sealed class ToolStreamTests
{
    private static readonly ChatOptions Tools = new() { Tools = [AIFunctionFactory.Create((string city) => city, "weather")] };
    private static readonly InvalidOperationException Failure = new("failed");

    private static ChatResponseUpdate Piece => new(ChatRole.Assistant, []);

    private static ChatResponseUpdate Announced => new(ChatRole.Assistant, []) { FinishReason = ChatFinishReason.ToolCalls };

    private static ChatResponseUpdate Call(ChatFinishReason? reason = null) =>
        new(ChatRole.Assistant, [new FunctionCallContent("1", "weather", new Dictionary<string, object?> { ["city"] = "Paris" })]) { FinishReason = reason };

    private static IEnumerable<ChatResponseUpdate> Pieces(int count) => Enumerable.Range(0, count).Select(_ => Piece);

    private static ScriptedClient Says(params ChatResponseUpdate[] updates) => new() { Stream = (_, _) => ScriptedClient.Updates(updates) };

    private static void ShouldHaveTheCall(ChatResponse response) =>
        response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().Should().ContainSingle().Which.Name.Should().Be("weather");

    private static ScriptedClient Slow(Func<Line> line, TimeSpan pause, params ChatResponseUpdate[] updates)
    {
        return new() { Stream = (_, token) => Play(token) };

        async IAsyncEnumerable<ChatResponseUpdate> Play([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
        {
            foreach (var update in updates)
            {
                await Task.Delay(pause, line().Time, token);
                yield return update;
            }
        }
    }

    [Fact]
    public void Two_hundred_pieces_of_a_tool_call_are_no_silence()
    {
        var second = new ScriptedClient();
        var line = new Line(Says([Piece, .. Pieces(200), Call(ChatFinishReason.ToolCalls)]), second);

        var response = line.Ask(streamed: true, Tools);

        response.GetServingEndpoint().Should().Be("0");
        ShouldHaveTheCall(response);
        second.Calls.Should().Be(0);
    }

    [Fact]
    public void Without_tools_updates_without_content_stay_a_silence()
    {
        Line line = null!;
        line = new Line(Slow(() => line, TimeSpan.FromSeconds(1), [Piece, .. Pieces(200), ScriptedClient.Text("late"), ScriptedClient.End()]), new ScriptedClient());
        line.Ask(streamed: true).GetServingEndpoint().Should().Be("1");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Arguments_that_take_longer_than_a_silence_may_last_are_waited_for(bool afterText)
    {
        Line line = null!;
        ChatResponseUpdate[] first = afterText ? [ScriptedClient.Text("let me see")] : [Piece];
        var second = new ScriptedClient();
        line = new Line(Slow(() => line, TimeSpan.FromSeconds(1), [.. first, .. Pieces(60), Call(ChatFinishReason.ToolCalls)]), second);

        ShouldHaveTheCall(line.Ask(streamed: true, Tools));

        line.Time.Elapsed.Should().BeGreaterThan(TimeSpan.FromSeconds(60));
        second.Calls.Should().Be(0);
    }

    [Fact]
    public void Arguments_that_take_longer_than_the_deadline_for_a_first_content_are_not_cut_by_it()
    {
        Line line = null!;
        line = new Line(Slow(() => line, TimeSpan.FromSeconds(1), [Piece, .. Pieces(200), Call(ChatFinishReason.ToolCalls)]), new ScriptedClient());

        ShouldHaveTheCall(line.Ask(streamed: true, Tools));
    }

    [Fact]
    public void A_role_alone_is_no_sign_of_a_tool_call_either()
    {
        Line line = null!;
        var silent = new ScriptedClient { Stream = (_, token) => Play(token) };
        line = new Line(silent, new ScriptedClient());

        line.Ask(streamed: true, Tools).GetServingEndpoint().Should().Be("1");

        line.Time.Elapsed.Should().BeCloseTo(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1));

        async IAsyncEnumerable<ChatResponseUpdate> Play([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
        {
            await Task.Delay(TimeSpan.FromSeconds(5), line.Time, token);
            yield return Piece;
            await Task.Delay(Timeout.InfiniteTimeSpan, line.Time, token);
        }
    }

    public static TheoryData<string> Orders => ["reason, call", "reason, call with reason", "call, reason", "call with reason"];

    [Theory]
    [MemberData(nameof(Orders))]
    public void A_tool_call_may_come_before_its_finish_reason_with_it_or_after_it(string order)
    {
        ChatResponseUpdate[] updates = order switch
        {
            "reason, call" => [Piece, Announced, Call()],
            "reason, call with reason" => [Piece, Announced, Call(ChatFinishReason.ToolCalls)],
            "call, reason" => [Piece, Call(), Announced],
            _ => [Piece, Call(ChatFinishReason.ToolCalls)],
        };
        var second = new ScriptedClient();
        // After the tool call is complete, later updates cannot change it.
        var line = new Line(new ScriptedClient { Stream = (_, _) => ScriptedClient.Throwing(Failure, updates) }, second);

        var response = line.Ask(streamed: true, Tools);

        ShouldHaveTheCall(response);
        response.FinishReason.Should().Be(ChatFinishReason.ToolCalls);
        response.Messages.Should().ContainSingle();
        second.Calls.Should().Be(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cut_between_the_finish_reason_and_the_tool_call_it_announces_is_a_cut(bool throws)
    {
        ChatResponseUpdate[] updates = [ScriptedClient.Text("let me see"), Piece, Announced];
        var line = new Line(new ScriptedClient { Stream = (_, _) => throws ? ScriptedClient.Throwing(Failure, updates) : ScriptedClient.Updates(updates) }, new ScriptedClient());

        line.Failure(streamed: true, Tools).Should().BeOfType<PartialResponseException>();
    }

    [Fact]
    public void A_tool_call_that_is_announced_and_never_comes_is_asked_for_elsewhere() =>
        new Line(Says(Piece, Announced), new ScriptedClient()).Ask(streamed: true, Tools).GetServingEndpoint().Should().Be("1");

    public static TheoryData<string> Empty => ["nothing", "a role", "usage"];

    [Theory]
    [MemberData(nameof(Empty))]
    public void An_empty_stream_of_a_client_that_never_marks_the_end_is_no_answer(string what)
    {
        var world = new ChatWorld(chatEndpoint: (_, o) => o.MarksEnd = false);
        world["a"].AnswerStream = _ => what switch { "nothing" => [], "a role" => [Piece], _ => [new(null, [new UsageContent(new())])] };

        var response = world.Ask(streamed: true);

        response.GetServingEndpoint().Should().Be("b");
        response.Text.Should().Be(ChatWorld.AnswerToHi);
    }

    [Fact]
    public void A_finish_reason_makes_an_empty_stream_an_answer_of_a_client_that_marks_it_now_and_then()
    {
        var world = new ChatWorld(chatEndpoint: (_, o) => o.MarksEnd = false);
        world["a"].AnswerStream = _ => [Piece, ScriptedClient.End()];

        world.Ask(streamed: true).GetServingEndpoint().Should().Be("a");
    }

    [Fact]
    public void A_client_that_cannot_read_what_comes_is_not_the_caller_s_fault()
    {
        var unreadable = new ArgumentOutOfRangeException("value", "Unknown ChatFinishReason value.");
        var line = new Line(new ScriptedClient { Stream = (_, _) => ScriptedClient.Throwing(unreadable, Piece) }, new ScriptedClient());

        line.Ask(streamed: true).GetServingEndpoint().Should().Be("1");

        line = new Line(new ScriptedClient { Stream = (_, _) => ScriptedClient.Throwing(unreadable, ScriptedClient.Text("half")) }, new ScriptedClient());
        var failure = line.Failure(streamed: true).Should().BeOfType<PartialResponseException>().Which;
        failure.Fault.Kind.Should().Be(FaultKind.BrokenBody);
        failure.InnerException!.InnerException.Should().BeSameAs(unreadable);
    }

    // The first item, or the whole answer, may have arrived before a client returns its task. Both look as if the request was wrong. A client without async methods
    // throws the exception itself, and a client with async methods returns a task with the exception. The difference has no meaning.
    [Theory]
    [InlineData(false, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, true)]
    public void A_client_that_cannot_read_an_answer_that_came_at_once_is_not_the_caller_s_fault(bool streamed, bool isNull, bool withoutTask)
    {
        ArgumentException unreadable = isNull ? new ArgumentNullException(nameof(streamed)) : new ArgumentOutOfRangeException(nameof(streamed));
        ScriptedClient[] clients = [.. Enumerable.Range(0, 3).Select(_ => new ScriptedClient
        {
            Respond = (_, _) => withoutTask ? throw unreadable : Task.FromException<ChatResponse>(unreadable),
            Stream = (_, _) => withoutTask ? throw unreadable : ScriptedClient.Throwing(unreadable),
        })];

        new Line(clients[0], new ScriptedClient()).Ask(streamed).GetServingEndpoint().Should().Be("1");

        new Line(clients).Failure(streamed).Should().BeSameAs(unreadable);
        clients.Select(c => c.Calls).Should().Equal([2, 1, 0], "where two say so, it is the request");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_client_that_finds_a_mistake_in_the_request_before_it_sends_it_ends_the_call(bool streamed, bool withoutTask)
    {
        var wrong = new ArgumentException("no such tool");
        var second = new ScriptedClient();
        new Line(new ScriptedClient
        {
            Respond = (_, _) => withoutTask ? throw wrong : Task.FromException<ChatResponse>(wrong),
            Stream = (_, _) => withoutTask ? throw wrong : ScriptedClient.Throwing(wrong),
        }, second).Failure(streamed).Should().BeSameAs(wrong);
        second.Calls.Should().Be(0);
    }

    [Fact]
    public void What_a_client_says_of_the_request_before_anything_was_sent_is_the_caller_s_and_what_it_says_later_is_not()
    {
        var wrong = new ArgumentException("no such tool");
        var second = new ScriptedClient();
        new Line(new ScriptedClient { Stream = (_, _) => ScriptedClient.Throwing(wrong) }, second).Failure(streamed: true).Should().BeSameAs(wrong);
        second.Calls.Should().Be(0);

        Line line = null!;
        line = new Line(new ScriptedClient { Stream = (_, token) => Later(token) }, second);
        line.Ask(streamed: true).GetServingEndpoint().Should().Be("1");

        async IAsyncEnumerable<ChatResponseUpdate> Later([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), line.Time, token);
            if (line is not null)
                throw wrong;
            yield break;
        }
    }

    [Fact]
    public void An_end_that_a_client_does_not_name_can_be_named_for_it()
    {
        var world = new ChatWorld(chatEndpoint: (_, o) => o.FinishOf = static update => update.RawRepresentation is "incomplete" ? ChatFinishReason.Length : null);
        world["a"].AnswerStream = _ => [ScriptedClient.Text("so far"), new(ChatRole.Assistant, []) { RawRepresentation = "incomplete" }];

        var response = world.Ask(streamed: true);

        response.FinishReason.Should().Be(ChatFinishReason.Length);
        response.Text.Should().Be("so far");
    }
}
