using HaKit.Batch.Running;

namespace HaKit.Batch.Tests.Running;

public sealed class RunDecisionTests
{
    private static readonly TimeSpan Now = TimeSpan.FromSeconds(100);
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(101);
    private static readonly TimeSpan Latest = TimeSpan.FromSeconds(102);
    private static readonly RunFacts Idle = new() { Now = Now, Window = 4 };

    public static TheoryData<string, object, object> Table => new()
    {
        { "nothing is claimed yet", Idle, new RunDecision(RunAction.Claim) },
        { "an item and a place", Idle with { Ready = 1, Calls = 3 }, new RunDecision(RunAction.Start) },
        { "no place", Idle with { Ready = 1, Calls = 4 }, Wait() },
        { "nothing left, calls in flight", Idle with { IsExhausted = true, Calls = 1 }, Wait() },
        { "nothing left", Idle with { IsExhausted = true }, new RunDecision(RunAction.End) },
        { "nothing left, a result is being handed over", Idle with { IsExhausted = true, IsHandingOver = true }, Wait() },
        { "nothing to claim now", Idle with { ClaimAt = Later }, Wait(Later) },
        { "nothing to claim then", Idle with { ClaimAt = Now }, new RunDecision(RunAction.Claim) },
        { "a failure, and nothing served since", Idle with { Ready = 1, IsFailing = true }, new RunDecision(RunAction.StartPatient) },
        { "the patient call waits", Idle with { Ready = 1, IsFailing = true, HasPatient = true, Calls = 1 }, Wait() },
        { "the patient call failed at once", Idle with { Ready = 1, IsFailing = true, PatientAt = Later }, Wait(Later) },
        { "one was put back and others are served", Idle with { Ready = 1, PutBack = 1, Calls = 2 }, new RunDecision(RunAction.StartPatient) },
        { "one was put back, another is being tried", Idle with { Ready = 1, PutBack = 1, Calls = 2, HasPatient = true }, new RunDecision(RunAction.Start) },
        { "only one that was put back, another is being tried", Idle with { PutBack = 1, Calls = 2, HasPatient = true }, new RunDecision(RunAction.Claim) },
        { "all are put back and none may be tried yet", Idle with { PutBack = 1, IsExhausted = true, PatientAt = Later }, Wait(Later) },
        { "only items that failed since the last served call, another may be claimed", Idle with { Undecided = 1, IsFailing = true, HasControl = true }, new RunDecision(RunAction.Claim) },
        { "only items that failed, a served request is known", Idle with { Undecided = 1, IsExhausted = true, HasControl = true }, new RunDecision(RunAction.StartControl) },
        { "only items that failed, nothing to claim now", Idle with { Undecided = 1, ClaimAt = Later, HasControl = true }, new RunDecision(RunAction.StartControl) },
        { "only items that failed, no served request is known", Idle with { Undecided = 1, IsExhausted = true }, new RunDecision(RunAction.StartPatient) },
        { "only items that failed, a call in flight", Idle with { Undecided = 1, IsExhausted = true, HasControl = true, Calls = 1 }, Wait() },
        { "only items that failed, a call in flight, items may come back", Idle with { Undecided = 1, ClaimAt = Later, HasControl = true, Calls = 1 }, Wait(Later) },
        { "only items that failed, the patient call failed at once", Idle with { Undecided = 1, IsExhausted = true, HasControl = true, PatientAt = Later }, Wait(Later) },
        { "a new item is the comparison", Idle with { Undecided = 1, Ready = 1, IsFailing = true, HasControl = true }, new RunDecision(RunAction.StartPatient) },
        { "the cost could be exceeded", Idle with { Ready = 1, HeldUntil = Later }, Wait(Later) },
        { "the consumer is slow", Idle with { Ready = 1, IsBacklogFull = true }, Wait() },
        { "stopping, calls in flight", Idle with { Ready = 1, IsStopping = true, Calls = 1 }, Wait() },
        { "stopping", Idle with { Ready = 1, IsStopping = true }, new RunDecision(RunAction.End) },
        { "stopping, a result is being handed over", Idle with { IsStopping = true, IsHandingOver = true }, Wait() },
        { "nothing claimed and no place", Idle with { Calls = 4 }, Wait() },
        { "nothing claimed and one place", Idle with { Calls = 3 }, new RunDecision(RunAction.Claim) },
        { "only items that failed and no place", Idle with { Undecided = 1, Calls = 4 }, Wait() },
        { "only items that failed, one place", Idle with { Undecided = 1, Calls = 3 }, new RunDecision(RunAction.Claim) },
        { "only items that failed, items may come back from now on", Idle with { Undecided = 1, ClaimAt = Now, Calls = 1 }, new RunDecision(RunAction.Claim) },
        { "only items that failed, the patient call waits", Idle with { Undecided = 1, ClaimAt = Later, Calls = 1, HasPatient = true }, Wait() },
        { "only items that failed, no place, items may come back", Idle with { Undecided = 1, ClaimAt = Later, Calls = 4 }, Wait() },
        { "only items that failed, the cost could be exceeded", Idle with { Undecided = 1, IsExhausted = true, HeldUntil = Later }, Wait(Later) },
        { "only items that failed, the cost could be exceeded until after the pause", Idle with { Undecided = 1, IsExhausted = true, HeldUntil = Latest, PatientAt = Later }, Wait(Latest) },
        { "only items that failed, the pause lasts longer", Idle with { Undecided = 1, IsExhausted = true, HeldUntil = Later, PatientAt = Latest }, Wait(Latest) },
        { "only items that failed, both are over now", Idle with { Undecided = 1, IsExhausted = true, HeldUntil = Now, PatientAt = Now }, new RunDecision(RunAction.StartPatient) },
        { "the cost may be spent from now on", Idle with { Ready = 1, HeldUntil = Now }, new RunDecision(RunAction.Start) },
        { "the pause of the patient call ends now", Idle with { Ready = 1, IsFailing = true, PatientAt = Now }, new RunDecision(RunAction.StartPatient) },
        { "the cost could be exceeded, the patient call may come earlier", Idle with { Ready = 1, HeldUntil = Latest, PatientAt = Later }, Wait(Later) },
        { "the cost could be exceeded, the patient call may come later", Idle with { Ready = 1, HeldUntil = Later, PatientAt = Latest }, Wait(Later) },
        { "the cost could be exceeded and the patient call is there", Idle with { Ready = 1, HeldUntil = Latest, PatientAt = Later, HasPatient = true, Calls = 1 }, Wait(Latest) },
        { "the cost could be exceeded, no place", Idle with { Ready = 1, HeldUntil = Later, Calls = 4 }, Wait() },
        { "the cost could be exceeded, items may be claimed earlier", Idle with { Ready = 1, HeldUntil = Latest, ClaimAt = Later }, Wait(Later) },
        { "the cost could be exceeded, items may be claimed later", Idle with { Ready = 1, HeldUntil = Later, ClaimAt = Latest }, Wait(Later) },
        { "the cost could be exceeded, there is nothing to claim", Idle with { Ready = 1, HeldUntil = Latest, ClaimAt = Later, IsExhausted = true }, Wait(Latest) },
        { "only one that was put back, another is being tried, items may come back", Idle with { PutBack = 1, Calls = 2, HasPatient = true, ClaimAt = Later }, Wait(Later) },
        { "only one that was put back, another is being tried, nothing left to claim", Idle with { PutBack = 1, Calls = 2, HasPatient = true, IsExhausted = true }, Wait() },
        { "only one that was put back, another is being tried, items may come back now", Idle with { PutBack = 1, Calls = 2, HasPatient = true, ClaimAt = Now }, new RunDecision(RunAction.Claim) },
        { "items failed, and one was put back", Idle with { Undecided = 1, PutBack = 1 }, new RunDecision(RunAction.StartPatient) },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void The_next_step_follows_from_the_facts(string why, object facts, object expected) => RunDecision.Decide((RunFacts)facts).Should().Be((RunDecision)expected, why);

    private static RunDecision Wait(TimeSpan? until = null) => new(RunAction.Wait, until ?? TimeSpan.MaxValue);
}
