namespace HaKit.Tool.Simulations;

/// <summary>The text of the report between its tables.</summary>
internal static class Page
{
    public const string Beginning = """
        # Simulation report

        This page shows the results of the pool in each scenario, in virtual time and with fixed seeds. If the behaviour of the pool changes, this page changes too. This command writes it:

            dotnet run --project src/HaKit.Tool -- report --out docs/evidence

        A test fails if the page is out of date. [Simulation](simulation.md) explains simulations, and has the results for eleven months of real incidents.

        - "default" is the pool with its default settings. Round robin, least outstanding and peak EWMA only choose endpoints in another way.
        - "retry only" uses only the first endpoint, e0, with retries. "single endpoint" uses only e0, without retries.
        - Times are in seconds and include only served calls.
        - "refused" is the number of refusals because of a quota. "early" is the number of attempts before a Retry-After had passed.
        - The drawings show the default: the attempts in each interval on each endpoint, and below them, in red, the times of lost calls.

        """;

    public const string BeforeDialogue = """

        For the half-speed endpoint, a rough model predicts a p99 of 13.6 s for the time to the first content. The true value is 17.0 ± 0.6 s if two endpoints are compared, and
        15.7 ± 0.3 s if all four are compared: see [Simulation](simulation.md#the-half-speed-endpoint).

        ## Scenarios of Palantir Dialogue

        These scenarios have the names of Dialogue's [SimulationTest](https://github.com/palantir/dialogue/tree/develop/simulation), but their code is new. The tables also contain the figures of Dialogue's report.
        The clients differ: Dialogue's clients do not repeat a 500, ten of them share the load, and their means include failures.

        """;

    public const string End = """

        ## Scenarios without a simulation

        Scenarios with an exact result, or with thousands of endpoints, have direct tests instead: smooth weighted round robin (`TurnTests`), two choices compared with the theory
        (`TwoChoicesTests`), rendezvous hashing and bounded load (`AffinityTests`), tiers and their overflow (`TierTests`), forbidden residency while the pool fails open
        (`FailOpenTests`, `SelectorContractTests`), phi accrual, false ejections and false alarms of heartbeats (`Health` and `Heartbeats` of HaKit.Tests).

        """;
}
