using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Scenarios;

/// <summary>Tests streams that fail in unusual places.</summary>
public sealed class StreamScenarioTests
{
    private static readonly InvalidOperationException Failure = new("failed");

    [Fact]
    public void A_stream_that_cannot_be_opened_is_opened_elsewhere() =>
        new Line(new ScriptedClient { Stream = (_, _) => throw Failure }, new ScriptedClient()).Ask(streamed: true).GetServingEndpoint().Should().Be("1");

    public static TheoryData<string> Places => ["enumerator", "current", "move", "dispose"];

    [Theory]
    [MemberData(nameof(Places))]
    public void A_stream_that_fails_before_it_shows_anything_is_opened_elsewhere_and_disposed_of_once(string where)
    {
        var odd = new OddStream(where, Failure);
        new Line(new ScriptedClient { Stream = (_, _) => odd }, new ScriptedClient()).Ask(streamed: true).Text.Should().Be("ok");
        odd.Disposed.Should().Be(where == "enumerator" ? 0 : 1);
    }

    [Fact]
    public void A_stream_that_is_empty_and_is_cancelled_while_it_is_disposed_of_is_opened_elsewhere()
    {
        var odd = new OddStream("dispose", new OperationCanceledException());
        new Line(new ScriptedClient { Stream = (_, _) => odd }, new ScriptedClient()).Ask(streamed: true).Text.Should().Be("ok");
        odd.Disposed.Should().Be(1);
    }

    [Fact]
    public void An_empty_stream_is_no_answer() =>
        new Line(new ScriptedClient { Stream = (_, _) => ScriptedClient.Updates() }, new ScriptedClient()).Ask(streamed: true).GetServingEndpoint().Should().Be("1");

    [Fact]
    public void A_failure_after_content_is_told_within_what_the_caller_gets_and_nobody_else_is_asked()
    {
        var odd = new OddStream("move", Failure, ScriptedClient.Text("first"));
        var second = new ScriptedClient();
        var line = new Line(new ScriptedClient { Stream = (_, _) => odd }, second);
        var updates = new List<ChatResponseUpdate>();

        var failure = Record.Exception(() => line.Run(async () =>
        {
            await foreach (var update in line.Chat.GetStreamingResponseAsync([new(ChatRole.User, "hi")], null, line.Caller))
                updates.Add(update);
        }));

        failure.Should().BeOfType<PartialResponseException>().Which.InnerException.Should().BeSameAs(Failure);
        updates.Should().ContainSingle().Which.Text.Should().Be("first");
        second.Calls.Should().Be(0);
        odd.Disposed.Should().Be(1);
        line.InFlight.Should().Be(0);
    }

    [Fact]
    public void A_stream_that_is_read_to_its_end_frees_its_place_and_counts_as_served()
    {
        var line = new Line(new ScriptedClient { Stream = (_, _) => ScriptedClient.Updates(ScriptedClient.Text("a"), ScriptedClient.Text("b"), ScriptedClient.End()) });
        line.Ask(streamed: true).Text.Should().Be("ab");
        line.InFlight.Should().Be(0);
        line.Pool.GetAvailabilityReport().Delivered.Should().NotBeNull();
    }

    [Fact]
    public async Task An_update_that_is_there_already_costs_no_memory()
    {
        var (few, many) = (Updates(10), Updates(5_010));
        var updates = few;
        var line = new Line(new ScriptedClient { Stream = (_, _) => new OddStream("nowhere", Failure, updates) });
        for (var i = 0; i < 3; i++)
            await BytesOfReadingAsync();

        var little = await BytesOfReadingAsync();
        updates = many;
        var much = await BytesOfReadingAsync();

        (much - little).Should().BeLessThan(5_000, "that would be a byte for each of the 5,000 more");

        ChatResponseUpdate[] Updates(int count) => [.. Enumerable.Repeat(ScriptedClient.Text("word"), count), ScriptedClient.End()];

        async Task<long> BytesOfReadingAsync()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            await foreach (var _ in line.Chat.GetStreamingResponseAsync([new(ChatRole.User, "hi")], null, line.Caller).ConfigureAwait(false))
            {
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void A_caller_that_stops_early_frees_the_place_and_harms_nobody_s_name()
    {
        var odd = new OddStream("nowhere", Failure, ScriptedClient.Text("a"), ScriptedClient.Text("b"), ScriptedClient.End());
        var line = new Line(new ScriptedClient { Stream = (_, _) => odd });

        line.Run(async () =>
        {
            await foreach (var update in line.Chat.GetStreamingResponseAsync([new(ChatRole.User, "hi")], null, line.Caller))
                break;
        });

        odd.Disposed.Should().Be(1);
        line.InFlight.Should().Be(0);
        line.Pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(HaKit.Health.EndpointHealthStatus.Healthy);
    }
}
