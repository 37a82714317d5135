using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>A call keeps the messages and options with which it was begun, also for attempts that start later.</summary>
public sealed class CallerChangeTests
{
    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_that_can_be_enumerated_once_are_sent_to_each_endpoint(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.Next(1, FakeFault.Refused);
        var enumerations = 0;
        world.Ask(streamed, Once()).Text.Should().Be(ChatWorld.AnswerToHi);
        enumerations.Should().Be(1);
        world["b"].Requests.Should().ContainSingle().Which.Prompt.Should().Be("hi");

        IEnumerable<ChatMessage> Once()
        {
            enumerations++;
            yield return new ChatMessage(ChatRole.User, "hi");
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public void A_list_that_the_caller_clears_during_the_call_is_sent_whole_to_the_next_endpoint(bool streamed)
    {
        var messages = new List<ChatMessage> { new(ChatRole.System, "be brief"), new(ChatRole.User, "hi") };
        var options = new ChatOptions { Seed = 1, StopSequences = ["end"] };
        var world = new ChatWorld();
        world["a"].Answer = _ =>
        {
            messages.Clear();
            options.Seed = 2;
            options.StopSequences!.Clear();
            throw new HttpRequestException(HttpRequestError.ConnectionError);
        };
        world.Ask(streamed, messages, options);
        var asked = world["b"].Requests.Should().ContainSingle().Which;
        asked.Messages.Should().HaveCount(2);
        (asked.Options!.Seed, asked.Options.StopSequences!.Count).Should().Be((1L, 1));
    }
}
