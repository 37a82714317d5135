namespace HaKit.Testing.Tests.Swarm;

/// <summary>Describes one call of a case from the view of the caller and the servers.</summary>
internal sealed class SwarmCall
{
    public required int Number { get; init; }
    public required TimeSpan Began { get; init; }
    public required bool IsStream { get; init; }

    /// <summary>Gets whether every endpoint refuses the call as a bad request.</summary>
    public required bool IsBad { get; init; }

    public TimeSpan? CancelAt { get; init; }
    public SimulatedCall Simulated { get; } = new();
    public List<SwarmAttempt> Attempts { get; } = [];
    public TimeSpan? FirstItemAt { get; set; }
    public TimeSpan? Ended { get; set; }

    /// <summary>Gets "served", or the reason for the failure.</summary>
    public string Outcome { get; set; } = "open";
    public Exception? Exception { get; set; }
}

/// <summary>Describes one attempt from the view of the server.</summary>
internal sealed class SwarmAttempt
{
    public required int Number { get; init; }
    public required SwarmCall Call { get; init; }
    public required int Endpoint { get; init; }
    public required TimeSpan Began { get; init; }
    public TimeSpan? Ended { get; set; }

    /// <summary>Gets whether content was delivered to the caller.</summary>
    public bool ShowedContent { get; set; }
}
