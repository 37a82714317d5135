namespace HaKit.Testing;

/// <summary>What a drill in virtual time goes through, and what counts as surviving it. Not thread-safe.</summary>
public sealed class HaDrillOptions
{
    /// <summary>The faults; default the whole matrix (<see cref="DrillFaults.All"/>). <see cref="DrillFault.AtRate"/> makes others.</summary>
    public IReadOnlyList<DrillFault> Faults { get; set; } = DrillFaults.All;

    /// <summary>How long the usual fault lasts, in virtual time; default 5 s. The long outage lasts three times as long.</summary>
    public TimeSpan FaultDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Calls a second, each at its own time; default 10. A pool whose limits are lower makes calls wait before anything fails.</summary>
    public double CallsPerSecond { get; set; } = 10;

    /// <summary>The share of the calls that ask for a stream, 0 to 1; default 0.5. Calls of your own (<see cref="Call"/>) do not.</summary>
    public double StreamedShare { get; set; } = 0.5;

    /// <summary>Seed of everything random; default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>The least share of right answers under each fault, 0 to 1; default 1: a pool with another endpoint has no reason to lose a call.</summary>
    public double MinimumSuccess { get; set; } = 1;

    /// <summary>
    /// Whether a stream may be cut after its first content if it says so (<see cref="PartialResponseException"/>); default true: what was delivered is not replayed. False
    /// counts it as lost.
    /// </summary>
    public bool AllowCuts { get; set; } = true;

    /// <summary>The most that a call that met a fault may take longer than a healthy one; default null, no bound but the pool's deadline.</summary>
    public TimeSpan? MaxAddedDelay { get; set; }

    /// <summary>
    /// The most requests at the endpoints for each call, under any fault, refused connections among them; default 4, which leaves room for each of three endpoints to
    /// refuse a call once. Retries outside the pool multiply its own, and are found by it.
    /// </summary>
    public double MaxRequestsPerCall { get; set; } = 4;

    /// <summary>
    /// The endpoints in the order in which they are to serve, those of one tier together: <c>[["openai", "azure"], ["standby"]]</c>. The drill checks that the first
    /// tier serves alone when all is well, and each next one when those before it refuse connections. Default null, unchecked.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<string>>? Tiers { get; set; }

    /// <summary>
    /// The name of the <see cref="HttpClient"/>, or the key of the chat client, that makes the calls. Default null: the application's clients over the pool, in turn;
    /// where it has none, a client that the pool makes.
    /// </summary>
    public string? Client { get; set; }

    /// <summary>Whether a resilience handler of <c>Microsoft.Extensions.Http.Resilience</c> may stand outside the pool; default false: it repeats and times out the pool's work.</summary>
    public bool AllowOuterResilience { get; set; }

    /// <summary>
    /// Makes one call with your own code: from the container and a prompt to the answer, which must be <see cref="FakeAnswers.AnswerTo"/> of the prompt. Default null:
    /// chat completions through <see cref="Client"/>.
    /// </summary>
    public Func<IServiceProvider, string, CancellationToken, Task<string>>? Call { get; set; }
}
