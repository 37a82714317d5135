namespace HaKit.Testing.Tests.Swarm;

/// <summary>One call of a case, as the caller and the servers saw it.</summary>
internal sealed class SwarmCall
{
    public required int Number { get; init; }
    public required TimeSpan Began { get; init; }
    public required bool IsStream { get; init; }

    /// <summary>Every endpoint refuses it as a bad request.</summary>
    public required bool IsBad { get; init; }

    public TimeSpan? CancelAt { get; init; }
    public SimulatedCall Simulated { get; } = new();
    public List<SwarmAttempt> Attempts { get; } = [];
    public TimeSpan? FirstItemAt { get; set; }
    public TimeSpan? Ended { get; set; }

    /// <summary>"served", or why not.</summary>
    public string Outcome { get; set; } = "open";
    public Exception? Exception { get; set; }
}

/// <summary>One attempt, as the server saw it.</summary>
internal sealed class SwarmAttempt
{
    public required int Number { get; init; }
    public required SwarmCall Call { get; init; }
    public required int Endpoint { get; init; }
    public required TimeSpan Began { get; init; }
    public TimeSpan? Ended { get; set; }

    /// <summary>Content was delivered to the caller.</summary>
    public bool ShowedContent { get; set; }
}
