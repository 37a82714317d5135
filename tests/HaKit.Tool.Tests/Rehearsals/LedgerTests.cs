using HaKit.Testing;
using HaKit.Tool.Rehearsals;

namespace HaKit.Tool.Tests.Rehearsals;

public sealed class LedgerTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Attempts_belong_to_the_call_they_run_below_however_calls_interleave()
    {
        var ledger = new Ledger(_time);
        var gates = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        var calls = gates.Select((gate, i) => CallAsync(ledger, gate.Task, $"e{i}")).ToArray();
        gates[1].SetResult();
        gates[0].SetResult();

        (await calls[0]).Attempts.Select(a => a.Endpoint).Should().Equal("e0 before", "e0 after");
        (await calls[1]).Attempts.Select(a => a.Endpoint).Should().Equal("e1 before", "e1 after");
        ledger.HasOpenAttempts.Should().BeTrue();

        static async Task<Call> CallAsync(Ledger ledger, Task gate, string endpoint)
        {
            var call = ledger.BeginCall();
            ledger.BeginAttempt(endpoint + " before");
            await gate;
            ledger.BeginAttempt(endpoint + " after");
            return call;
        }
    }

    [Theory]
    [InlineData(nameof(CallOutcome.Served), nameof(AttemptOutcome.Answered))]
    [InlineData(nameof(CallOutcome.Cut), nameof(AttemptOutcome.Broken))]
    [InlineData(nameof(CallOutcome.Lost), nameof(AttemptOutcome.Broken))]
    public void An_attempt_that_began_well_is_only_as_good_as_the_end_of_its_stream(string ended, string becomes)
    {
        var ledger = new Ledger(_time);
        var call = ledger.BeginCall();
        var attempt = ledger.BeginAttempt("alpha");
        ledger.EndAttempt(attempt, AttemptOutcome.Answered, 200);
        _time.Advance(TimeSpan.FromSeconds(2));
        ledger.EndCall(call, Enum.Parse<CallOutcome>(ended), "alpha");

        attempt.Outcome.ToString().Should().Be(becomes);
        call.Duration.Should().Be(TimeSpan.FromSeconds(2));
        ledger.HasOpenAttempts.Should().BeFalse();
    }
}
