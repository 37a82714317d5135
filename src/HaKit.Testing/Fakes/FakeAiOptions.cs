namespace HaKit.Testing;

/// <summary>The behaviour of a <see cref="FakeAiServer"/> or a <see cref="FakeHttpEndpoint"/> without faults.</summary>
public sealed class FakeAiOptions
{
    /// <summary>Gets the fake's name, which every answer contains as the header <c>x-fake-endpoint</c>. Default <c>fake</c>.</summary>
    public string Name { get; init; } = "fake";

    /// <summary>Gets the clock that latencies and schedules use. Default: the system clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Gets the seed of the random choices in the <see cref="FaultScript"/>. Default 0.</summary>
    public int Seed { get; init; }

    /// <summary>Gets the models that the fake serves. Requests for other models are answered with 404. Default empty: the fake serves every model.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Gets the key that the fake requires. Requests without this key are answered with 401. Default null: no key is required.</summary>
    public string? ApiKey { get; init; }

    /// <summary>
    /// Gets the longest accepted prompt, in tokens as <see cref="FakeAnswers.CountTokens"/> counts them. Longer prompts are answered with 400. Default: no
    /// limit.
    /// </summary>
    public int ContextWindow { get; init; } = int.MaxValue;

    /// <summary>Gets how the fake answers a chat that ends with an assistant message. Default <see cref="FakeContinuation.GoesOn"/>.</summary>
    public FakeContinuation Continuation { get; init; }

    /// <summary>Gets the length of an embedding when the request does not ask for a length. Default 16; 1 to 100,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of the range.</exception>
    public int EmbeddingDimensions
    {
        get;
        init
        {
            ArgumentRange.Check(value, 1, 100_000, nameof(EmbeddingDimensions));
            field = value;
        }
    } = 16;

    /// <summary>Gets a function that is called with every request before it is answered, on the thread that serves the request. Default null.</summary>
    public Action<FakeRequest>? Observe { get; init; }
}
