namespace HaKit.Testing;

/// <summary>How a <see cref="FakeAiServer"/> or a <see cref="FakeHttpEndpoint"/> is when nothing goes wrong.</summary>
public sealed class FakeAiOptions
{
    /// <summary>Its name, sent with every answer as <c>x-fake-endpoint</c>; default <c>fake</c>.</summary>
    public string Name { get; init; } = "fake";

    /// <summary>The clock of latencies and schedules; default the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Seed of the chance in <see cref="FaultScript"/>; default 0.</summary>
    public int Seed { get; init; }

    /// <summary>The models it serves; any other is answered 404. Default empty: it serves whatever is asked.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>The key it requires, or is answered 401; default null: none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Longest prompt, in tokens as <see cref="FakeAnswers.CountTokens"/> counts; longer ones are answered 400. Default: no bound.</summary>
    public int ContextWindow { get; init; } = int.MaxValue;

    /// <summary>What it does with a chat that ends with an assistant message; default <see cref="FakeContinuation.GoesOn"/>.</summary>
    public FakeContinuation Continuation { get; init; }

    /// <summary>Length of embeddings when the request does not say; default 16.</summary>
    public int EmbeddingDimensions { get; init; } = 16;

    /// <summary>Sees every request before it is answered, on the thread that serves it; default none.</summary>
    public Action<FakeRequest>? Observe { get; init; }
}
