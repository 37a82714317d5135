namespace HaKit.Tool.Simulations;

/// <summary>The text of the report between its tables.</summary>
internal static class Page
{
    public const string Beginning = """
        # Simulation report

        What the pool does in each scenario, in virtual time and with fixed seeds, so that a change in behaviour shows as a change of this page. It is written by

            dotnet run --project src/HaKit.Tool -- report --out docs/evidence

        and a test fails when it is stale. How simulations work, and a year of real incidents, is in [simulation.md](simulation.md).

        "default" is the pool as it comes; round robin, least outstanding and peak EWMA choose otherwise and are the same in everything else; "retry only" has the first
        endpoint, e0, alone and repeats, "single endpoint" does not even repeat. Times are in seconds, of calls that were served. "refused" counts the servers' refusals
        for their quota, "early" attempts before a Retry-After was over. The drawings show the default: attempts in each interval on each endpoint, and in red below
        when calls came that were lost.

        """;

    public const string BeforeDialogue = """

        The half-speed endpoint: a rough model had promised a p99 of 13.6 s to the first content. The true value is 17.0 ± 0.6 s with two choices and
        15.7 ± 0.3 s with four: see [simulation.md](simulation.md#the-half-speed-endpoint).

        ## Scenarios of Palantir Dialogue

        By the names that its [SimulationTest](https://github.com/palantir/dialogue/tree/develop/simulation) has, written anew, beside the figures of its report.
        They are not the same clients: Dialogue's do not repeat a 500, ten of them share the load, and their means count failures.

        """;

    public const string End = """

        ## Rows that tests hold

        What is exact or needs thousands of endpoints is not simulated here but tested directly: smooth weighted turns (`TurnTests`), two choices against the theory
        (`TwoChoicesTests`), rendezvous hashing and bounded load (`AffinityTests`), tiers and their spill (`TierTests`), forbidden residency under panic
        (`FailOpenTests`, `SelectorContractTests`), phi accrual, false ejections and the heartbeat's mistakes (`Health` and `Heartbeats` of HaKit.Tests).

        """;
}
