using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;

namespace HaKit.AI.Tests.Scenarios;

/// <summary>
/// Tests what applications may expect of a failover chat client, one scenario per test. The client in Microsoft.Extensions.AI moves on after any exception.
/// Where HaKit differs from it, docs/ai.md names the difference and the reason.
/// </summary>
public sealed class FailoverScenarioTests
{
    [Fact]
    public void The_number_of_attempts_is_validated_when_the_pool_is_made()
    {
        var make = () => new Line(o => o.Retry.MaxRetryAttempts = -1, null, new ScriptedClient());
        make.Should().Throw<OptionsValidationException>().WithMessage("*MaxRetryAttempts is -1*");
    }

    [Fact]
    public async Task Messages_that_are_null_are_refused_at_once()
    {
        var line = new Line(new ScriptedClient());
        await line.Chat.Awaiting(c => c.GetResponseAsync((IEnumerable<ChatMessage>)null!, null, line.Caller)).Should().ThrowAsync<ArgumentNullException>();
        line.Chat.Invoking(c => c.GetStreamingResponseAsync((IEnumerable<ChatMessage>)null!, null, line.Caller)).Should().Throw<ArgumentNullException>("not only when the stream is read");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void When_no_endpoint_may_serve_the_refusal_has_no_attempts_and_explains_each_endpoint(bool streamed)
    {
        var client = new ScriptedClient();
        var line = new Line(client);
        var failure = line.Failure(streamed, new ChatOptions().UseHaProfile(new RequestProfile { Residency = "mars" })).Should().BeOfType<NoEndpointAvailableException>().Which;
        failure.Attempts.Should().BeEmpty();
        failure.Endpoints.Should().ContainSingle().Which.NotAdmittedBy.Should().Be("capability");
        client.Calls.Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_caller_that_has_cancelled_hears_of_that_whatever_else_is_wrong(bool streamed)
    {
        var line = new Line(new ScriptedClient()) { Caller = new CancellationToken(canceled: true) };
        line.Failure(streamed, new ChatOptions().UseHaProfile(new RequestProfile { Residency = "mars" })).Should().BeAssignableTo<OperationCanceledException>();
    }

    [Fact]
    public void When_nothing_is_left_after_a_failure_the_refusal_tells_the_attempts_and_carries_the_failure()
    {
        var failure = new InvalidOperationException("failed");
        var line = new Line(ScriptedClient.Failing(failure));
        var refusal = line.Failure(false).Should().BeOfType<NoEndpointAvailableException>().Which;
        refusal.Attempts.Should().OnlyContain(a => a.Endpoint == "0");
        refusal.InnerException.Should().BeSameAs(failure);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Whoever_watches_cannot_break_a_call(bool streamed)
    {
        var line = new Line(o => o.CircuitBreaker.FailuresToEject = 1, p => p.OnEjected.Add((_, _) => throw new InvalidOperationException("the watcher's")), ScriptedClient.Failing(), new ScriptedClient());
        line.Ask(streamed).Text.Should().Be("ok");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_attempt_gets_the_caller_s_options(bool streamed)
    {
        var seen = new List<ChatOptions?>();
        var first = new ScriptedClient { Respond = (o, _) => { seen.Add(o); throw new InvalidOperationException(); }, Stream = (o, _) => { seen.Add(o); throw new InvalidOperationException(); } };
        var second = new ScriptedClient { Respond = (o, _) => { seen.Add(o); return Task.FromResult(ScriptedClient.Ok()); }, Stream = (o, _) => { seen.Add(o); return ScriptedClient.Updates(ScriptedClient.Text("ok"), ScriptedClient.End()); } };
        var options = new ChatOptions { Instructions = "caller", ModelId = "request" };
        new Line(first, second).Ask(streamed, options).Text.Should().Be("ok");
        seen.Should().HaveCount(2).And.OnlyContain(o => ReferenceEquals(o, options));
        options.Should().Match<ChatOptions>(o => o.Instructions == "caller" && o.ModelId == "request");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void With_one_attempt_the_failure_is_told_within_the_refusal(bool streamed)
    {
        var failure = new InvalidOperationException("failed");
        var client = ScriptedClient.Failing(failure);
        new Line(o => o.Retry.MaxRetryAttempts = 0, null, client).Failure(streamed).Should().BeOfType<NoEndpointAvailableException>().Which.InnerException.Should().BeSameAs(failure);
        client.Calls.Should().Be(1);
    }

    [Fact]
    public void What_an_attempt_came_to_is_known_before_the_next_choice()
    {
        var failing = ScriptedClient.Failing();
        var line = new Line(o => o.CircuitBreaker.FailuresToEject = 1, null, failing, new ScriptedClient());
        line.Ask(false).GetServingEndpoint().Should().Be("1");
        line.Ask(false).GetServingEndpoint().Should().Be("1");
        failing.Calls.Should().Be(1, "it was ejected by its first failure");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_lone_endpoint_is_asked_again(bool streamed)
    {
        var client = Transient(failures: 1);
        new Line(client).Ask(streamed).Text.Should().Be("ok");
        client.Calls.Should().Be(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_call_may_succeed_with_its_last_attempt(bool streamed)
    {
        var client = Transient(failures: 1);
        new Line(o => o.Retry.MaxRetryAttempts = 1, null, client).Ask(streamed).Text.Should().Be("ok");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void After_its_last_attempt_the_last_failure_is_told(bool streamed)
    {
        var calls = 0;
        var client = new ScriptedClient { Respond = (_, _) => throw new InvalidOperationException($"failure {++calls}"), Stream = (_, _) => ScriptedClient.Throwing(new InvalidOperationException($"failure {++calls}")) };
        new Line(o => o.Retry.MaxRetryAttempts = 1, null, client).Failure(streamed)!.InnerException!.Message.Should().Be("failure 2");
        calls.Should().Be(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_answer_at_all_is_a_failure(bool streamed)
    {
        var none = new ScriptedClient { Respond = (_, _) => Task.FromResult<ChatResponse>(null!), Stream = (_, _) => null! };
        new Line(none, new ScriptedClient()).Ask(streamed).GetServingEndpoint().Should().Be("1");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void For_a_caller_that_has_cancelled_nobody_is_asked(bool streamed)
    {
        var (first, second) = (new ScriptedClient(), new ScriptedClient());
        new Line(first, second) { Caller = new CancellationToken(canceled: true) }.Failure(streamed).Should().BeAssignableTo<OperationCanceledException>();
        (first.Calls + second.Calls).Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_caller_that_cancels_while_an_attempt_fails_causes_no_other(bool streamed)
    {
        using var caller = new CancellationTokenSource();
        var first = new ScriptedClient
        {
            Respond = (_, _) => { caller.Cancel(); throw new InvalidOperationException("failed"); },
            Stream = (_, _) => { caller.Cancel(); return ScriptedClient.Throwing(new InvalidOperationException("failed")); },
        };
        var second = new ScriptedClient();
        new Line(first, second) { Caller = caller.Token }.Failure(streamed).Should().BeAssignableTo<OperationCanceledException>();
        second.Calls.Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cancellation_that_is_not_the_caller_s_is_a_failure_like_any_other(bool streamed) =>
        new Line(ScriptedClient.Failing(new OperationCanceledException()), new ScriptedClient()).Ask(streamed).GetServingEndpoint().Should().Be("1");

    private static ScriptedClient Transient(int failures)
    {
        var left = failures;
        return new()
        {
            Respond = (_, _) => left-- > 0 ? throw new InvalidOperationException("transient") : Task.FromResult(ScriptedClient.Ok()),
            Stream = (_, _) => left-- > 0 ? throw new InvalidOperationException("transient") : ScriptedClient.Updates(ScriptedClient.Text("ok"), ScriptedClient.End()),
        };
    }
}
