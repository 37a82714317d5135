using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Scenarios;

/// <summary>Tests endpoints that are tried in a fixed order.</summary>
public sealed class OrderScenarioTests
{
    [Fact]
    public void Clients_that_are_missing_are_refused()
    {
        var options = new EndpointPoolOptions();
        options.Invoking(o => o.AddEndpoint("a", (IChatClient)null!)).Should().Throw<ArgumentNullException>();
        var none = () => new Line();
        none.Should().Throw<Microsoft.Extensions.Options.OptionsValidationException>().WithMessage("*at least one endpoint*");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Endpoints_are_asked_in_order_and_those_that_fail_are_passed_over(bool streamed)
    {
        var clients = new[] { ScriptedClient.Failing(), ScriptedClient.Failing(), new ScriptedClient(), new ScriptedClient() };
        new Line(clients).Ask(streamed).GetServingEndpoint().Should().Be("2");
        clients.Select(c => c.Calls).Should().Equal(1, 1, 1, 0);
    }

    [Fact]
    public void Each_endpoint_is_asked_when_its_turn_comes()
    {
        var clients = new[] { ScriptedClient.Failing(), ScriptedClient.Failing(), new ScriptedClient() };
        var line = new Line(clients);
        for (var i = 0; i < 3; i++)
            line.Ask(false).GetServingEndpoint().Should().Be("2");
    }

    [Fact]
    public void One_client_in_two_places_is_asked_once_for_each()
    {
        var calls = 0;
        var client = new ScriptedClient { Respond = (_, _) => ++calls == 1 ? throw new InvalidOperationException("failed") : Task.FromResult(ScriptedClient.Ok()) };
        new Line(client, client).Ask(false).GetServingEndpoint().Should().Be("1");
        calls.Should().Be(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void When_all_have_failed_as_often_as_allowed_the_last_failure_is_told(bool streamed)
    {
        var (first, last) = (new InvalidOperationException("first"), new InvalidOperationException("last"));
        var refusal = new Line(o => o.Retry.MaxAttemptsPerEndpoint = 1, null, ScriptedClient.Failing(first), ScriptedClient.Failing(last)).Failure(streamed).Should().BeOfType<NoEndpointAvailableException>().Which;
        refusal.InnerException.Should().BeSameAs(last);
        refusal.Attempts.Select(a => a.Endpoint).Should().Equal("0", "1");
    }

    [Fact]
    public void What_a_call_has_tried_is_its_own_and_what_is_known_of_endpoints_is_everyone_s()
    {
        var failing = ScriptedClient.Failing();
        var line = new Line(failing, new ScriptedClient());
        for (var i = 0; i < 20; i++)
            line.Ask(false).GetServingEndpoint().Should().Be("1");
        failing.Calls.Should().BeInRange(2, 10, "each call begins anew, until the endpoint is ejected for all");
    }

    [Fact]
    public void Calls_at_once_do_not_disturb_each_other()
    {
        // Each call has a gate of its own, because the runtime continues several waiters of one task on the thread pool.
        var gates = new List<TaskCompletionSource>();
        var first = new ScriptedClient
        {
            Respond = async (_, _) =>
            {
                gates.Add(new());
                await gates[^1].Task;
                throw new InvalidOperationException("failed");
            },
        };
        var line = new Line(first, new ScriptedClient());

        line.Run(async () =>
        {
            var calls = Enumerable.Range(0, 5).Select(_ => line.Chat.GetResponseAsync([new(ChatRole.User, "hi")], null, line.Caller)).ToArray();
            gates.ForEach(static g => g.SetResult());
            (await Task.WhenAll(calls)).Should().OnlyContain(r => r.GetServingEndpoint() == "1");
        });
        first.Calls.Should().Be(5);
    }

    [Fact]
    public void Options_that_change_after_the_pool_was_made_change_nothing()
    {
        var line = new Line(new ScriptedClient());
        line.Options.Endpoints.Clear();
        line.Options.AddEndpoint("late", ScriptedClient.Failing());
        line.Ask(false).GetServingEndpoint().Should().Be("0");
    }

    [Fact]
    public void Clients_are_never_disposed_of_because_they_are_whoever_s_made_them()
    {
        var client = new ScriptedClient();
        var line = new Line(client);
        line.Chat.Dispose();
        line.Run(() => line.Pool.DisposeAsync().AsTask());
        client.IsDisposed.Should().BeFalse();
    }
}
